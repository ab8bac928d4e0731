import { badRequest, expired } from '../pipeline/api-status.ts';
import type { Store } from '../store/store.ts';
import { eventOf, type HubEvent, type HubInterest, type WatchHub } from './watch-hub.ts';

/** What a watch yields: changes, or a mark that everything up to a revision was delivered. */
export type StreamItem =
  | { readonly kind: 'event'; readonly event: HubEvent }
  | { readonly kind: 'bookmark'; readonly rev: number; readonly initialEventsEnd: boolean };

export interface WatchStart {
  readonly interest: HubInterest;
  /** Deliver everything after this revision; undefined: what is there now first. */
  readonly after: number | undefined;
  /** With `after` undefined: deliver what is there first (true) or start with the next change. */
  readonly initialEvents: boolean;
  /** Mark the end of the initial events. */
  readonly markInitialEnd: boolean;
  /** Ask for a bookmark this often; absent: never. */
  readonly bookmarkMs: number | undefined;
  readonly schedule: (delayMs: number, callback: () => void) => () => void;
  readonly signal: AbortSignal;
}

/** Events that a slow reader may leave unread before its watch is ended; it can resume at its revision. */
const MAX_QUEUED = 10_000;

/**
 * One watch. Ends when the signal aborts or the reader is too slow.
 *
 * @throws 410 Expired when the start is no longer kept.
 */
export async function* watchStream(
  store: Store,
  hub: WatchHub,
  start: WatchStart,
): AsyncGenerator<StreamItem, void, undefined> {
  const { interest, signal } = start;
  if (start.after !== undefined && start.after < store.compactRevision)
    throw expired(String(start.after), store.compactRevision);
  if (start.after !== undefined && start.after > store.revision)
    throw badRequest(`resource version ${start.after} is in the future`);
  const queue: StreamItem[] = [];
  let position = start.after ?? store.revision;
  let wake: (() => void) | undefined;
  let slow = false;
  const push = (item: StreamItem): void => {
    if (queue.length >= MAX_QUEUED) slow = true;
    else queue.push(item);
    wake?.();
  };
  const deliver = (events: readonly HubEvent[]): void => {
    for (const event of events) push({ kind: 'event', event });
  };

  // Snapshot and subscription happen in one turn: nothing can be committed in between.
  if (start.after !== undefined) {
    deliver(
      store
        .changesSince(start.after)
        .map((change) => eventOf(change, interest))
        .filter((event) => event !== undefined),
    );
  } else if (start.initialEvents) {
    const rev = store.revision;
    for (const object of store.list(interest.resource, interest.namespace)) {
      if (interest.selects(object)) queue.push({ kind: 'event', event: { type: 'ADDED', object, rev } });
    }
    if (start.markInitialEnd) queue.push({ kind: 'bookmark', rev, initialEventsEnd: true });
  }
  const unsubscribe = hub.subscribe(interest, deliver);
  const onAbort = (): void => wake?.();
  signal.addEventListener('abort', onAbort, { once: true });
  let cancelBookmark = scheduleBookmark();

  function scheduleBookmark(): () => void {
    if (start.bookmarkMs === undefined) return () => {};
    return start.schedule(start.bookmarkMs, () => {
      push({ kind: 'bookmark', rev: Math.max(position, store.revision), initialEventsEnd: false });
      cancelBookmark = scheduleBookmark();
    });
  }

  try {
    while (!signal.aborted) {
      const item = queue.shift();
      if (item !== undefined) {
        position = Math.max(position, item.kind === 'event' ? item.event.rev : item.rev);
        yield item;
        continue;
      }
      if (slow) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = undefined;
    }
  } finally {
    cancelBookmark();
    unsubscribe();
    signal.removeEventListener('abort', onAbort);
  }
}
