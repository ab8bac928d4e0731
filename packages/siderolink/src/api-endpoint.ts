import { BloomeryError } from '@bloomery/ports';

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
