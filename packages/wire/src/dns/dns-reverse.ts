import { parseIpv4 } from '../ipv4.ts';
import { parseIpv6 } from '../ipv6.ts';

/**
 * The name whose PTR record tells who has an address: `1.2.0.192.in-addr.arpa`, in lower case without the last dot.
 *
 * @returns undefined when `address` is none.
 * @see RFC 1035 section 3.5, RFC 3596 section 2.5
 */
export function dnsReverseName(address: string): string | undefined {
  const v4 = parseIpv4(address);
  if (v4 !== undefined) return `${[...v4].reverse().join('.')}.in-addr.arpa`;
  const v6 = parseIpv6(address);
  return v6 && `${[...Buffer.from(v6).toString('hex')].reverse().join('.')}.ip6.arpa`;
}
