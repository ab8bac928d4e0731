import { DNS_FLAG, DNS_TYPE, encodeDnsEdns, encodeDnsQuery, PLAIN_EDNS } from '@bloomery/wire';

/** What is asked of an upstream; the id is put in for each try. */
export interface UpstreamQuestion {
  /** Bytes of name, type and class as the client wrote them. */
  readonly question: Uint8Array;
  readonly checkingDisabled: boolean;
  readonly authenticData: boolean;
  readonly recursionDesired: boolean;
  /** Absent when the client knows no EDNS. */
  readonly edns?: { readonly dnssecOk: boolean };
  /** What the client used. */
  readonly transport: 'udp' | 'tcp';
}

/**
 * Is an upstream there? Without recursion every one answers this at once, if only to refuse: with it, one that has no way to the
 * root servers would seem dead.
 */
export const PROBE: UpstreamQuestion = {
  question: encodeDnsQuery({ id: 0, name: '', type: DNS_TYPE.NS })?.subarray(12) ?? new Uint8Array(),
  checkingDisabled: false,
  authenticData: false,
  recursionDesired: false,
  transport: 'udp',
};

/** The packet that asks it. Options of the client (cookies, its subnet) are between us and the client, and not passed on. */
export function encodeUpstreamQuestion(asked: UpstreamQuestion, id: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(
    (asked.recursionDesired ? DNS_FLAG.RD : 0) |
      (asked.checkingDisabled ? DNS_FLAG.CD : 0) |
      (asked.authenticData ? DNS_FLAG.AD : 0),
    2,
  );
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(asked.edns === undefined ? 0 : 1, 10);
  const opt = asked.edns === undefined ? [] : [encodeDnsEdns({ ...PLAIN_EDNS, dnssecOk: asked.edns.dnssecOk })];
  return Buffer.concat([head, asked.question, ...opt]);
}

/** Whether a response is to this question: names are equal in any case. */
export function answersQuestion(message: Uint8Array, question: Uint8Array): boolean {
  if (message.byteLength < 12 + question.byteLength || message[4] !== 0 || message[5] !== 1) return false;
  const nameEnd = question.byteLength - 4;
  for (let i = 0; i < question.byteLength; i++) {
    const [a = 0, b = 0] = [message[12 + i], question[i]];
    if (a !== b && (i >= nameEnd || lower(a) !== lower(b))) return false;
  }
  return true;
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}
