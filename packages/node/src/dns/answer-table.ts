import type { StoredAnswer } from './stored-answer.ts';

/** Bytes of an answer that are kept in the table itself; longer ones live beside it. */
const SLOT_BYTES = 384;
/** Room for the longest question: a name of 255 bytes, type and class. */
const SCRATCH_BYTES = 264;
const QUESTION_AT = 12;
/** All long answers of one table together. */
const LONG_MAX_BYTES = 8 << 20;
const NONE = -1;
/** A time to live that no answer has: what is stored says whatever its upstream said. */
const NOT_SHOWN = 0xffffffff;

/** Bytes of memory that a table takes. A multiple of 8. */
export function answerTableBytes(entries: number): number {
  return entries * SLOT_BYTES + SCRATCH_BYTES;
}

/** Where a table keeps its answers. */
export interface AnswerTablePlace {
  /** The memory that questions come in, too: an answer is copied inside of it. */
  readonly memory: Uint8Array;
  /** Where in it the table begins; it takes answerTableBytes(entries). */
  readonly at: number;
  readonly entries: number;
  /** Of the hash, so that nobody outside can make all names collide. */
  readonly seed: number;
}

/**
 * Answers by question: a hash table in typed arrays, so that neither a look-up nor 10,000 entries make objects. When it is full,
 * one goes that was not asked for since the last time round.
 */
export class AnswerTable {
  /** Bytes of the message in a slot. */
  readonly messageBytes: Uint16Array;
  /** When the answer in a slot ends, on the clock of the caller. */
  readonly expiresMs: Float64Array;
  readonly storedMs: Float64Array;
  readonly #memory: Uint8Array;
  readonly #at: number;
  readonly #scratchAt: number;
  readonly #entries: number;
  readonly #seed: number;
  readonly #buckets: Int32Array;
  readonly #next: Int32Array;
  readonly #hash: Int32Array;
  readonly #keyFlags: Uint8Array;
  readonly #questionEnd: Uint16Array;
  readonly #ttlCount: Uint16Array;
  readonly #shownTtl: Uint32Array;
  readonly #used: Uint8Array;
  readonly #long = new Map<number, Uint8Array>();
  #longBytes = 0;
  #filled = 0;
  #size = 0;
  #hand = 0;
  #free = NONE;

  constructor({ memory, at, entries, seed }: AnswerTablePlace) {
    this.#memory = memory;
    this.#at = at;
    this.#scratchAt = at + entries * SLOT_BYTES;
    this.#entries = entries;
    this.#seed = seed;
    this.messageBytes = new Uint16Array(entries);
    this.expiresMs = new Float64Array(entries);
    this.storedMs = new Float64Array(entries);
    this.#next = new Int32Array(entries);
    this.#hash = new Int32Array(entries);
    this.#keyFlags = new Uint8Array(entries);
    this.#questionEnd = new Uint16Array(entries);
    this.#ttlCount = new Uint16Array(entries);
    this.#shownTtl = new Uint32Array(entries);
    this.#used = new Uint8Array(entries);
    this.#buckets = new Int32Array(2 ** Math.ceil(Math.log2(entries * 2))).fill(NONE);
  }

  /** Answers that it holds, expired ones too. */
  get size(): number {
    return this.#size;
  }

  /** Hash of the question in memory from `from` to `to`: name in any case, type and class. */
  hash(from: number, to: number, keyFlags: number): number {
    const memory = this.#memory;
    let hash = this.#seed ^ keyFlags;
    for (let at = from; at < to - 4; at++) hash = Math.imul(hash ^ lower(memory[at] ?? 0), PRIME);
    for (let at = to - 4; at < to; at++) hash = Math.imul(hash ^ (memory[at] ?? 0), PRIME);
    return hash ^ (hash >>> 15);
  }

  /** The slot of the question that stands in memory from `from` to `to`, or -1. `hash` is what hash() makes of it. */
  find(from: number, to: number, keyFlags: number, hash: number): number {
    const questionEnd = QUESTION_AT + to - from;
    let slot = this.#buckets[hash & (this.#buckets.length - 1)] ?? NONE;
    while (slot >= 0) {
      if (
        this.#hash[slot] === hash &&
        this.#keyFlags[slot] === keyFlags &&
        this.#questionEnd[slot] === questionEnd &&
        this.#isQuestion(slot, from, to)
      ) {
        this.#used[slot] = 1;
        return slot;
      }
      slot = this.#next[slot] ?? NONE;
    }
    return NONE;
  }

