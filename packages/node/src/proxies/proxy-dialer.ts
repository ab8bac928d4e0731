import { Agent, type ClientRequestArgs } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { BoundAddress } from '@bloomery/ports';
import { type DialDeps, openSocket, type Spoken } from '@bloomery/siderolink';

/**
 * How the daemon connects to servers that a corporate proxy may stand before. Not for the node's own API and its peers, and nothing
 * on this host: those are dialled directly.
 */
export interface ProxyDialer extends DialDeps {
  /** A connection that may be used at once; failures end it. Proxies and authorities are those of this moment. */
  open(target: BoundAddress, spoken: Spoken): Duplex;
  /** For requests of `node:http` and `node:https`: `request(url, { agent: dialer.agents[url.protocol] })`. No connection is kept. */
  readonly agents: { readonly 'http:': Agent; readonly 'https:': SecureAgent };
}

/** The one dialer of the daemon. */
export function createProxyDialer(deps: DialDeps): ProxyDialer {
  const open = (target: BoundAddress, spoken: Spoken): Duplex => openSocket(target, spoken, deps);
  const connect = (isTls: boolean) => (options: ClientRequestArgs) => {
    const host = (options.host ?? options.hostname ?? '').replace(/^\[(.*)\]$/, '$1');
    const port = Number(options.port ?? (isTls ? 443 : 80));
    return open({ host, port }, { isTls, ...(isTls ? { protocols: ['http/1.1'] } : {}) });
  };
  return {
    ...deps,
    open,
    agents: {
      'http:': Object.assign(new Agent({ keepAlive: false }), { createConnection: connect(false) }),
      'https:': Object.assign(new SecureAgent({ keepAlive: false }), { createConnection: connect(true) }),
    },
  };
}
