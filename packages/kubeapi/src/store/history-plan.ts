/** How much history is kept. */
export interface HistoryLimits {
  /** At least so many changes, whatever their age and size. */
  readonly keepRevisions: number;
  /** Younger changes are kept as long as they are small together, in milliseconds of the store's own time. */
  readonly keepMs: number;
  /** Bytes of history that age alone may hold; the bytes of live objects when they are more. */
  readonly keepBytes: number;
}

/** What is there. */
export interface HistoryState {
  readonly entries: number;
  readonly bytes: number;
  readonly liveBytes: number;
  readonly nowMs: number;
}

/** One change in the history, oldest first. */
export interface HistoryEntry {
  readonly rev: number;
  readonly atMs: number;
  readonly bytes: number;
}

/** What a compaction takes away. */
export interface HistoryCut {
  /** The new compaction revision: watches may start here or later. */
  readonly upTo: number;
  readonly entries: number;
  readonly bytes: number;
}

/** How many changes are looked at in one go, so that no commit takes long. */
export const COMPACT_STEP = 500;

/**
 * Which of the oldest changes to forget: what is beyond `keepRevisions` and either old or too much in bytes. So the file stays
 * within about three times what lives, however fast somebody writes. Pure.
 */
export function planHistoryCut(
  state: HistoryState,
  limits: HistoryLimits,
  oldest: readonly HistoryEntry[],
): HistoryCut | undefined {
  const budget = Math.max(limits.keepBytes, state.liveBytes);
  const spare = Math.max(0, state.entries - limits.keepRevisions);
  let cut: HistoryCut = { upTo: 0, entries: 0, bytes: 0 };
  for (const { rev, atMs, bytes } of oldest.slice(0, spare)) {
    if (!isOldEnough(atMs, state.nowMs, limits.keepMs) && state.bytes - cut.bytes <= budget) break;
    cut = { upTo: rev, entries: cut.entries + 1, bytes: cut.bytes + bytes };
  }
  return cut.entries === 0 ? undefined : cut;
}

/** Whether age alone no longer keeps a change. Zero keeps nothing, also within one beat of the store's time. */
export function isOldEnough(atMs: number, nowMs: number, keepMs: number): boolean {
  return keepMs <= 0 || nowMs - atMs > keepMs;
}