  /** Copy the message of a slot to `outAt` in memory, with this time to live in seconds in all its records. */
  copy(slot: number, outAt: number, ttl: number): void {
    if (this.#shownTtl[slot] !== ttl) this.#showTtl(slot, ttl);
    const bytes = this.messageBytes[slot] ?? 0;
    const long = this.#longOf(slot);
    if (long === undefined) {
      const at = this.#at + slot * SLOT_BYTES;
      this.#memory.copyWithin(outAt, at, at + bytes);
    } else {
      this.#memory.set(long.subarray(0, bytes), outAt);
    }
  }

  /** Remember an answer instead of what there is for its question. @returns false when it is too long for the table. */
  store(answer: StoredAnswer, nowMs: number): boolean {
    const { data } = answer;
    if (data.byteLength > LONG_MAX_BYTES || answer.questionEnd - QUESTION_AT > SCRATCH_BYTES) return false;
    const found = this.#findQuestion(answer.data, answer.questionEnd, answer.keyFlags);
    if (found.slot >= 0) this.#removeSlot(found.slot);
    if (data.byteLength > SLOT_BYTES) this.#makeRoomForLong(data.byteLength);
    const slot = this.#takeSlot();
    if (data.byteLength > SLOT_BYTES) {
      this.#long.set(slot, Uint8Array.from(data));
      this.#longBytes += data.byteLength;
    } else {
      this.#memory.set(data, this.#at + slot * SLOT_BYTES);
    }
    const bucket = found.hash & (this.#buckets.length - 1);
    this.#hash[slot] = found.hash;
    this.#next[slot] = this.#buckets[bucket] ?? NONE;
    this.#buckets[bucket] = slot;
    this.#keyFlags[slot] = answer.keyFlags;
    this.#questionEnd[slot] = answer.questionEnd;
    this.#ttlCount[slot] = answer.ttlCount;
    this.#shownTtl[slot] = NOT_SHOWN;
    this.messageBytes[slot] = answer.messageBytes;
    this.storedMs[slot] = nowMs;
    this.expiresMs[slot] = nowMs + answer.lifeMs;
    this.#used[slot] = 1;
    this.#size += 1;
    return true;
  }

  /** Forget the answer to the question at 12..questionEnd of `message`, if there is one. */
  remove(message: Uint8Array, questionEnd: number, keyFlags: number): void {
    if (questionEnd - QUESTION_AT > SCRATCH_BYTES) return;
    const { slot } = this.#findQuestion(message, questionEnd, keyFlags);
    if (slot >= 0) this.#removeSlot(slot);
  }

  clear(): void {
    this.#buckets.fill(NONE);
    this.#long.clear();
    this.#longBytes = 0;
    this.#filled = 0;
    this.#size = 0;
    this.#hand = 0;
    this.#free = NONE;
  }

  #isQuestion(slot: number, from: number, to: number): boolean {
    const long = this.#longOf(slot);
    if (long !== undefined) return this.#isQuestionIn(long, QUESTION_AT, from, to);
    return this.#isQuestionIn(this.#memory, this.#at + slot * SLOT_BYTES + QUESTION_AT, from, to);
  }

  #isQuestionIn(stored: Uint8Array, storedAt: number, from: number, to: number): boolean {
    const memory = this.#memory;
    const shift = storedAt - from;
    for (let at = from; at < to - 4; at++) if (lower(memory[at] ?? 0) !== stored[at + shift]) return false;
    for (let at = to - 4; at < to; at++) if (memory[at] !== stored[at + shift]) return false;
    return true;
  }

  #longOf(slot: number): Uint8Array | undefined {
    return this.#long.size === 0 ? undefined : this.#long.get(slot);
  }

  /** What is stored is changed, so that it is done once a second for each answer and not for each question. */
  #showTtl(slot: number, ttl: number): void {
    const long = this.#longOf(slot);
    const stored = long ?? this.#memory;
    const base = long === undefined ? this.#at + slot * SLOT_BYTES : 0;
    const offsets = base + (this.messageBytes[slot] ?? 0);
    for (let i = offsets; i < offsets + 2 * (this.#ttlCount[slot] ?? 0); i += 2) {
      const at = base + (((stored[i] ?? 0) << 8) | (stored[i + 1] ?? 0));
      stored[at] = ttl >>> 24;
      stored[at + 1] = ttl >>> 16;
      stored[at + 2] = ttl >>> 8;
      stored[at + 3] = ttl;
    }
    this.#shownTtl[slot] = ttl;
  }

  #findQuestion(
    message: Uint8Array,
    questionEnd: number,
    keyFlags: number,
  ): { readonly hash: number; readonly slot: number } {
    this.#memory.set(message.subarray(QUESTION_AT, questionEnd), this.#scratchAt);
    const end = this.#scratchAt + questionEnd - QUESTION_AT;
    const hash = this.hash(this.#scratchAt, end, keyFlags);
    return { hash, slot: this.find(this.#scratchAt, end, keyFlags, hash) };
  }

  #takeSlot(): number {
    if (this.#free === NONE && this.#filled < this.#entries) return this.#filled++;
    if (this.#free === NONE) this.#removeSlot(this.#victim(() => true));
    const slot = this.#free;
    this.#free = this.#next[slot] ?? NONE;
    return slot;
  }

  #makeRoomForLong(bytes: number): void {
    while (this.#longBytes + bytes > LONG_MAX_BYTES) this.#removeSlot(this.#victim((slot) => this.#long.has(slot)));
  }

  /** Only called when there is one that `may` go. */
  #victim(may: (slot: number) => boolean): number {
    for (;;) {
      const slot = this.#hand;
      this.#hand = slot + 1 < this.#filled ? slot + 1 : 0;
      if (!may(slot)) continue;
      if (this.#used[slot] === 0) return slot;
      this.#used[slot] = 0;
    }
  }

  #removeSlot(slot: number): void {
    const bucket = (this.#hash[slot] ?? 0) & (this.#buckets.length - 1);
    const next = this.#next[slot] ?? NONE;
    let at = this.#buckets[bucket] ?? NONE;
    if (at === slot) {
      this.#buckets[bucket] = next;
    } else {
      while (at !== NONE && this.#next[at] !== slot) at = this.#next[at] ?? NONE;
      if (at !== NONE) this.#next[at] = next;
    }
    this.#longBytes -= this.#long.get(slot)?.byteLength ?? 0;
    this.#long.delete(slot);
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.#size -= 1;
  }
}

/** Of the FNV-1a hash. */
const PRIME = 0x01000193;

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}
