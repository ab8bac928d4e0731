import { BloomeryError } from '@bloomery/ports';
import { formatIpv6, parseIpv6 } from '../ipv6.ts';

/** Types of messages between clients and servers. @see RFC 8415 section 7.3 */
export const DHCP6_MESSAGE = {
  SOLICIT: 1,
  ADVERTISE: 2,
  REQUEST: 3,
  CONFIRM: 4,
  RENEW: 5,
  REBIND: 6,
  REPLY: 7,
  RELEASE: 8,
  DECLINE: 9,
} as const;

/** Option codes that this project reads or writes. @see RFC 8415 section 21, RFC 3646, RFC 4075, RFC 4704, RFC 5908 */
export const DHCP6_OPTION = {
  CLIENT_ID: 1,
  SERVER_ID: 2,
  IA_NA: 3,
  IA_ADDRESS: 5,
  OPTION_REQUEST: 6,
  PREFERENCE: 7,
  ELAPSED_TIME: 8,
  STATUS_CODE: 13,
  RAPID_COMMIT: 14,
  DNS: 23,
  DOMAIN_SEARCH: 24,
  SNTP_SERVERS: 31,
  CLIENT_FQDN: 39,
  NTP_SERVERS: 56,
} as const;

/** Values of a status code. @see RFC 8415 section 21.13 */
export const DHCP6_STATUS = { SUCCESS: 0, FAILURE: 1, NO_ADDRESSES: 2, NO_BINDING: 3, NOT_ON_LINK: 4 } as const;

/** An option as it stands in a message; codes may repeat. */
export interface Dhcp6Option {
  readonly code: number;
  readonly value: Uint8Array;
}

/** A message between a client and a server. */
export interface Dhcp6Message {
  readonly type: number;
  /** 24 bits. */
  readonly xid: number;
  /** In order. */
  readonly options: readonly Dhcp6Option[];
}

const HEAD_BYTES = 4;
const OPTION_HEAD_BYTES = 4;
/** Options that are read of one message or one option. */
const OPTIONS_MAX = 256;
const RELAY_FORWARD = 12;
const RELAY_REPLY = 13;

/**
 * Decode one message of DHCPv6. What relays say to each other is refused.
 *
 * @param packet UDP payload, from 4 bytes. Not retained.
 * @throws BloomeryError BLM_WIRE_TRUNCATED when it is short or an option runs over its end, BLM_WIRE_MALFORMED for relay messages or
 * more than 256 options. The caller drops such a packet.
 * @see RFC 8415 section 8
 */
export function decodeDhcp6(packet: Uint8Array): Dhcp6Message {
  const [type, high, middle, low] = packet;
  if (type === undefined || high === undefined || middle === undefined || low === undefined) {
    throw truncated(`DHCPv6 message of ${packet.byteLength} bytes`);
  }
  if (type === RELAY_FORWARD || type === RELAY_REPLY) {
    throw new BloomeryError('BLM_WIRE_MALFORMED', `DHCPv6 message of type ${type} is for relays`);
  }
  return { type, xid: (high << 16) | (middle << 8) | low, options: readDhcp6Options(packet.slice(HEAD_BYTES)) };
}

/** Encode a message. @throws BloomeryError BLM_WIRE_MALFORMED when an option exceeds 65535 bytes */
export function encodeDhcp6({ type, xid, options }: Dhcp6Message): Uint8Array {
  const head = Uint8Array.of(type, (xid >> 16) & 0xff, (xid >> 8) & 0xff, xid & 0xff);
  return concat([head, dhcp6Options(options)]);
}

