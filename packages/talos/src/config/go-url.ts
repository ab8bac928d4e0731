import { isIP } from 'node:net';

/** A URL as Go's net/url takes it apart. */
export interface GoUrl {
  /** Lower case; '' when there is none. */
  readonly scheme: string;
  /** With port and brackets. */
  readonly host: string;
  readonly path: string;
}

const MAX_CHARACTERS = 64 << 10;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are refused
const CONTROL = /[\u0000-\u001f\u007f]/;
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const USERINFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
/** ASCII characters that may not stand in a host. */
const BAD_HOST = /[\u0020#%/?@\\^`{|}]/;

/**
 * Read a URL as Go's `url.Parse` does (or `url.ParseRequestURI`, `forRequest`).
 *
 * @returns the parts, or what Go says is wrong.
 */
export function parseGoUrl(text: string, forRequest = false): GoUrl | { readonly problem: string } {
  const read = parse(text, forRequest);
  if (typeof read !== 'string') return read;
  return { problem: `parse ${JSON.stringify(text.slice(0, 200))}: ${read}` };
}

/** @returns the parts or the reason. */
function parse(text: string, forRequest: boolean): GoUrl | string {
  if (text.length > MAX_CHARACTERS) return 'too long';
  if (CONTROL.test(text)) return 'net/url: invalid control character in URL';
  if (text === '' && forRequest) return 'empty url';
  const [whole = '', fragment = ''] = forRequest ? [text] : cut(text, '#');
  if (BAD_ESCAPE.test(fragment)) return 'invalid URL escape';
  if (whole.startsWith(':')) return 'missing protocol scheme';
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(whole)?.[1] ?? '';
  const [rest = ''] = cut(scheme === '' ? whole : whole.slice(scheme.length + 1), '?');
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { scheme: scheme.toLowerCase(), host: '', path: '' };
    if (forRequest) return 'invalid URI for request';
    if (cut(rest, '/')[0]?.includes(':')) return 'first path segment in URL cannot contain colon';
  }
  return withAuthority(scheme.toLowerCase(), rest, forRequest);
}

function withAuthority(scheme: string, rest: string, forRequest: boolean): GoUrl | string {
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || (!forRequest && !rest.startsWith('///')));
  const slash = hasAuthority ? rest.indexOf('/', 2) : 0;
  const authority = hasAuthority ? rest.slice(2, slash < 0 ? undefined : slash) : '';
  const path = slash < 0 ? '' : rest.slice(slash);
  if (BAD_ESCAPE.test(path)) return 'invalid URL escape';
  const at = authority.lastIndexOf('@');
  if (at >= 0 && !USERINFO.test(authority.slice(0, at))) return 'net/url: invalid userinfo';
  const host = authority.slice(at + 1);
  const problem = hostProblem(scheme, host);
  return problem ?? { scheme, host, path };
}

function hostProblem(scheme: string, host: string): string | undefined {
  if (host.startsWith('[')) {
    const end = host.lastIndexOf(']');
    if (end < 0) return "missing ']' in host";
    if (!isPort(host.slice(end + 1))) return `invalid port ${JSON.stringify(host.slice(end + 1))} after host`;
    return isIP(host.slice(1, end).replace('%25', '%')) === 6 ? undefined : 'invalid host';
  }
  if (host.includes('[')) return 'invalid IP-literal';
  const first = host.indexOf(':');
  if (first >= 0) {
    const port = host.slice(scheme === 'http' || scheme === 'https' ? first : host.lastIndexOf(':'));
    if (!isPort(port)) return `invalid port ${JSON.stringify(port)} after host`;
  }
  if (BAD_ESCAPE.test(host) || /%[0-7]/.test(host)) return 'invalid URL escape';
  const bad = BAD_HOST.exec(host.replaceAll(/%[89a-fA-F][0-9a-fA-F]/g, ''))?.[0];
  return bad === undefined ? undefined : `invalid character ${JSON.stringify(bad)} in host name`;
}

/** '' or `:` and digits. */
const isPort = (text: string): boolean => /^(:\d*)?$/.test(text);

function cut(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** The host without port and brackets. */
export function goHostname({ host }: GoUrl): string {
  if (host.startsWith('[')) return host.slice(1, host.lastIndexOf(']'));
  return host.replace(/:\d*$/, '');
}

/** The port, '' when there is none. */
export const goPort = ({ host }: GoUrl): string => /:(\d*)$/.exec(host.slice(host.lastIndexOf(']') + 1))?.[1] ?? '';

const PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?:([^/?#]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

/** `patch` with the parts that it lacks taken from `base`, as fields of Go's URL merge. Texts are URLs. */
export function mergeGoUrls(base: string, patch: string): string {
  const old = PARTS.exec(base);
  const own = PARTS.exec(patch);
  if (old === null || own === null) return patch;
  const part = (at: number): string => (own[at] ?? '') || (old[at] ?? '');
  const [scheme = '', user = '', host = '', bare = '', query = '', fragment = ''] = [1, 2, 3, 4, 5, 6].map(part);
  const path = host !== '' && bare !== '' && !bare.startsWith('/') ? `/${bare}` : bare;
  // A text behind the scheme that is no path is opaque: it hides the rest.
  const opaque = [own, old].find((url) => {
    const rest = url[4] ?? '';
    return url[1] !== undefined && url[3] === undefined && rest !== '' && !rest.startsWith('/');
  });
  const authority = user !== '' || host !== '' || path !== '' ? `//${user === '' ? '' : `${user}@`}${host}` : '';
  const middle = opaque === undefined ? `${authority}${path}` : (opaque[4] ?? '');
  const head = scheme === '' ? (host === '' ? path : middle) : `${scheme}:${middle}`;
  return `${head}${query === '' ? '' : `?${query}`}${fragment === '' ? '' : `#${fragment}`}`;
}
