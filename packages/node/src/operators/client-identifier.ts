import type { OperatorSpec } from '../resources/index.ts';

type ClientIdentifier = OperatorSpec['dhcp4']['clientIdentifier'];

const ETHERNET = 1;
const DUID_BY_LINK = 3;
/** Of a DUID: a type of two bytes and at least one more, 130 at most (RFC 8415 section 11.1). */
const DUID_HEX = /^([0-9a-f]{2}){3,130}$/;

/**
 * Value of option 61 of DHCPv4: the type and address of the link, or a DUID as it is written. undefined: none is sent.
 *
 * @see RFC 2132 section 9.14
 */
export function dhcp4ClientId(
  { clientIdentifier, duidRawHex }: ClientIdentifier,
  link: LinkIdentity,
): Uint8Array | undefined {
  if (clientIdentifier === 'duid') return duid(duidRawHex);
  // Links without room for their address in the message are known by it alone (RFC 4390).
  return clientIdentifier === 'mac' || link.type !== ETHERNET ? linkBytes([link.type], link.hardwareAddr) : undefined;
}

/** The DUID of DHCPv6, which cannot be without: as it is written, else by the address of the link. @see RFC 8415 section 11.4 */
export function dhcp6ClientId({ clientIdentifier, duidRawHex }: ClientIdentifier, link: LinkIdentity): Uint8Array {
  const own = clientIdentifier === 'duid' ? duid(duidRawHex) : undefined;
  return own ?? linkBytes([0, DUID_BY_LINK, link.type >> 8, link.type & 0xff], link.hardwareAddr);
}

export interface LinkIdentity {
  /** ARPHRD. */
  readonly type: number;
  /** Lower case with colons. */
  readonly hardwareAddr: string;
}

function duid(hex: string): Uint8Array | undefined {
  const digits = hex.replaceAll(':', '').toLowerCase();
  return DUID_HEX.test(digits) ? Uint8Array.from(Buffer.from(digits, 'hex')) : undefined;
}

function linkBytes(head: readonly number[], hardwareAddr: string): Uint8Array {
  return Uint8Array.of(...head, ...Buffer.from(hardwareAddr.replaceAll(':', ''), 'hex'));
}
