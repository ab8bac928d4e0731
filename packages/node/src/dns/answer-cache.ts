import { AnswerTable, answerTableBytes } from './answer-table.ts';
import type { StoredAnswer } from './stored-answer.ts';

/** Answers that are remembered of each kind: with records, and of absence. */
export const CACHE_ENTRIES = 10_000;
/** For how long an answer may still be given when no upstream answers (RFC 8767), and what its records say then. */
export const STALE_MAX_MS = 300_000;
const STALE_TTL_SECONDS = 5;

/** What `reply` says when the question must be answered elsewhere. */
export const MISS = 0;

const HEADER_BYTES = 12;
const OPT_BYTES = 11;
const PLAIN_LIMIT_BYTES = 512;
const STREAM_LIMIT_BYTES = 65_535;
const TRACE_OPTION_HIGH = 65_001 >>> 8;
const TRACE_OPTION_LOW = 65_001 & 0xff;
const OWN_UDP_BYTES = 1232;

/** Bytes of memory that a cache takes. */
export function answerCacheBytes(entries: number = CACHE_ENTRIES): number {
  return 2 * answerTableBytes(entries);
}

/** Where a cache keeps its answers. */
export interface AnswerCachePlace {
  readonly memory: Uint8Array;
  readonly at: number;
  readonly seed: number;
  /** Longest reply over UDP whatever the client says; a longer one is a miss. */
  readonly datagramMaxBytes: number;
  readonly entries?: number;
}

/**
 * The cache and the path from question to reply that makes no objects: both packets are in `memory`. What is not plain (odd
 * headers, options of ours, replies that must be cut) is a miss, and is looked at by those who may take their time.
 */
export class AnswerCache {
  readonly #memory: Uint8Array;
  readonly #positive: AnswerTable;
  readonly #negative: AnswerTable;
  readonly #datagramMaxBytes: number;
  // What the last question was, from #parse.
  #questionEnd = 0;
  #keyFlags = 0;
  #hasEdns = false;
  #limitBytes = 0;

  constructor({ memory, at, seed, datagramMaxBytes, entries = CACHE_ENTRIES }: AnswerCachePlace) {
    this.#memory = memory;
    this.#datagramMaxBytes = datagramMaxBytes;
    this.#positive = new AnswerTable({ memory, at, entries, seed });
    this.#negative = new AnswerTable({ memory, at: at + answerTableBytes(entries), entries, seed });
  }

  get positiveSize(): number {
    return this.#positive.size;
  }

  get negativeSize(): number {
    return this.#negative.size;
  }

