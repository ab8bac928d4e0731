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
}

/** Changes since the start that a slow reader may leave unread before its watch is ended; it can resume at its revision. */
export const MAX_UNREAD_EVENTS = 5000;

/**
 * One watch. Ends when the signal aborts, or after the reader left too much unread: then what was kept is still delivered, in
 * order and without a gap, and nothing after it.
 *
 * @throws 410 Expired when the start is no longer kept, 504 when it is in the future.
 */
export async function* watchStream(
  store: Store,
  hub: WatchHub,
  start: WatchStart,
): AsyncGenerator<StreamItem, void, undefined> {
  const { signal } = start;
  // What is there and the subscription come in one turn: nothing can be committed in between.
  const past = pastItems(store, start);
  let position = start.after ?? store.revision;
  const inbox = openInbox(store, hub, start, () => position);
  const onAbort = (): void => inbox.wake();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for (const item of past) {
      if (signal.aborted) return;
      position = Math.max(position, revisionOf(item));
      yield item;
    }
    for (;;) {
      while (!signal.aborted && !inbox.ended()) {
        const item = inbox.take();
        if (item === undefined) break;
        position = Math.max(position, revisionOf(item));
        yield item;
      }
      if (signal.aborted || inbox.ended()) return;
      await inbox.news();
    }
  } finally {
    inbox.close();
    signal.removeEventListener('abort', onAbort);
  }
}

function revisionOf(item: StreamItem): number {
  return item.kind === 'event' ? item.event.rev : item.rev;
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
  let overflowed = false;
  let wake: (() => void) | undefined;
  const push = (item: StreamItem): void => {
    if (queue.length - taken >= MAX_UNREAD_EVENTS) overflow();
    if (!overflowed) queue.push(item);
    wake?.();
  };
  const unsubscribe = hub.subscribe(start.interest, (events) => {
    for (const event of events) push({ kind: 'event', event });
  });
  const mark = (): void =>
    push({ kind: 'bookmark', rev: Math.max(position(), store.revision), initialEventsEnd: false });
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
    take(): StreamItem | undefined {
      const item = queue[taken];
      if (item === undefined) {
        queue = [];
        taken = 0;
      } else taken += 1;
      return item;
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
