import { formatIpv4, parseIpv4 } from '../ipv4.ts';

/** A route of option 121. A `gateway` of 0.0.0.0 means on-link. */
export interface ClasslessRoute {
  /** CIDR, for example `10.0.0.0/8`. */
  readonly destination: string;
  readonly gateway: string;
}

const LIST_MAX = 64;

/** An option as text: UTF-8, without trailing NULs. */
export function readDhcpText(value: Uint8Array): string {
  let end = value.byteLength;
  while (end > 0 && value[end - 1] === 0) end -= 1;
  return Buffer.from(value.subarray(0, end)).toString('utf8');
}

/** Text as an option value, UTF-8 without a NUL. */
export function dhcpText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The unsigned number in 1, 2 or 4 bytes; undefined for other lengths. */
export function readDhcpNumber(value: Uint8Array): number | undefined {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (value.byteLength === 1) return view.getUint8(0);
  if (value.byteLength === 2) return view.getUint16(0);
  return value.byteLength === 4 ? view.getUint32(0) : undefined;
}

/** A list of 16-bit numbers (option 93); a trailing odd byte is ignored, at most 64 are read. */
export function readDhcpUint16s(value: Uint8Array): readonly number[] {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const count = Math.min(Math.floor(value.byteLength / 2), LIST_MAX);
  return Array.from({ length: count }, (_, i) => view.getUint16(2 * i));
}

/** A list of addresses (options 3, 6); trailing bytes are ignored, at most 64 are read. */
export function readDhcpAddresses(value: Uint8Array): readonly string[] {
  const count = Math.min(Math.floor(value.byteLength / 4), LIST_MAX);
  return Array.from({ length: count }, (_, i) => formatIpv4(value, 4 * i));
}

/** Addresses as an option value; text that is no IPv4 address is left out. */
export function dhcpAddresses(addresses: readonly string[]): Uint8Array {
  return Uint8Array.from(addresses.flatMap((address) => Array.from(parseIpv4(address) ?? [])));
}

/**
 * The user classes of option 77: RFC 3004 says length-prefixed texts, iPXE sends its name bare. Both are understood.
 */
export function readDhcpUserClasses(value: Uint8Array): readonly string[] {
  const found: string[] = [];
  let at = 0;
  while (at < value.byteLength) {
    const length = value[at] ?? 0;
    if (length === 0 || at + 1 + length > value.byteLength) return [readDhcpText(value)];
    found.push(readDhcpText(value.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  return found;
}

/**
 * The routes of option 121, at most 64; bits of a network that its mask does not cover are zero, whatever was sent. @see RFC 3442
 * @returns undefined when the value is malformed (the caller then uses the routers of option 3).
 */
export function readDhcpRoutes(value: Uint8Array): readonly ClasslessRoute[] | undefined {
  const routes: ClasslessRoute[] = [];
  let at = 0;
  while (at < value.byteLength && routes.length < LIST_MAX) {
    const width = value[at] ?? 0;
    const significant = Math.ceil(width / 8);
    if (width > 32 || at + 1 + significant + 4 > value.byteLength) return undefined;
    const network = new Uint8Array(4);
    network.set(value.subarray(at + 1, at + 1 + significant));
    const uncovered = 8 * significant - width;
    if (significant > 0) network[significant - 1] = ((network[significant - 1] ?? 0) >> uncovered) << uncovered;
    routes.push({ destination: `${formatIpv4(network)}/${width}`, gateway: formatIpv4(value, at + 1 + significant) });
    at += 1 + significant + 4;
  }
  return routes;
}
