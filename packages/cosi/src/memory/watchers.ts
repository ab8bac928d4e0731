import type { Logger } from '@bloomery/ports';
import type { ChangeEvent, Follower, StateEvent, WatchOptions } from '../state.ts';
import type { Collection } from './collection.ts';
import { createDeliveries } from './deliveries.ts';
import { type CollectionCursor, followCollection } from './follow-collection.ts';

/** Who is told of writes. */
export interface Watchers {
  readonly tell: (collection: Collection, event: ChangeEvent) => void;
  readonly watch: (collection: Collection, options: WatchOptions, listener: (event: StateEvent) => void) => () => void;
  readonly follow: (collection: Collection, options: WatchOptions) => Follower;
  readonly observe: (listener: (event: ChangeEvent) => void) => () => void;
}

interface Watcher {
  readonly cursor: CollectionCursor;
  readonly onEvents: () => void;
}

/** Nobody yet. */
export function createWatchers(log: Logger): Watchers {
  const deliveries = createDeliveries(log);
  const byCollection = new Map<Collection, Set<Watcher>>();
  const observers = new Set<(event: ChangeEvent) => void>();

  const add = (collection: Collection, watcher: Watcher): (() => void) => {
    const watchers = byCollection.get(collection) ?? new Set();
    byCollection.set(collection, watchers.add(watcher));
    return () => {
      watchers.delete(watcher);
    };
  };

  return {
    tell: (collection, event) => {
      for (const observer of observers)
        deliveries.run(() => {
          if (observers.has(observer)) observer(event);
        });
      for (const watcher of byCollection.get(collection) ?? []) deliveries.run(watcher.onEvents);
    },
    watch: (collection, options, listener) => {
      const cursor = followCollection(collection, options);
      let isOver = false;
      const onEvents = (): void => {
        for (let [event] = cursor.take(1); event !== undefined && !isOver; [event] = cursor.take(1)) {
          const told = event;
          deliveries.attempt(() => listener(told));
        }
      };
      const remove = add(collection, { cursor, onEvents });
      deliveries.run(onEvents);
      return () => {
        isOver = true;
        remove();
      };
    },
    follow: (collection, options) => follower(followCollection(collection, options), (w) => add(collection, w)),
    observe: (listener) => {
      observers.add(listener);
      return () => {
        observers.delete(listener);
      };
    },
  };
}

function follower(cursor: CollectionCursor, add: (watcher: Watcher) => () => void): Follower {
  let isOver = false;
  let wake = (): void => {};
  const remove = add({ cursor, onEvents: () => wake() });
  return {
    begin: cursor.begin,
    take: (limit) => cursor.take(limit),
    ready: () => {
      if (isOver || cursor.isBehind()) return Promise.resolve();
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
    [Symbol.dispose]: () => {
      isOver = true;
      remove();
      wake();
    },
  };
}
