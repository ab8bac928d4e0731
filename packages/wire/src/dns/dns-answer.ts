import { DNS_FLAG, DNS_TYPE } from './dns-code.ts';
import { type DnsEdns, readDnsEdns } from './dns-edns.ts';
import { skipDnsName } from './dns-name.ts';
import { DNS_QUESTION_AT } from './dns-query.ts';
import { type DnsRecordFrame, dnsSoaMinimum, frameDnsRecord } from './dns-record.ts';

/** A response with one question, as a forwarder needs it: where everything is, but nothing decoded. */
export interface DnsAnswerFrame {
  readonly id: number;
  readonly flags: number;
  /** With its upper bits from EDNS. */
  readonly rcode: number;
  /** The question is the bytes from 12 to here. */
  readonly questionEnd: number;
  readonly answers: readonly DnsRecordFrame[];
  readonly authorities: readonly DnsRecordFrame[];
  /** Without the OPT record and what follows it. */
  readonly additionals: readonly DnsRecordFrame[];
  readonly edns?: DnsEdns;
  /** After the last of the records above. */
  readonly end: number;
}

/** Even 64 KiB of the smallest records have fewer. */
const RECORDS_MAX = 6_000;

/**
 * Read the frame of a response.
 *
 * @returns undefined when it is no response, has not exactly one question, or a record runs over the end. The data of records is
 * not looked at.
 */
export function frameDnsAnswer(message: Uint8Array): DnsAnswerFrame | undefined {
  if (message.byteLength < DNS_QUESTION_AT) return undefined;
  const flags = uint16(message, 2);
  const nameEnd = skipDnsName(message, DNS_QUESTION_AT);
  if ((flags & DNS_FLAG.QR) === 0 || uint16(message, 4) !== 1) return undefined;
  if (nameEnd < 0 || nameEnd + 4 > message.byteLength) return undefined;
  const answers = readSection(message, nameEnd + 4, uint16(message, 6));
  const authorities = answers && readSection(message, answers.end, uint16(message, 8));
  const all = authorities && readSection(message, authorities.end, uint16(message, 10));
  if (answers === undefined || authorities === undefined || all === undefined) return undefined;
  const optIndex = all.records.findIndex((record) => record.type === DNS_TYPE.OPT);
  const opt = all.records[optIndex];
  const edns = opt && readDnsEdns(message, opt);
  const additionals = optIndex < 0 ? all.records : all.records.slice(0, optIndex);
  return {
    id: uint16(message, 0),
    flags,
    rcode: ((edns?.extendedRcode ?? 0) << 4) | (flags & 15),
    questionEnd: nameEnd + 4,
    answers: answers.records,
    authorities: authorities.records,
    additionals,
    ...(edns === undefined ? {} : { edns }),
    end: additionals.at(-1)?.end ?? authorities.end,
  };
}

/**
 * The shortest time to live of a response in seconds; for NXDOMAIN and empty answers also the minimum of the SOA record.
 * @returns undefined when it has no record.
 */
export function dnsAnswerTtl(message: Uint8Array, frame: DnsAnswerFrame): number | undefined {
  let shortest: number | undefined;
  for (const record of [...frame.answers, ...frame.authorities, ...frame.additionals]) {
    const minimum = frame.answers.length === 0 ? dnsSoaMinimum(message, record) : undefined;
    shortest = Math.min(shortest ?? record.ttlSeconds, record.ttlSeconds, minimum ?? record.ttlSeconds);
  }
  return shortest;
}

/** Make the header and question of an empty response to the query in `packet`, which has at least 12 bytes. */
export function emptyDnsAnswer(
  packet: Uint8Array,
  { rcode, questionEnd }: { rcode: number; questionEnd?: number },
): Buffer {
  const out = Buffer.alloc(questionEnd ?? DNS_QUESTION_AT);
  out.set(packet.subarray(0, out.byteLength));
  const kept = uint16(packet, 2) & (0x7800 | DNS_FLAG.RD | DNS_FLAG.CD);
  out.writeUInt16BE(DNS_FLAG.QR | DNS_FLAG.RA | kept | (rcode & 15), 2);
  out.writeUInt16BE(questionEnd === undefined ? 0 : 1, 4);
  out.writeUInt16BE(0, 6);
  out.writeUInt16BE(0, 8);
  out.writeUInt16BE(0, 10);
  return out;
}

/**
 * A response without OPT record that has at most `limitBytes`: whole records are left out from the end. TC is set when one of the
 * answer or authority section is missing.
 */
export function fitDnsAnswer(message: Uint8Array, frame: DnsAnswerFrame, limitBytes: number): Buffer {
  const { answers, authorities, additionals } = frame;
  const fits = (record: DnsRecordFrame): boolean => record.end <= limitBytes;
  const counts = [answers, authorities, additionals].map((section) => section.filter(fits).length);
  const [answerCount = 0, authorityCount = 0, additionalCount = 0] = counts;
  const last = [...answers, ...authorities, ...additionals][answerCount + authorityCount + additionalCount - 1];
  const out = Buffer.from(message.subarray(0, last?.end ?? frame.questionEnd));
  const cut = answerCount < answers.length || authorityCount < authorities.length;
  out.writeUInt16BE(cut ? uint16(out, 2) | DNS_FLAG.TC : uint16(out, 2), 2);
  counts.forEach((count, i) => {
    out.writeUInt16BE(count, 6 + 2 * i);
  });
  return out;
}

function readSection(
  message: Uint8Array,
  start: number,
  count: number,
): { readonly records: readonly DnsRecordFrame[]; readonly end: number } | undefined {
  if (count > RECORDS_MAX) return undefined;
  const records: DnsRecordFrame[] = [];
  let end = start;
  for (let i = 0; i < count; i++) {
    const record = frameDnsRecord(message, end);
    if (record === undefined) return undefined;
    records.push(record);
    end = record.end;
  }
  return { records, end };
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
