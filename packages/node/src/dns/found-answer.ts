import {
  DNS_FLAG,
  DNS_RCODE,
  DNS_TRACE_OPTION,
  type DnsOption,
  type DnsQuery,
  type DnsTrace,
  emptyDnsAnswer,
  encodeDnsTrace,
} from '@bloomery/wire';
import type { Recalled } from './answer-cache.ts';
import { type StoredAnswer, storedAnswer } from './stored-answer.ts';
import type { UpstreamOutcome } from './upstream/ask-upstreams.ts';

/** EDNS option of extended errors, and two of its codes (RFC 8914). */
const EXTENDED_ERROR = { option: 15, stale: 3, noReachableAuthority: 22 } as const;
/** Of an explanation to a client. */
const ERROR_TEXT_MAX_BYTES = 200;

/** Where an answer comes from, before it is made ready for one client. */
export interface FoundAnswer {
  /** Whole, without OPT record. */
  readonly message: Uint8Array;
  /** With its upper bits. */
  readonly rcode: number;
  readonly trace: Omit<DnsTrace, 'tookMs'>;
  /** What later questions may be answered with. */
  readonly remember?: StoredAnswer;
  /** Told to clients that know EDNS. */
  readonly extendedError?: { readonly code: number; readonly text: string };
}

/** What upstreams said, for all who wait for it. */
export interface SharedAnswer {
  readonly outcome: UpstreamOutcome;
  /** Absent when nobody answered this question. */
  readonly message?: Buffer;
  readonly stored?: StoredAnswer;
}

/** From the cache: with AA, as some clients throw other answers without recursion away, and as upstream does. */
export function answerFromCache(message: Buffer, recalled: Recalled, keyFlags: number): FoundAnswer {
  const isStale = recalled.leftMs <= 0;
  message.writeUInt16BE(message.readUInt16BE(2) | DNS_FLAG.AA, 2);
  const stored = isStale ? undefined : storedAnswer(message, keyFlags);
  return {
    message,
    rcode: (message[3] ?? 0) & 15,
    trace: {
      answeredBy: isStale ? 'stale' : 'cache',
      ageSeconds: Math.round(recalled.ageMs / 1000),
      tries: [],
    },
    // Its life goes on as it is, and does not begin again.
    ...(stored === undefined ? {} : { remember: { ...stored, lifeMs: recalled.leftMs } }),
    ...(isStale ? { extendedError: { code: EXTENDED_ERROR.stale, text: '' } } : {}),
  };
}

/** From an upstream; SERVFAIL with the reasons of all tries when there is none, FORMERR when it answered another question. */
export function answerFromUpstream(
  packet: Uint8Array,
  query: DnsQuery,
  { outcome, message, stored }: SharedAnswer,
): FoundAnswer {
  const { answer, tries } = outcome;
  if (answer === undefined) {
    const reasons = tries.map(({ upstream, result }) => `${upstream}: ${result}`).join(', ');
    return failedAnswer(
      packet,
      query,
      { answeredBy: 'none', tries },
      reasons === '' ? 'no upstream is configured' : reasons,
    );
  }
  const trace = { answeredBy: 'upstream', upstream: answer.upstream, tries } as const;
  if (message === undefined) return { ...emptyMessage(packet, query, DNS_RCODE.FORMERR), trace };
  return {
    message,
    rcode: answer.frame.rcode,
    trace,
    ...(stored === undefined ? {} : { remember: stored }),
  };
}

/** SERVFAIL, with the reason for those who can read it. */
export function failedAnswer(
  packet: Uint8Array,
  query: DnsQuery,
  trace: FoundAnswer['trace'],
  text: string,
): FoundAnswer {
  const extendedError = { code: EXTENDED_ERROR.noReachableAuthority, text };
  return { ...emptyMessage(packet, query, DNS_RCODE.SERVFAIL), trace, extendedError };
}

/** A response with the question alone. */
export function emptyMessage(
  packet: Uint8Array,
  { questionEnd }: DnsQuery,
  rcode: number,
): { readonly message: Buffer; readonly rcode: number } {
  return { message: emptyDnsAnswer(packet, { rcode, questionEnd }), rcode };
}

/** EDNS options that go with it: why it is stale or failed, and how it was found for those who asked. */
export function optionsOf({ extendedError }: FoundAnswer, trace: DnsTrace | undefined): readonly DnsOption[] {
  const options: DnsOption[] = [];
  if (extendedError !== undefined) {
    const { code, text } = extendedError;
    options.push({
      code: EXTENDED_ERROR.option,
      data: Buffer.concat([Buffer.of(0, code), Buffer.from(text.slice(0, ERROR_TEXT_MAX_BYTES))]),
    });
  }
  if (trace !== undefined) options.push({ code: DNS_TRACE_OPTION, data: encodeDnsTrace(trace) });
  return options;
}
