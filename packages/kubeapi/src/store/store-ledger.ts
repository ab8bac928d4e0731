import type { ApiObject } from '../api-object.ts';
import {
  COMPACT_STEP,
  type HistoryCut,
  type HistoryLimits,
  type HistoryState,
  isOldEnough,
  planHistoryCut,
} from './history-plan.ts';
import type { LogDatabase, LogWrite } from './log-database.ts';
import type { ObjectId } from './store.ts';

/** The beat of the housekeeping, and the grain of the store's own time. */
export const TICK_MS = 1000;
/** New changes after which a commit looks for history to forget. */
const COMPACT_EVERY = 64;
/** Free pages that may stay in the file, at least and as a part of it; and how many are given back in one beat. */
const FREE_PAGES = 256;
const FREE_PART = 16;
const SHRINK_PAGES = 512;

/** Commits changes and keeps the books: how much lives, how much history there is, and what of it is forgotten when. */
export class StoreLedger {
  readonly #database: LogDatabase;
  readonly #limits: HistoryLimits;
  #compactRevision: number;
  #objects: number;
  #atMs: number;
  #liveBytes = 0;
  #history = { entries: 0, bytes: 0 };
  #lookAgainAt = 0;

  constructor(database: LogDatabase, limits: HistoryLimits) {
    this.#database = database;
    this.#limits = limits;
    const { compacted, objects, atMs } = database.state();
    this.#compactRevision = compacted;
    this.#objects = objects;
    this.#atMs = atMs;
  }

  /** Watches may start here or later. */
  get compactRevision(): number {
    return this.#compactRevision;
  }

  /** Read everything once, checking each row. @throws BloomeryError BLM_STORE_CORRUPT. */
  *load(): Generator<{ readonly id: ObjectId; readonly object: ApiObject }> {
    for (const { id, object, bytes } of this.#database.live()) {
      this.#liveBytes += bytes;
      yield { id, object };
    }
    this.#history = { ...this.#database.verifyHistory() };
  }

  /** All or nothing, on disk and in the books. Without writes it only forgets history. @throws what SQLite throws. */
  commit(writes: readonly LogWrite[], revision: number): void {
    let { entries, bytes } = this.#history;
    let liveBytes = this.#liveBytes;
    let objects = this.#objects;
    let cut: HistoryCut | undefined;
    this.#database.transaction(() => {
      for (const write of writes) {
        const size = this.#database.append(write, this.#atMs);
        liveBytes += size.live;
        bytes += size.history;
        if (write.type === 'delete') objects -= 1;
        else if (write.prev === 0) objects += 1;
      }
      entries += writes.length;
      if (entries >= this.#lookAgainAt || writes.length === 0)
        cut = this.#cutHistory({ entries, bytes, liveBytes }, writes.length);
      const compacted = cut?.upTo ?? this.#compactRevision;
      this.#database.setState({ revision, compacted, objects, atMs: this.#atMs });
    });
    this.#history = { entries: entries - (cut?.entries ?? 0), bytes: bytes - (cut?.bytes ?? 0) };
    if (cut !== undefined || entries >= this.#lookAgainAt)
      this.#lookAgainAt = Math.max(this.#history.entries, this.#limits.keepRevisions) + COMPACT_EVERY;
    this.#compactRevision = cut?.upTo ?? this.#compactRevision;
    this.#liveBytes = liveBytes;
    this.#objects = objects;
  }

  /** The store's own time goes on by one beat. It is counted, not read: the wall clock jumps. */
  tick(): void {
    this.#atMs += TICK_MS;
  }

  /** Whether history is there that its age no longer keeps. */
  hasOldHistory(): boolean {
    const [first] = this.#history.entries > this.#limits.keepRevisions ? this.#database.oldest(1) : [];
    return first !== undefined && isOldEnough(first.atMs, this.#atMs, this.#limits.keepMs);
  }

  /** Give free pages back to the disk, some at a time. */
  shrink(): void {
    const { all, free } = this.#database.pages();
    if (free > Math.max(FREE_PAGES, all / FREE_PART)) this.#database.shrink(SHRINK_PAGES);
  }

  /** Forgets faster than is written, a step at a time. Call inside a transaction. */
  #cutHistory(size: Omit<HistoryState, 'nowMs'>, written: number): HistoryCut | undefined {
    const spare = size.entries - this.#limits.keepRevisions;
    if (spare <= 0) return undefined;
    const oldest = this.#database.oldest(Math.min(spare, Math.max(COMPACT_STEP, 2 * written)));
    const cut = planHistoryCut({ ...size, nowMs: this.#atMs }, this.#limits, oldest);
    if (cut !== undefined) this.#database.forget(cut.upTo);
    return cut;
  }
}
