import { BloomeryError, type BoundAddress, hostPort } from '@bloomery/ports';

/** Where and how a machine calls the provision API. */
export interface ApiEndpoint {
  /** `host:port`, IPv6 in brackets. */
  readonly host: string;
  /** Plain text instead of TLS. */
  readonly insecure: boolean;
  /** Empty: none. */
  readonly joinToken: string;
  readonly tunnel: boolean;
}

/**
 * Read the text of `siderolink.api` or of a SideroLinkConfig's `apiUrl`.
 *
 * @throws BloomeryError BLM_LINK_API_URL_INVALID when it is not an address.
 * @see spec/siderolink.md section 11
 */
export function parseApiEndpoint(text: string): ApiEndpoint {
  const withScheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//.test(text) ? text : `grpc://${text}`;
  const found = /^([^:]+):\/\/([^/?#]+)([^?#]*)(?:\?([^#]*))?/.exec(withScheme);
  const authority = (found?.[2] ?? '').split('@').at(-1) ?? '';
  if (found === null || !isHostPort(authority)) {
    throw new BloomeryError(
      'BLM_LINK_API_URL_INVALID',
      `reading the SideroLink API address ${quoted(text)}: it has no host`,
    );
  }
  const scheme = (found[1] ?? '').toLowerCase();
  const query = new URLSearchParams(found[4] ?? '');
  const tunnel = query.get('grpc_tunnel');
  return {
    host: scheme === 'https' && !hasPort(authority) ? `${authority}:443` : authority,
    insecure: scheme === 'grpc',
    joinToken: query.get('jointoken') ?? '',
    tunnel: tunnel === 'true' || tunnel === 'y',
  };
}

/** What a machine is told about the provision API. */
export interface LinkApi {
  readonly endpoint: BoundAddress;
  /** The port speaks TLS. */
  readonly tls: boolean;
  /** Absent or empty: none. Makes the text a secret. */
  readonly joinToken?: string;
  /** The machine shall send WireGuard through gRPC. */
  readonly tunnel: boolean;
}

/**
 * The text for kernel argument `siderolink.api` or for `apiUrl` of a SideroLinkConfig; parseApiEndpoint reads it back.
 * Without TLS, token and tunnel it is exactly Sidero's: `host:port` as argument, `grpc://host:port` in the document.
 */
export function linkApiText({ endpoint, tls, joinToken = '', tunnel }: LinkApi, form: 'argument' | 'document'): string {
  const at = hostPort(endpoint);
  const query = [
    ...(joinToken === '' ? [] : [`jointoken=${encodeURIComponent(joinToken)}`]),
    ...(tunnel ? ['grpc_tunnel=true'] : []),
  ].join('&');
  if (form === 'argument' && !tls && query === '') return at;
  return `${tls ? 'https' : 'grpc'}://${at}${query === '' ? '' : `?${query}`}`;
}

function hasPort(authority: string): boolean {
  return /:\d+$/.test(authority);
}

function isHostPort(authority: string): boolean {
  return /^(\[[0-9a-fA-F:.]+(%[^\]]+)?\]|[^:[\]\s]+)(:\d{1,5})?$/.test(authority);
}

/** The text for a message, without its query: that may hold a token. */
function quoted(text: string): string {
  return JSON.stringify(text.split('?')[0]?.slice(0, 200));
}
