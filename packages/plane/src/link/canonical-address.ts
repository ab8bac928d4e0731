import { isIP } from 'node:net';
import { formatIpv6, parseIpv6 } from '@bloomery/wire';

/**
 * The one text of an address: IPv4 in dotted form also where it came IPv6-mapped, IPv6 as RFC 5952 has it.
 *
 * @returns undefined for text that is no address, and for addresses with a zone, which mean something on one host only.
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIP(text) === 4) return text;
  const bytes = parseIpv6(text);
  if (bytes === undefined) return undefined;
  return isMapped(bytes) ? bytes.subarray(12).join('.') : formatIpv6(bytes);
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
}
