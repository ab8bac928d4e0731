import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '@bloomery/wire';

/** Families under the names of the resources. */
export type IpFamily = 'inet4' | 'inet6';

/** An address of the network, 4 or 16 bytes. */
export interface IpAddress {
  readonly family: IpFamily;
  readonly bytes: Uint8Array;
  /** Canonical: dotted, or RFC 5952. */
  readonly text: string;
}

/** An address with the length of its network. Bits behind the length are kept as written. */
export interface IpPrefix {
  readonly address: IpAddress;
  readonly bits: number;
  /** Canonical CIDR. */
  readonly text: string;
}

/** Read an address. Zones, leading zeros and anything else that means something on one host only are refused. */
export function parseIp(text: string): IpAddress | undefined {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return { family: 'inet4', bytes: v4, text };
  const v6 = parseIpv6(text);
  return v6 === undefined ? undefined : { family: 'inet6', bytes: v6, text: formatIpv6(v6) };
}

/** Read `address/length`. @returns undefined for any other text, also for an address alone */
export function parsePrefix(text: string): IpPrefix | undefined {
  const slash = text.lastIndexOf('/');
  if (slash < 0) return undefined;
  const address = parseIp(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const bits = Number(length);
  return bits > address.bytes.length * 8 ? undefined : prefixOf(address, bits);
}

/** Read `address/length`, or an address alone, which is then a network of its own (/32, /128). */
export function parseAddressOrPrefix(text: string): IpPrefix | undefined {
  if (text.includes('/')) return parsePrefix(text);
  const address = parseIp(text);
  return address === undefined ? undefined : prefixOf(address, address.bytes.length * 8);
}

/** An address with a length, 0 to 32 or 128. */
export function prefixOf(address: IpAddress, bits: number): IpPrefix {
  return { address, bits, text: `${address.text}/${bits}` };
}

/** The network of a prefix: every bit behind its length 0. */
export function maskedPrefix({ address: { family, bytes }, bits }: IpPrefix): IpPrefix {
  const masked = bytes.map((byte, i) => byte & maskByte(bits, i));
  const text = family === 'inet4' ? formatIpv4(masked) : formatIpv6(masked);
  return prefixOf({ family, bytes: masked, text }, bits);
}

/** Whether the address is of this network. An address of the other family never is. */
export function prefixContains({ address, bits }: IpPrefix, { family, bytes }: IpAddress): boolean {
  return (
    address.family === family && bytes.every((byte, i) => ((byte ^ (address.bytes[i] ?? 0)) & maskByte(bits, i)) === 0)
  );
}

/** Order of addresses: IPv4 first, then by their bytes. */
export function compareIps(a: IpAddress, b: IpAddress): number {
  if (a.family !== b.family) return a.family === 'inet4' ? -1 : 1;
  const at = a.bytes.findIndex((byte, i) => byte !== b.bytes[i]);
  return at < 0 ? 0 : (a.bytes[at] ?? 0) - (b.bytes[at] ?? 0);
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback({ family, bytes }: IpAddress): boolean {
  return family === 'inet4' ? bytes[0] === 127 : bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
}

/** 224.0.0.0/4 and ff00::/8. */
export function isMulticast({ family, bytes }: IpAddress): boolean {
  const [first = 0] = bytes;
  return family === 'inet4' ? first >> 4 === 0xe : first === 0xff;
}

/** 169.254.0.0/16 and fe80::/10. */
export function isLinkLocal({ family, bytes }: IpAddress): boolean {
  const [first = 0, second = 0] = bytes;
  return family === 'inet4' ? first === 169 && second === 254 : first === 0xfe && second >> 6 === 2;
}

/** 0.0.0.0 and ::. */
export function isUnspecified({ bytes }: IpAddress): boolean {
  return bytes.every((byte) => byte === 0);
}

function maskByte(bits: number, index: number): number {
  const left = bits - index * 8;
  if (left >= 8) return 0xff;
  return left <= 0 ? 0 : (0xff << (8 - left)) & 0xff;
}
