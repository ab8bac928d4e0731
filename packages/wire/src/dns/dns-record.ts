import { formatIpv4, parseIpv4 } from '../ipv4.ts';
import { formatIpv6, parseIpv6 } from '../ipv6.ts';
import { DNS_TYPE } from './dns-code.ts';
import { encodeDnsName, readDnsName, skipDnsName } from './dns-name.ts';

/** One record of a message; what is known of its data is shown as zone files write it. */
export interface DnsRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttlSeconds: number;
  /** An address, a name, `10 mail.example.com`, `"text"`, …; `\# 3 010203` (RFC 3597) for the rest. */
  readonly text: string;
}

/** Where the parts of one record are. */
export interface DnsRecordFrame {
  readonly type: number;
  readonly class: number;
  /** Of its name. */
  readonly start: number;
  readonly ttlAt: number;
  readonly ttlSeconds: number;
  readonly dataAt: number;
  /** After its data. */
  readonly end: number;
}

/** Frame of the record at `start`, whatever its type; undefined when it runs over the end. */
export function frameDnsRecord(message: Uint8Array, start: number): DnsRecordFrame | undefined {
  const at = skipDnsName(message, start);
  if (at < 0 || at + 10 > message.byteLength) return undefined;
  const end = at + 10 + uint16(message, at + 8);
  if (end > message.byteLength) return undefined;
  return {
    type: uint16(message, at),
    class: uint16(message, at + 2),
    start,
    ttlAt: at + 4,
    ttlSeconds: ttlOf(uint16(message, at + 4) * 0x10000 + uint16(message, at + 6)),
    dataAt: at + 10,
    end,
  };
}

/** The record of a frame; undefined when a name in it is broken. */
export function readDnsRecord(message: Uint8Array, frame: DnsRecordFrame): DnsRecord | undefined {
  const name = readDnsName(message, frame.start);
  if (name === undefined) return undefined;
  const { type, ttlSeconds } = frame;
  return { name: name.name, type, class: frame.class, ttlSeconds, text: dataText(message, frame) };
}

/** What an answer of ours is made of. */
export interface DnsAddressRecord {
  /** Where the name is that it belongs to: 12, the question, by a compression pointer. */
  readonly nameAt: number;
  /** IPv4 or IPv6. */
  readonly address: string;
  readonly ttlSeconds: number;
}

/** An A or AAAA record with its name as a pointer; undefined when `address` is none. */
export function encodeDnsAddressRecord({ nameAt, address, ttlSeconds }: DnsAddressRecord): Uint8Array | undefined {
  const v4 = parseIpv4(address);
  const data = v4 ?? parseIpv6(address);
  if (data === undefined) return undefined;
  return encodeAnswerRecord({ nameAt, type: v4 === undefined ? DNS_TYPE.AAAA : DNS_TYPE.A, ttlSeconds, data });
}

/** A PTR record with its name as a pointer to `nameAt`; undefined when `target` is no name. */
export function encodeDnsPointerRecord(record: {
  readonly nameAt: number;
  readonly target: string;
  readonly ttlSeconds: number;
}): Uint8Array | undefined {
  const data = encodeDnsName(record.target);
  return data && encodeAnswerRecord({ ...record, type: DNS_TYPE.PTR, data });
}

function encodeAnswerRecord(record: {
  readonly nameAt: number;
  readonly type: number;
  readonly ttlSeconds: number;
  readonly data: Uint8Array;
}): Uint8Array {
  const out = Buffer.alloc(12 + record.data.byteLength);
  out.writeUInt16BE(0xc000 | record.nameAt, 0);
  out.writeUInt16BE(record.type, 2);
  out.writeUInt16BE(1, 4);
  out.writeUInt32BE(record.ttlSeconds, 6);
  out.writeUInt16BE(record.data.byteLength, 10);
  out.set(record.data, 12);
  return out;
}

