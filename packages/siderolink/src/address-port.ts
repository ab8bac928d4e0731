import { parseIpv4, parseIpv6 } from '@bloomery/wire';

/** An address with a port; the address has 4 or 16 bytes. */
export interface AddressPort {
  readonly address: Uint8Array;
  readonly port: number;
}

/**
 * Read `IPv4:port` or `[IPv6]:port`. No names, and no zones: those mean something on one host only, until its next start.
 *
 * @returns undefined for any other text, also for one with a port above 65535.
 */
export function parseAddressPort(text: string): AddressPort | undefined {
  const found = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9.]{7,15})):(\d{1,5})$/.exec(text);
  if (found === null) return undefined;
  const [, v6, v4 = '', port] = found;
  const address = v6 === undefined ? parseIpv4(v4) : parseIpv6(v6);
  return address === undefined || Number(port) > 65_535 ? undefined : { address, port: Number(port) };
}