  /** Write the reply to the datagram of `length` bytes at `at` to `outAt`. @returns its length, or MISS. */
  reply(at: number, length: number, outAt: number, nowMs: number): number {
    if (!this.#parse(at, length)) return MISS;
    return this.#answer(at, outAt, nowMs, Math.min(this.#limitBytes, this.#datagramMaxBytes));
  }

  /** The same for a question that came over TCP. */
  replyStream(at: number, length: number, outAt: number, nowMs: number): number {
    if (!this.#parse(at, length)) return MISS;
    return this.#answer(at, outAt, nowMs, STREAM_LIMIT_BYTES);
  }

  /**
   * Write what is remembered for the question at 12..questionEnd of the packet at `at` to `outAt`, to be finished by the caller:
   * the plain message with AA and its time to live, also expired ones up to `staleMs`.
   * @returns its length and age, or undefined.
   */
  recall(question: RecalledQuestion, nowMs: number): Recalled | undefined {
    const { at, questionEnd, keyFlags, outAt } = question;
    const from = at + HEADER_BYTES;
    const hash = this.#positive.hash(from, at + questionEnd, keyFlags);
    for (const table of [this.#positive, this.#negative]) {
      const slot = table.find(from, at + questionEnd, keyFlags, hash);
      const expiresMs = table.expiresMs[slot] ?? 0;
      const storedMs = table.storedMs[slot] ?? 0;
      if (slot < 0 || nowMs >= expiresMs + question.staleMs || nowMs < storedMs) continue;
      const leftMs = expiresMs - nowMs;
      table.copy(slot, outAt, leftMs > 0 ? Math.ceil(leftMs / 1000) : STALE_TTL_SECONDS);
      const bytes = table.messageBytes[slot] ?? 0;
      return { bytes, leftMs, ageMs: nowMs - storedMs, negative: table === this.#negative };
    }
    return undefined;
  }

  store(answer: StoredAnswer, nowMs: number): void {
    const [to, other] = answer.negative ? [this.#negative, this.#positive] : [this.#positive, this.#negative];
    other.remove(answer.data, answer.questionEnd, answer.keyFlags);
    to.store(answer, nowMs);
  }

  /** Forget what is known of the question at 12..questionEnd of `message`, whatever its flags. */
  remove(message: Uint8Array, questionEnd: number): void {
    for (let keyFlags = 0; keyFlags < 4; keyFlags++) {
      this.#positive.remove(message, questionEnd, keyFlags);
      this.#negative.remove(message, questionEnd, keyFlags);
    }
  }

  clear(): void {
    this.#positive.clear();
    this.#negative.clear();
  }

  #parse(at: number, length: number): boolean {
    const memory = this.#memory;
    const end = at + length;
    if (length < HEADER_BYTES + 5 || ((memory[at + 2] ?? 0) & 0xf8) !== 0) return false;
    // One question, nothing in the other sections but at most one additional record.
    if (memory[at + 4] !== 0 || memory[at + 5] !== 1 || memory[at + 10] !== 0) return false;
    if (((memory[at + 6] ?? 0) | (memory[at + 7] ?? 0) | (memory[at + 8] ?? 0) | (memory[at + 9] ?? 0)) !== 0)
      return false;
    let next = at + HEADER_BYTES;
    for (let label = memory[next] ?? 0; label !== 0; label = memory[next] ?? 0) {
      next += 1 + label;
      if (label > 63 || next >= end) return false;
    }
    next += 5;
    if (next > end || next - at - HEADER_BYTES > 259) return false;
    this.#questionEnd = next;
    this.#keyFlags = ((memory[at + 3] ?? 0) & 0x10) >>> 3;
    this.#hasEdns = memory[at + 11] === 1;
    this.#limitBytes = PLAIN_LIMIT_BYTES;
    if (!this.#hasEdns) return memory[at + 11] === 0 && next === end;
    return this.#parseEdns(next, end);
  }

  #parseEdns(at: number, end: number): boolean {
    const memory = this.#memory;
    if (at + OPT_BYTES > end || memory[at] !== 0 || memory[at + 1] !== 0 || memory[at + 2] !== 41) return false;
    if (memory[at + 6] !== 0) return false;
    this.#limitBytes = Math.max(PLAIN_LIMIT_BYTES, ((memory[at + 3] ?? 0) << 8) | (memory[at + 4] ?? 0));
    this.#keyFlags |= (memory[at + 7] ?? 0) >>> 7;
    let next = at + OPT_BYTES;
    if (next + (((memory[at + 9] ?? 0) << 8) | (memory[at + 10] ?? 0)) !== end) return false;
    while (next < end) {
      if (memory[next] === TRACE_OPTION_HIGH && memory[next + 1] === TRACE_OPTION_LOW) return false;
      if (next + 4 > end) return false;
      next += 4 + (((memory[next + 2] ?? 0) << 8) | (memory[next + 3] ?? 0));
    }
    return next === end;
  }

  #answer(at: number, outAt: number, nowMs: number, limitBytes: number): number {
    const from = at + HEADER_BYTES;
    const hash = this.#positive.hash(from, this.#questionEnd, this.#keyFlags);
    let table = this.#positive;
    let slot = table.find(from, this.#questionEnd, this.#keyFlags, hash);
    if (slot < 0) {
      table = this.#negative;
      slot = table.find(from, this.#questionEnd, this.#keyFlags, hash);
      if (slot < 0) return MISS;
    }
    const expiresMs = table.expiresMs[slot] ?? 0;
    // A clock that was set back must not make an answer live longer.
    if (nowMs >= expiresMs || nowMs < (table.storedMs[slot] ?? 0)) return MISS;
    const bytes = table.messageBytes[slot] ?? 0;
    const length = this.#hasEdns ? bytes + OPT_BYTES : bytes;
    if (length > limitBytes) return MISS;
    table.copy(slot, outAt, Math.ceil((expiresMs - nowMs) / 1000));
    this.#finish(at, outAt);
    if (this.#hasEdns) this.#appendOpt(outAt, bytes);
    return length;
  }

  /** The parts of a reply that are the client's: id, RD, CD, AD, and the question in its case. */
  #finish(at: number, outAt: number): void {
    const memory = this.#memory;
    const asked = memory[at + 3] ?? 0;
    const wantsAd = (asked & 0x20) !== 0 || (this.#keyFlags & 1) !== 0;
    memory[outAt] = memory[at] ?? 0;
    memory[outAt + 1] = memory[at + 1] ?? 0;
    memory[outAt + 2] = 0x84 | ((memory[at + 2] ?? 0) & 1);
    memory[outAt + 3] = ((memory[outAt + 3] ?? 0) & (wantsAd ? 0xaf : 0x8f)) | (asked & 0x10);
    const shift = outAt - at;
    for (let i = at + HEADER_BYTES; i < this.#questionEnd - 4; i++) memory[i + shift] = memory[i] ?? 0;
  }

  #appendOpt(outAt: number, bytes: number): void {
    const memory = this.#memory;
    const opt = outAt + bytes;
    memory[opt] = 0;
    memory[opt + 1] = 0;
    memory[opt + 2] = 41;
    memory[opt + 3] = OWN_UDP_BYTES >>> 8;
    memory[opt + 4] = OWN_UDP_BYTES & 0xff;
    memory[opt + 5] = 0;
    memory[opt + 6] = 0;
    memory[opt + 7] = (this.#keyFlags & 1) << 7;
    memory[opt + 8] = 0;
    memory[opt + 9] = 0;
    memory[opt + 10] = 0;
    const additional = (((memory[outAt + 10] ?? 0) << 8) | (memory[outAt + 11] ?? 0)) + 1;
    memory[outAt + 10] = additional >>> 8;
    memory[outAt + 11] = additional;
  }
}

/** A question whose answer is looked for. */
export interface RecalledQuestion {
  /** Where its packet is in memory. */
  readonly at: number;
  readonly questionEnd: number;
  readonly keyFlags: number;
  readonly outAt: number;
  /** How long after its end an answer may be given. */
  readonly staleMs: number;
}

/** What was found. */
export interface Recalled {
  readonly bytes: number;
  /** Not above 0 when it is stale. */
  readonly leftMs: number;
  readonly ageMs: number;
  readonly negative: boolean;
}
