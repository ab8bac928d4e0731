import { type GrpcStatusName, grpcStatusOf } from '@bloomery/grpc';
import { errorText, isBloomeryError } from '@bloomery/ports';

const BY_STATUS: Partial<Record<GrpcStatusName, string>> = {
  NOT_FOUND: 'the server does not know this machine yet',
  PERMISSION_DENIED: 'check the join token, or have the unique token of this machine reset at the server',
  UNIMPLEMENTED: 'check that the address is that of a SideroLink API',
  UNAVAILABLE: 'check address, scheme, firewall and HTTPS_PROXY',
  DEADLINE_EXCEEDED: 'check address, scheme, firewall and HTTPS_PROXY',
};

/** Of what a server says, which may be anything. */
const TEXT_MAX = 500;
/** A token that is shorter is none, and is part of many words. */
const TOKEN_MIN = 6;

/** What an error says, without the tokens that a server may repeat in its answer. */
export function untold(error: unknown, tokens: readonly (string | undefined)[]): string {
  const secrets = tokens.filter((token) => token !== undefined && token.length >= TOKEN_MIN);
  return secrets
    .reduce<string>((text, token = '') => text.replaceAll(token, '***'), errorText(error))
    .slice(0, TEXT_MAX);
}

/**
 * What is wrong with joining, in words for people: what was tried, what happened, and what may help.
 *
 * @param text of the error, without secrets
 */
export function joinTrouble(host: string, error: unknown, text: string): string {
  const what = `joining the link of ${host === '' ? 'an API' : host}: ${text}`;
  const hint = isBloomeryError(error, 'BLM_LINK_DEVICE_FAILED')
    ? 'WireGuard of the kernel or wireguard-go, `ip` and root are needed'
    : isBloomeryError(error, 'BLM_GRPC_STATUS')
      ? BY_STATUS[grpcStatusOf(error)]
      : undefined;
  return `${what}; ${hint === undefined ? '' : `${hint}; `}it is tried again`;
}
