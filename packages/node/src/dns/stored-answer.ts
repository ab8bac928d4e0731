import { DNS_FLAG, DNS_RCODE, DNS_TYPE, type DnsAnswerFrame, dnsAnswerTtl, frameDnsAnswer } from '@bloomery/wire';

/** What of a question besides name, type and class makes its answer another one. */
export const KEY_FLAG = { DNSSEC_OK: 1, CHECKING_DISABLED: 2 } as const;

/** An answer as it is remembered and sent. */
export interface StoredAnswer {
  /** The message without OPT record, its question in lower case, then `ttlCount` offsets of times to live, 16 bit each. */
  readonly data: Uint8Array;
  readonly messageBytes: number;
  readonly ttlCount: number;
  /** The question is the bytes of the message from 12 to here. */
  readonly questionEnd: number;
  /** Of KEY_FLAG. */
  readonly keyFlags: number;
  readonly lifeMs: number;
  /** NXDOMAIN, or no record of this type. */
  readonly negative: boolean;
}

const POSITIVE_SECONDS = { min: 5, max: 3_600 } as const;
const NEGATIVE_SECONDS = { min: 5, max: 10 } as const;
const QUESTION_AT = 12;

/**
 * The life of an answer in the cache, in seconds; undefined when it must not be remembered: TC, other codes than NOERROR and
 * NXDOMAIN, absence without an SOA record (RFC 2308 section 5), answers to AXFR and IXFR.
 */
export function answerLife(
  message: Uint8Array,
  frame: DnsAnswerFrame,
): { readonly seconds: number; readonly negative: boolean } | undefined {
  const type = ((message[frame.questionEnd - 4] ?? 0) << 8) | (message[frame.questionEnd - 3] ?? 0);
  if ((frame.flags & DNS_FLAG.TC) !== 0 || type === DNS_TYPE.AXFR || type === DNS_TYPE.IXFR) return undefined;
  if (frame.rcode !== DNS_RCODE.NOERROR && frame.rcode !== DNS_RCODE.NXDOMAIN) return undefined;
  const negative = frame.rcode === DNS_RCODE.NXDOMAIN || frame.answers.length === 0;
  if (negative && !frame.authorities.some((record) => record.type === DNS_TYPE.SOA)) return undefined;
  const { min, max } = negative ? NEGATIVE_SECONDS : POSITIVE_SECONDS;
  return { seconds: Math.min(max, Math.max(min, dnsAnswerTtl(message, frame) ?? min)), negative };
}

/** An answer for the cache; undefined when it must not be remembered or is no answer. `frame` is what frameDnsAnswer makes of it. */
export function storedAnswer(
  message: Uint8Array,
  keyFlags: number,
  frame = frameDnsAnswer(message),
): StoredAnswer | undefined {
  const life = frame && answerLife(message, frame);
  if (frame === undefined || life === undefined) return undefined;
  const plain = plainAnswer(message, frame);
  const records = [...frame.answers, ...frame.authorities, ...frame.additionals];
  const data = Buffer.alloc(plain.byteLength + 2 * records.length);
  data.set(plain);
  lowerCase(data, QUESTION_AT, frame.questionEnd - 4);
  records.forEach(({ ttlAt }, i) => {
    data.writeUInt16BE(ttlAt, plain.byteLength + 2 * i);
    data.writeUInt32BE(life.seconds, ttlAt);
  });
  return {
    data,
    messageBytes: plain.byteLength,
    ttlCount: records.length,
    questionEnd: frame.questionEnd,
    keyFlags,
    lifeMs: life.seconds * 1000,
    negative: life.negative,
  };
}

/** The message without its OPT record and what follows it. */
export function plainAnswer(message: Uint8Array, frame: DnsAnswerFrame): Buffer {
  const plain = Buffer.from(message.subarray(0, frame.end));
  plain.writeUInt16BE(frame.additionals.length, 10);
  return plain;
}

/** Lower-case the ASCII letters of a name; length bytes are below 64 and stay. */
export function lowerCase(bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x41 && byte <= 0x5a) bytes[at] = byte | 0x20;
  }
}
