import { isIP } from 'node:net';
import { goHostname, goPort, parseGoUrl } from '../config/go-url.ts';
import { quoted } from './section.ts';

/** Whether Go's net.ParseIP takes it: an address without a zone. */
export const isAddress = (text: string): boolean => !text.includes('%') && isIP(text) !== 0;

/** What net.ParseCIDR says of it. */
export function cidrProblem(text: string): string | undefined {
  const slash = text.indexOf('/');
  const bits = text.slice(slash + 1);
  const family = slash < 0 || text.slice(0, slash).includes('%') ? 0 : isIP(text.slice(0, slash));
  if (family !== 0 && /^\d{1,8}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)) return undefined;
  return `invalid CIDR address: ${text.slice(0, 200)}`;
}

/** What Talos says of an address with or without a prefix length. */
export function addressProblem(text: string): string | undefined {
  if (text.includes('/')) return cidrProblem(text);
  return isAddress(text) ? undefined : `failed to parse IP address ${quoted(text)}`;
}

/** Whether netip.ParsePrefix takes it: no zone, no leading zeros. */
export function isPrefix(text: string): boolean {
  const slash = text.lastIndexOf('/');
  return slash >= 0 && cidrProblem(text) === undefined && /^(0|[1-9]\d*)$/.test(text.slice(slash + 1));
}

/** Whether it is a prefix or an address; `!` in front turns a filter round. */
export function isSubnetOrAddress(text: string): boolean {
  const bare = text.startsWith('!') ? text.slice(1) : text;
  return isPrefix(bare) || isIP(bare) !== 0;
}

/** Whether it is `host:port`, with a v6 address in brackets. */
export function hasPort(text: string): boolean {
  const match = /^(?:\[([^[\]]*)\]|([^[\]:]*)):([^[\]:]*)$/.exec(text);
  if (match === null) return false;
  const bracketed = match[1] ?? '';
  return !bracketed.includes(':') || isIP(bracketed) === 6;
}

/** What Talos says of a URL of an endpoint or a manifest. */
export function endpointProblem(text: string): string | undefined {
  const url = parseGoUrl(text);
  if ('problem' in url) return url.problem;
  if (url.host.split(':').length > 3 && !url.host.includes('[')) {
    return 'IPv6 addresses MUST be enclosed by square brackets';
  }
  if (goHostname(url) === '') return 'hostname must not be blank';
  const port = goPort(url);
  return port === '' || (Number(port) >= 1 && Number(port) <= 65_535)
    ? undefined
    : 'port number must be between 1 and 65535';
}
