import type { ApiObject } from '../api-object.ts';
import type { Change, Store } from '../store/store.ts';

/** One change as a watch with a selector sees it. Objects are in the stored version. */
export interface HubEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ApiObject;
  readonly rev: number;
}

/** What a watch is interested in. */
export interface HubInterest {
  readonly resource: string;
  /** Absent: all namespaces. */
  readonly namespace: string | undefined;
  readonly selects: (object: ApiObject) => boolean;
}

/** Delivers committed changes to watches, in order, from the moment of the subscription. */
export interface WatchHub {
  /** `deliver` gets what each commit means for this interest; it must not throw. */
  subscribe(interest: HubInterest, deliver: (events: readonly HubEvent[]) => void): () => void;
  readonly size: number;
}

/** What a change means for a watch: it may enter, change within or leave the selection. */
export function eventOf(change: Change, interest: HubInterest): HubEvent | undefined {
  if (change.id.resource !== interest.resource) return undefined;
  if (interest.namespace !== undefined && change.id.namespace !== interest.namespace) return undefined;
  const { rev, before } = change;
  const was = before !== undefined && interest.selects(before);
  const is = change.type === 'put' && interest.selects(change.object);
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object: change.object, rev };
  if (!was) return undefined;
  // The last state that was selected, with the revision at which it left.
  const last =
    change.type === 'delete'
      ? change.object
      : { ...before, metadata: { ...before.metadata, resourceVersion: String(rev) } };
  return { type: 'DELETED', object: last, rev };
}

/** Make the hub of a store: one subscription to the store serves all watches, found by resource. */
export function createWatchHub(store: Store): WatchHub {
  type Watcher = { readonly interest: HubInterest; readonly deliver: (events: readonly HubEvent[]) => void };
  const watchers = new Map<string, Set<Watcher>>();
  let size = 0;
  store.subscribe((changes) => {
    const byResource = Map.groupBy(changes, (change) => change.id.resource);
    for (const [resource, group] of byResource) {
      for (const watcher of watchers.get(resource) ?? []) {
        const events = group.map((c) => eventOf(c, watcher.interest)).filter((e) => e !== undefined);
        if (events.length > 0) watcher.deliver(events);
      }
    }
  });
  return {
    get size() {
      return size;
    },
    subscribe(interest, deliver) {
      const watcher: Watcher = { interest, deliver };
      const set = watchers.get(interest.resource) ?? new Set<Watcher>();
      watchers.set(interest.resource, set);
      set.add(watcher);
      size += 1;
      return () => {
        if (set.delete(watcher)) size -= 1;
      };
    },
  };
}
