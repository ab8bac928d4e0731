import type { Duplex } from 'node:stream';
import type { BoundAddress } from '@bloomery/ports';
import { type DialDeps, openSocket, type Spoken } from '@bloomery/siderolink';

/**
 * How the daemon connects to servers that a corporate proxy may stand before. Not for the node's own API and its peers, and nothing
 * on this host: those are dialled directly.
 */
export interface ProxyDialer extends DialDeps {
  /**
   * A connection that may be used at once, also as `createConnection` of a request of `node:http` and `node:https`; failures end it.
   * Proxies and authorities are those of this moment.
   */
  open(target: BoundAddress, spoken: Spoken): Duplex;
}

/** The one dialer of the daemon. */
export function createProxyDialer(deps: DialDeps): ProxyDialer {
  return { ...deps, open: (target, spoken) => openSocket(target, spoken, deps) };
}
