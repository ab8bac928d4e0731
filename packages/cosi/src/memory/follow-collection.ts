import { BloomeryError } from '@bloomery/ports';
import type { StateEvent, WatchOptions } from '../state.ts';
import type { Collection } from './collection.ts';

/** A place in the events of a collection. */
export interface CollectionCursor {
  /** Bookmark of the last event before the first place. */
  readonly begin: bigint;
  /** Events from here on, at most `limit`. After an `errored` event there is nothing more. */
  readonly take: (limit: number) => readonly StateEvent[];
  /** Whether `take` may have something. */
  readonly isBehind: () => boolean;
}

/**
 * Begin to follow a collection at the place that the options name.
 *
 * @throws BloomeryError BLM_COSI_BOOKMARK for a bookmark that the history does not reach, BLM_COSI_WATCH for options that
 * exclude each other.
 */
export function followCollection(collection: Collection, options: WatchOptions): CollectionCursor {
  refuseContradictions(options);
  const { history } = collection;
  const { id } = options;
  let position = firstPosition(collection, options);
  /** From the last to the first: taken from the end, a watch of all routes of an internet router does not copy them for each. */
  const initial = initialEvents(collection, options).reverse();
  let failed = false;
  return {
    begin: BigInt(position) - 1n,
    isBehind: () => !failed && (initial.length > 0 || position < history.end()),
    take: (limit) => {
      if (failed) return [];
      const events = initial.splice(-limit).reverse();
      if (initial.length === 0 && position < history.start()) {
        failed = true;
        return [...events, { type: 'errored', message: overrun(collection, position) }];
      }
      while (events.length < limit && position < history.end()) {
        const event = history.at(position);
        position += 1;
        if (event !== undefined && (id === undefined || event.resource.metadata.id === id)) events.push(event);
      }
      return events;
    },
  };
}

function refuseContradictions({ id, bootstrap, tailEvents = 0, fromBookmark }: WatchOptions): void {
  const refuse = (problem: string): never => {
    throw new BloomeryError('BLM_COSI_WATCH', `cannot watch: ${problem}`);
  };
  if (tailEvents > 0 && fromBookmark !== undefined) refuse('both the last events and a bookmark are asked for');
  if (bootstrap === true && id !== undefined) refuse('bootstrap contents of a single resource are asked for');
  if (bootstrap === true && (tailEvents > 0 || fromBookmark !== undefined))
    refuse('both bootstrap contents and a part of the history are asked for');
}

function firstPosition(collection: Collection, { id, tailEvents = 0, fromBookmark }: WatchOptions): number {
  const { history } = collection;
  if (fromBookmark !== undefined) return afterBookmark(collection, fromBookmark);
  let position = history.end();
  let wanted = tailEvents;
  while (wanted > 0 && position > history.start()) {
    position -= 1;
    if (id === undefined || history.at(position)?.resource.metadata.id === id) wanted -= 1;
  }
  return position;
}

function afterBookmark({ history }: Collection, bookmark: bigint): number {
  const next = bookmark + 1n;
  if (next < BigInt(history.start()) || next < 0n || next > BigInt(history.end()))
    throw new BloomeryError('BLM_COSI_BOOKMARK', 'invalid watch bookmark');
  return Number(next);
}

function initialEvents(collection: Collection, options: WatchOptions): StateEvent[] {
  const { id, bootstrap = false, tailEvents = 0, fromBookmark } = options;
  if (bootstrap) {
    const bookmark = BigInt(collection.history.end()) - 1n;
    const created = collection.list().map((resource) => ({ type: 'created', resource, bookmark: undefined }) as const);
    return [...created, { type: 'bootstrapped', bookmark }];
  }
  if (id === undefined || tailEvents > 0 || fromBookmark !== undefined) return [];
  const resource = collection.get(id);
  return [resource === undefined ? { type: 'absent', id } : { type: 'created', resource, bookmark: undefined }];
}

function overrun({ namespace, type, history }: Collection, position: number): string {
  return `buffer overrun: namespace "${namespace}" type "${type}", write pos ${history.end()}, pos ${position}`;
}