/** A record of any type with its name and data written out: for peers in tests. */
export function encodeDnsRecord(record: {
  readonly name: string;
  readonly type: number;
  readonly ttlSeconds: number;
  readonly data: Uint8Array;
}): Uint8Array | undefined {
  const name = encodeDnsName(record.name);
  if (name === undefined || record.data.byteLength > 0xffff) return undefined;
  const head = Buffer.alloc(10);
  head.writeUInt16BE(record.type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(record.ttlSeconds, 4);
  head.writeUInt16BE(record.data.byteLength, 8);
  return Buffer.concat([name, head, record.data]);
}

/** Data of an SOA record. */
export function encodeDnsSoa(soa: {
  readonly primary: string;
  readonly contact: string;
  readonly serial: number;
  readonly minimumSeconds: number;
}): Uint8Array | undefined {
  const primary = encodeDnsName(soa.primary);
  const contact = encodeDnsName(soa.contact);
  if (primary === undefined || contact === undefined) return undefined;
  const numbers = Buffer.alloc(20);
  [soa.serial, 3600, 600, 86_400, soa.minimumSeconds].forEach((value, i) => {
    numbers.writeUInt32BE(value, 4 * i);
  });
  return Buffer.concat([primary, contact, numbers]);
}

/** The last field of SOA data: how long an absence may be remembered (RFC 2308); undefined when the data is too short. */
export function dnsSoaMinimum(message: Uint8Array, frame: DnsRecordFrame): number | undefined {
  const at = frame.end - 4;
  if (frame.type !== DNS_TYPE.SOA || frame.end - frame.dataAt < 22) return undefined;
  return ttlOf(uint16(message, at) * 0x10000 + uint16(message, at + 2));
}

/** A time with the highest bit set counts as 0 (RFC 2181 section 8). */
function ttlOf(value: number): number {
  return value > 0x7fffffff ? 0 : value;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function dataText(message: Uint8Array, frame: DnsRecordFrame): string {
  return knownText(message, frame) ?? opaqueText(message.subarray(frame.dataAt, frame.end));
}

function knownText(message: Uint8Array, { type, dataAt, end }: DnsRecordFrame): string | undefined {
  const length = end - dataAt;
  if (type === DNS_TYPE.A) return length === 4 ? formatIpv4(message, dataAt) : undefined;
  if (type === DNS_TYPE.AAAA) return length === 16 ? formatIpv6(message.subarray(dataAt, end)) : undefined;
  if (type === DNS_TYPE.CNAME || type === DNS_TYPE.NS || type === DNS_TYPE.PTR || type === DNS_TYPE.DNAME)
    return nameText(message, dataAt, end);
  if (type === DNS_TYPE.MX) return numbersThenName(message, dataAt, end, 1);
  if (type === DNS_TYPE.SRV) return numbersThenName(message, dataAt, end, 3);
  if (type === DNS_TYPE.TXT) return stringsText(message, dataAt, end);
  if (type === DNS_TYPE.SOA) return soaText(message, dataAt, end);
  return undefined;
}

function nameText(message: Uint8Array, at: number, end: number): string | undefined {
  const name = readDnsName(message, at);
  return name === undefined || name.next !== end ? undefined : `${name.name}.`;
}

function numbersThenName(message: Uint8Array, at: number, end: number, count: number): string | undefined {
  const name = at + 2 * count < end ? nameText(message, at + 2 * count, end) : undefined;
  if (name === undefined) return undefined;
  const numbers = Array.from({ length: count }, (_, i) => uint16(message, at + 2 * i));
  return `${numbers.join(' ')} ${name}`;
}

function soaText(message: Uint8Array, at: number, end: number): string | undefined {
  const primary = readDnsName(message, at);
  const contact = primary && readDnsName(message, primary.next);
  if (primary === undefined || contact === undefined || contact.next + 20 !== end) return undefined;
  const view = new DataView(message.buffer, message.byteOffset + contact.next, 20);
  const numbers = Array.from({ length: 5 }, (_, i) => view.getUint32(4 * i));
  return `${primary.name}. ${contact.name}. ${numbers.join(' ')}`;
}

function stringsText(message: Uint8Array, start: number, end: number): string | undefined {
  const parts: string[] = [];
  for (let at = start; at < end; ) {
    const length = message[at] ?? 0;
    if (at + 1 + length > end) return undefined;
    parts.push(`"${quoted(message.subarray(at + 1, at + 1 + length))}"`);
    at += 1 + length;
  }
  return parts.join(' ');
}

function quoted(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${String(byte).padStart(3, '0')}`;
  }
  return text;
}

function opaqueText(data: Uint8Array): string {
  const hex = Buffer.from(data).toString('hex');
  return `\\# ${data.byteLength}${hex === '' ? '' : ` ${hex}`}`;
}
