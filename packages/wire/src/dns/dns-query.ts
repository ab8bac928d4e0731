import { DNS_CLASS_IN, DNS_FLAG, DNS_RCODE, DNS_TYPE } from './dns-code.ts';
import { type DnsEdns, encodeDnsEdns, readDnsEdns } from './dns-edns.ts';
import { encodeDnsName, readDnsName } from './dns-name.ts';
import { frameDnsRecord } from './dns-record.ts';

/** Where the question begins: after the header. */
export const DNS_QUESTION_AT = 12;

/** A question that a server can answer. */
export interface DnsQuery {
  readonly id: number;
  /** The second 16-bit word of the header. */
  readonly flags: number;
  /** As it was written, without the last dot. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** The question is the bytes from 12 to here. */
  readonly questionEnd: number;
  readonly edns?: DnsEdns;
}

/** What a server makes of a packet: a question, or the code to refuse it with. */
export type DnsQueryReading =
  | { readonly ok: true; readonly query: DnsQuery }
  | { readonly ok: false; readonly rcode: number };

/**
 * Read what a client sent.
 *
 * @returns undefined for what must be dropped without an answer: fewer than 12 bytes, or a response (QR=1).
 * Otherwise NOTIMP for an opcode other than QUERY; FORMERR for other than one question, records in the answer or authority
 * section, more than two additional records, a compressed name in the question (there is nothing before it), or rubbish.
 * @see RFC 1035 section 4.1, RFC 6891 section 6.1.1
 */
export function readDnsQuery(packet: Uint8Array): DnsQueryReading | undefined {
  if (packet.byteLength < DNS_QUESTION_AT) return undefined;
  const flags = uint16(packet, 2);
  if ((flags & DNS_FLAG.QR) !== 0) return undefined;
  if ((flags & 0x7800) !== 0) return { ok: false, rcode: DNS_RCODE.NOTIMP };
  const additional = uint16(packet, 10);
  if (uint16(packet, 4) !== 1 || uint16(packet, 6) !== 0 || uint16(packet, 8) !== 0 || additional > 2) return FORMERR;
  const name = readDnsName(packet, DNS_QUESTION_AT);
  if (name === undefined || name.next + 4 > packet.byteLength || isCompressed(packet)) return FORMERR;
  const questionEnd = name.next + 4;
  let edns: DnsEdns | undefined;
  let at = questionEnd;
  for (let i = 0; i < additional; i++) {
    const frame = frameDnsRecord(packet, at);
    if (frame === undefined) return FORMERR;
    at = frame.end;
    if (frame.type !== DNS_TYPE.OPT) continue;
    const found = readDnsEdns(packet, frame);
    if (found === undefined || edns !== undefined || packet[frame.start] !== 0) return FORMERR;
    edns = found;
  }
  return {
    ok: true,
    query: {
      id: uint16(packet, 0),
      flags,
      name: name.name,
      type: uint16(packet, name.next),
      class: uint16(packet, name.next + 2),
      questionEnd,
      ...(edns === undefined ? {} : { edns }),
    },
  };
}

/** Whether the name of the question, which can be read, has a pointer. */
function isCompressed(packet: Uint8Array): boolean {
  let at = DNS_QUESTION_AT;
  for (let length = packet[at] ?? 0; length !== 0; length = packet[at] ?? 0) {
    if (length > 63) return true;
    at += 1 + length;
  }
  return false;
}

const FORMERR: DnsQueryReading = { ok: false, rcode: DNS_RCODE.FORMERR };

/** What a client asks. */
export interface DnsQuestion {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  /** IN unless given. */
  readonly class?: number;
  /** Of the header besides RD, which is set: CD, AD. */
  readonly flags?: number;
  readonly edns?: Partial<DnsEdns>;
}

/** Encode a question; undefined when `name` cannot be one. */
export function encodeDnsQuery(question: DnsQuestion): Uint8Array | undefined {
  const name = encodeDnsName(question.name);
  if (name === undefined) return undefined;
  const head = Buffer.alloc(DNS_QUESTION_AT);
  head.writeUInt16BE(question.id, 0);
  head.writeUInt16BE(DNS_FLAG.RD | (question.flags ?? 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(question.edns === undefined ? 0 : 1, 10);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(question.type, 0);
  tail.writeUInt16BE(question.class ?? DNS_CLASS_IN, 2);
  const opt = question.edns === undefined ? [] : [encodeDnsEdns({ ...PLAIN_EDNS, ...question.edns })];
  return Buffer.concat([head, name, tail, ...opt]);
}

/** EDNS as we send it: 1232 bytes pass every path without fragments (DNS flag day 2020). */
export const PLAIN_EDNS: DnsEdns = {
  udpSizeBytes: 1232,
  extendedRcode: 0,
  version: 0,
  dnssecOk: false,
  options: [],
};

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
