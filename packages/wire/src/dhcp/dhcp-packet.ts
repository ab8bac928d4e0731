import { BloomeryError } from '@bloomery/ports';
import { formatIpv4, parseIpv4 } from '../ipv4.ts';
import { DHCP_OPTION } from './dhcp-option.ts';

/** A DHCP message. Addresses are dotted quads, `0.0.0.0` for none. */
export interface DhcpPacket {
  /** 1 request, 2 reply. */
  readonly op: number;
  /** 1 Ethernet, 32 InfiniBand (with an empty chaddr). */
  readonly htype: number;
  readonly hops: number;
  readonly xid: number;
  readonly secs: number;
  /** 0x8000: the client wants its answer by broadcast. */
  readonly flags: number;
  readonly ciaddr: string;
  readonly yiaddr: string;
  readonly siaddr: string;
  readonly giaddr: string;
  /** 0 to 16 bytes. */
  readonly chaddr: Uint8Array;
  /** Server name; empty when the field carries options. At most 63 bytes of Latin-1. */
  readonly sname: string;
  /** Boot file; empty when the field carries options. At most 127 bytes of Latin-1. */
  readonly file: string;
  /** By code, in the order of first appearance; repeated options are joined (RFC 3396). Pad, end and overload are not listed. */
  readonly options: ReadonlyMap<number, Uint8Array>;
}

/** Size limits of an encoded message, in bytes. */
export interface DhcpSize {
  /** Padded with zeros to this size; 300 unless given, as old ROMs drop shorter messages. */
  readonly minBytes?: number;
  /** 1500 unless given. */
  readonly maxBytes?: number;
}

const COOKIE = 0x63825363;
const CHADDR_AT = 28;
const SNAME_AT = 44;
const SNAME_BYTES = 64;
const FILE_AT = 108;
const FILE_BYTES = 128;
const COOKIE_AT = 236;
const OPTIONS_AT = 240;
const PACKET_MAX_BYTES = 65_535;
const OPTION_PAD = 0;
const OPTION_END = 255;

/**
 * Decode one DHCP message; plain BOOTP without the magic cookie is refused.
 *
 * @param packet UDP payload, 240..65535 bytes. Not retained.
 * @throws BloomeryError BLM_WIRE_TRUNCATED when it is short or an option runs over its field, BLM_WIRE_MALFORMED for a wrong
 * cookie or hardware address length. The caller drops such a packet.
 * @see RFC 2131 section 2, RFC 2132, RFC 3396
 */
