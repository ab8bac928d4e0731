/** The last items of something that goes on, to be read and followed. */
export interface Journal<T> {
  append(item: T): void;
  /** Oldest first. */
  readonly items: readonly T[];
  /**
   * Items as they come, after those of the past that are chosen. Ends with the signal. A follower who is too slow loses the oldest of
   * what waits for him, and is told.
   *
   * @returns undefined when there are too many followers.
   */
  follow(past: readonly T[], signal: AbortSignal): AsyncIterable<T> | undefined;
}

export interface JournalOptions<T> {
  /** Of all items that are kept; an item has `sizeOf` of it. */
  readonly maxSize: number;
  readonly sizeOf: (item: T) => number;
  /** What a follower is given in the place of items that he lost. */
  readonly lost: (count: number) => T;
}

const MAX_FOLLOWERS = 64;
const MAX_WAITING = 1_000;

interface Follower<T> {
  waiting: T[];
  lost: number;
  wake: () => void;
}

/** An empty journal. */
export function createJournal<T>({ maxSize, sizeOf, lost }: JournalOptions<T>): Journal<T> {
  let items: T[] = [];
  let size = 0;
  const followers = new Set<Follower<T>>();
  const trim = (): void => {
    let gone = 0;
    while (size > maxSize && gone < items.length - 1) {
      const first = items[gone++];
      if (first !== undefined) size -= sizeOf(first);
    }
    if (gone > 0) items = items.slice(gone);
  };
  return {
    append: (item) => {
      items.push(item);
      size += sizeOf(item);
      // Copying for each item would make an append cost as much as the journal is long.
      if (size > maxSize + maxSize / 4) trim();
      for (const follower of followers) offer(follower, item);
    },
    get items() {
      trim();
      return items;
    },
    follow: (past, signal) => {
      if (followers.size >= MAX_FOLLOWERS) return undefined;
      const follower: Follower<T> = { waiting: [...past], lost: 0, wake: () => {} };
      followers.add(follower);
      const end = (): void => {
        followers.delete(follower);
        follower.wake();
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
      return drain(follower, lost, signal, end);
    },
  };
}

function offer<T>(follower: Follower<T>, item: T): void {
  if (follower.waiting.length >= MAX_WAITING) {
    follower.waiting.shift();
    follower.lost += 1;
  }
  follower.waiting.push(item);
  follower.wake();
}

async function* drain<T>(
  follower: Follower<T>,
  lost: (count: number) => T,
  signal: AbortSignal,
  end: () => void,
): AsyncGenerator<T> {
  try {
    while (!signal.aborted) {
      const { waiting, lost: missed } = follower;
      follower.waiting = [];
      follower.lost = 0;
      if (missed > 0) yield lost(missed);
      for (const item of waiting) yield item;
      if (follower.waiting.length > 0 || signal.aborted) continue;
      await new Promise<void>((resolve) => {
        follower.wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}