/** Options one behind the other: of a message, or inside of an option. @throws BloomeryError as `decodeDhcp6` */
export function readDhcp6Options(bytes: Uint8Array): readonly Dhcp6Option[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const options: Dhcp6Option[] = [];
  let at = 0;
  while (at < bytes.byteLength) {
    if (at + OPTION_HEAD_BYTES > bytes.byteLength) throw truncated('DHCPv6 option head');
    const code = view.getUint16(at);
    const length = view.getUint16(at + 2);
    at += OPTION_HEAD_BYTES;
    if (at + length > bytes.byteLength) throw truncated(`DHCPv6 option ${code}`);
    if (options.length === OPTIONS_MAX) throw new BloomeryError('BLM_WIRE_MALFORMED', 'too many DHCPv6 options');
    options.push({ code, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return options;
}

/** Options as bytes. @throws BloomeryError BLM_WIRE_MALFORMED when one exceeds 65535 bytes */
export function dhcp6Options(options: readonly Dhcp6Option[]): Uint8Array {
  return concat(
    options.flatMap(({ code, value }) => {
      const { byteLength } = value;
      if (byteLength > 0xffff) throw new BloomeryError('BLM_WIRE_MALFORMED', `DHCPv6 option ${code} is too long`);
      return [Uint8Array.of(code >> 8, code & 0xff, byteLength >> 8, byteLength & 0xff), value];
    }),
  );
}

/** An identity association with what is leased to it. */
export interface Dhcp6Association {
  readonly iaid: number;
  /** After which the client may renew and rebind; 0: it decides. */
  readonly renewSeconds: number;
  readonly rebindSeconds: number;
  readonly addresses: readonly Dhcp6Address[];
  readonly status: number;
}

export interface Dhcp6Address {
  /** Canonical text. */
  readonly address: string;
  readonly preferredSeconds: number;
  /** 4294967295: for ever. 0: no longer. */
  readonly validSeconds: number;
}

const IA_HEAD_BYTES = 12;
const IA_ADDRESS_HEAD_BYTES = 24;

/**
 * Read an option IA_NA.
 *
 * @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED: the caller drops the message.
 * @see RFC 8415 sections 21.4 and 21.6
 */
export function readDhcp6Association(value: Uint8Array): Dhcp6Association {
  if (value.byteLength < IA_HEAD_BYTES) throw truncated(`DHCPv6 IA_NA of ${value.byteLength} bytes`);
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const options = readDhcp6Options(value.subarray(IA_HEAD_BYTES));
  return {
    iaid: view.getUint32(0),
    renewSeconds: view.getUint32(4),
    rebindSeconds: view.getUint32(8),
    addresses: options
      .filter(({ code }) => code === DHCP6_OPTION.IA_ADDRESS)
      .flatMap(({ value }) => readAddress(value)),
    status: readDhcp6Status(options),
  };
}

/** An option IA_NA with addresses, for what a client asks and a test server answers. */
export function dhcp6Association({
  iaid,
  renewSeconds,
  rebindSeconds,
  addresses,
  status,
}: Dhcp6Association): Dhcp6Option {
  const head = Buffer.alloc(IA_HEAD_BYTES);
  head.writeUInt32BE(iaid, 0);
  head.writeUInt32BE(renewSeconds, 4);
  head.writeUInt32BE(rebindSeconds, 8);
  const options = addresses.map(({ address, preferredSeconds, validSeconds }) => {
    const value = Buffer.alloc(IA_ADDRESS_HEAD_BYTES);
    value.set(parseIpv6(address) ?? new Uint8Array(16));
    value.writeUInt32BE(preferredSeconds, 16);
    value.writeUInt32BE(validSeconds, 20);
    return { code: DHCP6_OPTION.IA_ADDRESS, value };
  });
  const failed =
    status === 0 ? [] : [{ code: DHCP6_OPTION.STATUS_CODE, value: Uint8Array.of(status >> 8, status & 0xff) }];
  return { code: DHCP6_OPTION.IA_NA, value: concat([head, dhcp6Options([...options, ...failed])]) };
}

/** The status among options; success where none is given. */
export function readDhcp6Status(options: readonly Dhcp6Option[]): number {
  const value = options.find(({ code }) => code === DHCP6_OPTION.STATUS_CODE)?.value;
  return value === undefined || value.byteLength < 2 ? DHCP6_STATUS.SUCCESS : ((value[0] ?? 0) << 8) | (value[1] ?? 0);
}

const ADDRESSES_MAX = 64;

/** A list of addresses (options 23, 31); trailing bytes are ignored, at most 64 are read. */
export function readDhcp6Addresses(value: Uint8Array): readonly string[] {
  const count = Math.min(Math.floor(value.byteLength / 16), ADDRESSES_MAX);
  return Array.from({ length: count }, (_, i) => formatIpv6(value.subarray(16 * i, 16 * i + 16)));
}

/** An address that is refused by its own status is left out. */
function readAddress(value: Uint8Array): readonly Dhcp6Address[] {
  if (value.byteLength < IA_ADDRESS_HEAD_BYTES) throw truncated(`DHCPv6 address of ${value.byteLength} bytes`);
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (readDhcp6Status(readDhcp6Options(value.subarray(IA_ADDRESS_HEAD_BYTES))) !== DHCP6_STATUS.SUCCESS) return [];
  const address = formatIpv6(value.subarray(0, 16));
  return [{ address, preferredSeconds: view.getUint32(16), validSeconds: view.getUint32(20) }];
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function truncated(what: string): BloomeryError {
  return new BloomeryError('BLM_WIRE_TRUNCATED', `${what} ends too early`);
}