export function decodeDhcp(packet: Uint8Array): DhcpPacket {
  const bytes = packet.slice(0, PACKET_MAX_BYTES);
  if (bytes.byteLength < OPTIONS_AT) throw truncated(`DHCP message of ${bytes.byteLength} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(COOKIE_AT) !== COOKIE) throw malformed('DHCP message without the magic cookie');
  const hlen = view.getUint8(2);
  if (hlen > 16) throw malformed(`DHCP hardware address of ${hlen} bytes`);
  const options = new Map<number, Uint8Array[]>();
  readOptions(bytes.subarray(OPTIONS_AT), options);
  const overload = options.get(DHCP_OPTION.OVERLOAD)?.[0]?.[0] ?? 0;
  options.delete(DHCP_OPTION.OVERLOAD);
  const file = bytes.subarray(FILE_AT, FILE_AT + FILE_BYTES);
  const sname = bytes.subarray(SNAME_AT, SNAME_AT + SNAME_BYTES);
  if ((overload & 1) !== 0) readOptions(file, options);
  if ((overload & 2) !== 0) readOptions(sname, options);
  options.delete(DHCP_OPTION.OVERLOAD);
  return {
    op: view.getUint8(0),
    htype: view.getUint8(1),
    hops: view.getUint8(3),
    xid: view.getUint32(4),
    secs: view.getUint16(8),
    flags: view.getUint16(10),
    ciaddr: formatIpv4(bytes, 12),
    yiaddr: formatIpv4(bytes, 16),
    siaddr: formatIpv4(bytes, 20),
    giaddr: formatIpv4(bytes, 24),
    chaddr: bytes.subarray(CHADDR_AT, CHADDR_AT + hlen),
    sname: (overload & 2) !== 0 ? '' : textOf(sname),
    file: (overload & 1) !== 0 ? '' : textOf(file),
    options: new Map(
      [...options].map(([code, parts]) => [code, parts.length === 1 ? (parts[0] ?? EMPTY) : join(parts)]),
    ),
  };
}

/**
 * Encode a DHCP message. Options keep their order; option 53 is best given first. Long ones are split (RFC 3396).
 *
 * @throws BloomeryError BLM_WIRE_MALFORMED when a field is too long or the message exceeds `maxBytes`.
 */
export function encodeDhcp(packet: DhcpPacket, { minBytes = 300, maxBytes = 1500 }: DhcpSize = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = OPTIONS_AT + 1;
  for (const [code, value] of packet.options) {
    for (let at = 0; at === 0 || at < value.byteLength; at += 255) {
      const part = value.subarray(at, at + 255);
      parts.push(Uint8Array.of(code, part.byteLength), part);
      length += 2 + part.byteLength;
    }
  }
  if (length > maxBytes) throw malformed(`DHCP message of ${length} bytes, at most ${maxBytes} allowed`);
  const out = Buffer.alloc(Math.max(length, Math.min(minBytes, maxBytes)));
  out.set([packet.op, packet.htype, packet.chaddr.byteLength, packet.hops]);
  out.writeUInt32BE(packet.xid >>> 0, 4);
  out.writeUInt16BE(packet.secs & 0xffff, 8);
  out.writeUInt16BE(packet.flags & 0xffff, 10);
  [packet.ciaddr, packet.yiaddr, packet.siaddr, packet.giaddr].forEach((address, i) => {
    out.set(requireIpv4(address), 12 + 4 * i);
  });
  writeField(out, packet.chaddr, CHADDR_AT, 16);
  writeField(out, Buffer.from(packet.sname, 'latin1'), SNAME_AT, SNAME_BYTES - 1);
  writeField(out, Buffer.from(packet.file, 'latin1'), FILE_AT, FILE_BYTES - 1);
  out.writeUInt32BE(COOKIE, COOKIE_AT);
  let at = OPTIONS_AT;
  for (const part of parts) {
    out.set(part, at);
    at += part.byteLength;
  }
  out[at] = OPTION_END;
  return out;
}

const EMPTY = new Uint8Array();

function readOptions(field: Uint8Array, into: Map<number, Uint8Array[]>): void {
  let at = 0;
  while (at < field.byteLength) {
    const code = field[at] ?? OPTION_END;
    if (code === OPTION_END) return;
    if (code === OPTION_PAD) {
      at += 1;
      continue;
    }
    const length = field[at + 1];
    if (length === undefined || at + 2 + length > field.byteLength) throw truncated(`DHCP option ${code}`);
    const value = field.subarray(at + 2, at + 2 + length);
    const parts = into.get(code);
    if (parts === undefined) into.set(code, [value]);
    else parts.push(value);
    at += 2 + length;
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function textOf(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('latin1');
}

function writeField(out: Buffer, value: Uint8Array, at: number, maxBytes: number): void {
  if (value.byteLength > maxBytes)
    throw malformed(`DHCP header field of ${value.byteLength} bytes, at most ${maxBytes}`);
  out.set(value, at);
}

function requireIpv4(address: string): Uint8Array {
  const bytes = parseIpv4(address);
  if (bytes === undefined) throw malformed(`"${address}" is not an IPv4 address`);
  return bytes;
}

function truncated(what: string): BloomeryError {
  return new BloomeryError('BLM_WIRE_TRUNCATED', `${what} ends too early`);
}

function malformed(message: string): BloomeryError {
  return new BloomeryError('BLM_WIRE_MALFORMED', message);
}
