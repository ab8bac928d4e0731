import type { ObjectCache } from '@bloomery/kube';
import { ANNOTATIONS, server } from '@bloomery/model';
import type { LinkApiOf } from '../../boot/index.ts';
import type { JoinTokens } from '../tokens/join-tokens.ts';
import { isTunnelled, type TunnelPolicy } from './tunnel-policy.ts';

/** What decides how machines call the API of the link. */
export interface LinkApiDeps {
  /** The machine port has a certificate. */
  readonly tls: boolean;
  readonly tunnelPolicy: TunnelPolicy;
  /** Must hold Servers. */
  readonly cache: ObjectCache;
  readonly tokens: Pick<JoinTokens, 'machineToken' | 'required'>;
}

/**
 * How each machine calls the API of the link: for boot scripts and configurations. Answers from memory. Machines get a token
 * of their own where tokens are required, and where their UUID does not say which Server they are.
 */
export function createLinkApiOf({ tls, tunnelPolicy, cache, tokens }: LinkApiDeps): LinkApiOf {
  return (name) => {
    const found = cache.get(server, { name });
    const isDerived = found?.metadata.annotations?.[ANNOTATIONS.reportedUuid] !== undefined;
    const joinToken = tokens.required || isDerived ? tokens.machineToken(name) : undefined;
    const tunnel = isTunnelled(tunnelPolicy, found, false);
    return { tls, tunnel, ...(joinToken === undefined ? {} : { joinToken }) };
  };
}
