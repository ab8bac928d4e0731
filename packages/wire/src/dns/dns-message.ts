import { frameDnsAnswer } from './dns-answer.ts';
import { DNS_FLAG } from './dns-code.ts';
import type { DnsEdns } from './dns-edns.ts';
import { readDnsName } from './dns-name.ts';
import { DNS_QUESTION_AT } from './dns-query.ts';
import { type DnsRecord, type DnsRecordFrame, readDnsRecord } from './dns-record.ts';

/** A response, decoded for people. */
export interface DnsMessage {
  readonly id: number;
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionAvailable: boolean;
  readonly authenticData: boolean;
  readonly question: { readonly name: string; readonly type: number; readonly class: number };
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  readonly edns?: DnsEdns;
}

/**
 * Decode a response with one question.
 *
 * @returns undefined when it is no such response or broken anywhere but inside the data of a record; that is shown as hex then.
 */
export function decodeDnsAnswer(message: Uint8Array): DnsMessage | undefined {
  const frame = frameDnsAnswer(message);
  const name = readDnsName(message, DNS_QUESTION_AT);
  if (frame === undefined || name === undefined) return undefined;
  const answers = readAll(message, frame.answers);
  const authorities = readAll(message, frame.authorities);
  const additionals = readAll(message, frame.additionals);
  if (answers === undefined || authorities === undefined || additionals === undefined) return undefined;
  const question = new DataView(message.buffer, message.byteOffset + name.next, 4);
  return {
    id: frame.id,
    rcode: frame.rcode,
    authoritative: (frame.flags & DNS_FLAG.AA) !== 0,
    truncated: (frame.flags & DNS_FLAG.TC) !== 0,
    recursionAvailable: (frame.flags & DNS_FLAG.RA) !== 0,
    authenticData: (frame.flags & DNS_FLAG.AD) !== 0,
    question: { name: name.name, type: question.getUint16(0), class: question.getUint16(2) },
    answers,
    authorities,
    additionals,
    ...(frame.edns === undefined ? {} : { edns: frame.edns }),
  };
}

function readAll(message: Uint8Array, frames: readonly DnsRecordFrame[]): readonly DnsRecord[] | undefined {
  const records: DnsRecord[] = [];
  for (const frame of frames) {
    const record = readDnsRecord(message, frame);
    if (record === undefined) return undefined;
    records.push(record);
  }
  return records;
}
