import { expired, futureRevision } from '../pipeline/api-status.ts';
import type { Store } from '../store/store.ts';
import { eventOf, type HubEvent, type HubInterest, type WatchHub } from './watch-hub.ts';

/** What a watch yields: changes, or a mark that everything up to a revision was delivered. */
export type StreamItem =
  | { readonly kind: 'event'; readonly event: HubEvent }
  | { readonly kind: 'bookmark'; readonly rev: number; readonly initialEventsEnd: boolean };

/** When a watch marks its position. */
export interface BookmarkTimes {
  /** Again and again after this long. */
  readonly everyMs: number;
  /** Once, this long after the start: just before the watch ends. */
  readonly lastMs: number | undefined;
}

export interface WatchStart {
  readonly interest: HubInterest;
  /** Deliver everything after this revision; undefined: what is there now first. */
  readonly after: number | undefined;
  /** With `after` undefined: deliver what is there first (true) or start with the next change. */
  readonly initialEvents: boolean;
  /** Mark the end of the initial events. */
  readonly markInitialEnd: boolean;
  /** Absent: no bookmarks. */
  readonly bookmarks: BookmarkTimes | undefined;
  readonly schedule: (delayMs: number, callback: () => void) => () => void;
  readonly signal: AbortSignal;
  /** Bytes that an unread event holds; absent: only events are counted. */
  readonly sizeOf?: (event: HubEvent) => number;
}

/**
 * What a slow reader may leave unread before its watch is ended; it can resume at its revision. One commit is always taken whole,
 * however large, by a reader that had read everything before it.
 */
export const MAX_UNREAD_EVENTS = 1000;
/** The same, in bytes. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

/** One watch, item by item: see `watchBatches`. */
export async function* watchStream(
  store: Store,
  hub: WatchHub,
  start: WatchStart,
): AsyncGenerator<StreamItem, void, undefined> {
  for await (const batch of watchBatches(store, hub, start)) yield* batch;
}

/** Items that are handed over together at most. */
const BATCH_ITEMS = 256;

/**
 * One watch: what there is to read, each time the reader comes. Ends when the signal aborts, or after the reader left too much
 * unread: then what was kept is still delivered, in order and without a gap, and nothing after it.
 *
 * @throws 410 Expired when the start is no longer kept, 504 when it is in the future.
 */
export async function* watchBatches(
  store: Store,
  hub: WatchHub,
  start: WatchStart,
): AsyncGenerator<readonly StreamItem[], void, undefined> {
  const { signal } = start;
  // What is there and the subscription come in one turn: nothing can be committed in between.
  const past = pastItems(store, start);
  let position = start.after ?? store.revision;
  const inbox = openInbox(store, hub, start, () => position);
  const onAbort = (): void => inbox.wake();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for (let from = 0; from < past.length; from += BATCH_ITEMS) {
      if (signal.aborted) return;
      const batch = past.slice(from, from + BATCH_ITEMS);
      position = Math.max(position, revisionOf(batch));
      yield batch;
    }
    for (;;) {
      while (!signal.aborted) {
        const batch = inbox.take();
        if (batch.length === 0) break;
        position = Math.max(position, revisionOf(batch));
        yield batch;
      }
      if (signal.aborted || inbox.ended()) return;
      await inbox.news();
    }
  } finally {
    inbox.close();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Revisions rise within a watch: the last item has the highest. */
function revisionOf(batch: readonly StreamItem[]): number {
  const last = batch.at(-1);
  if (last === undefined) return 0;
  return last.kind === 'event' ? last.event.rev : last.rev;
}

function pastItems(store: Store, start: WatchStart): readonly StreamItem[] {
  const { interest, after } = start;
  if (after !== undefined) {
    if (after < store.compactRevision) throw expired(String(after), store.compactRevision);
    if (after > store.revision) throw futureRevision(after, store.revision);
    return store.changesSince(after).flatMap((change): StreamItem[] => {
      const event = eventOf(change, interest);
      return event === undefined ? [] : [{ kind: 'event', event }];
    });
  }
  if (!start.initialEvents) return [];
  const rev = store.revision;
  const items = store
    .list(interest.resource, interest.namespace)
    .filter(interest.selects)
    .map((object): StreamItem => ({ kind: 'event', event: { type: 'ADDED', object, rev } }));
  return start.markInitialEnd ? [...items, { kind: 'bookmark', rev, initialEventsEnd: true }] : items;
}

/** Holds what was not read yet. Once it has overflowed it takes nothing more, so that no gap can come into being. */
function openInbox(store: Store, hub: WatchHub, start: WatchStart, position: () => number) {
  let queue: StreamItem[] = [];
  let taken = 0;
  let bytes = 0;
  let overflowed = false;
  let wake: (() => void) | undefined;
  const isFull = (): boolean => queue.length - taken >= MAX_UNREAD_EVENTS || bytes >= MAX_UNREAD_BYTES;
  const push = (items: readonly StreamItem[]): void => {
    if (isFull()) overflow();
    if (!overflowed) {
      for (const item of items) {
        queue.push(item);
        bytes += sizeOf(item);
      }
    }
    wake?.();
  };
  const sizeOf = (item: StreamItem): number => {
    if (item.kind !== 'event') return 0;
    try {
      return start.sizeOf?.(item.event) ?? 0;
    } catch {
      // What cannot be shown has no size. Its reader meets the error when he comes to it; the watches behind this one must not.
      return 0;
    }
  };
  const unsubscribe = hub.subscribe(start.interest, (events) =>
    push(events.map((event): StreamItem => ({ kind: 'event', event }))),
  );
  const mark = (): void =>
    push([{ kind: 'bookmark', rev: Math.max(position(), store.revision), initialEventsEnd: false }]);
  const cancelLast = start.bookmarks?.lastMs === undefined ? undefined : start.schedule(start.bookmarks.lastMs, mark);
  let cancelNext = scheduleNext();

  function scheduleNext(): (() => void) | undefined {
    if (start.bookmarks === undefined) return undefined;
    return start.schedule(start.bookmarks.everyMs, () => {
      mark();
      if (!overflowed) cancelNext = scheduleNext();
    });
  }
  function overflow(): void {
    overflowed = true;
    close();
  }
  function close(): void {
    unsubscribe();
    cancelLast?.();
    cancelNext?.();
  }

  return {
    close,
    wake: () => wake?.(),
    /** Hand over what comes next. */
    take(): readonly StreamItem[] {
      const batch = queue.slice(taken, taken + BATCH_ITEMS);
      taken += batch.length;
      for (const item of batch) bytes -= sizeOf(item);
      if (taken >= queue.length) {
        queue = [];
        taken = 0;
        bytes = 0;
      }
      return batch;
    },
    ended: () => overflowed && taken >= queue.length,
    async news(): Promise<void> {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = undefined;
    },
  };
}
