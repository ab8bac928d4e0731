import { BlockList, isIP } from 'node:net';
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '@bloomery/wire';

/** A network, of one of its addresses in CIDR form. */
export interface Network {
  readonly family: 2 | 10;
  readonly length: number;
  /** With the bits behind the length cleared. */
  readonly cidr: string;
  has(address: string): boolean;
}

/** @returns undefined for what is no CIDR. */
export function networkOf(text: string): Network | undefined {
  const [ip = '', bits = ''] = text.split('/');
  const bytes = parseIpv4(ip) ?? parseIpv6(ip);
  const length = Number(bits);
  if (bytes === undefined || !/^\d+$/.test(bits) || length > bytes.length * 8) return undefined;
  for (let bit = length; bit < bytes.length * 8; bit++) {
    const at = bit >> 3;
    bytes[at] = (bytes[at] ?? 0) & ~(0x80 >> (bit & 7));
  }
  const isV4 = bytes.length === 4;
  const base = isV4 ? formatIpv4(bytes) : formatIpv6(bytes);
  const type = isV4 ? 'ipv4' : 'ipv6';
  const block = new BlockList();
  block.addSubnet(base, length, type);
  return {
    family: isV4 ? 2 : 10,
    length,
    cidr: `${base}/${length}`,
    has: (address) => isIP(address) === (isV4 ? 4 : 6) && block.check(address, type),
  };
}
