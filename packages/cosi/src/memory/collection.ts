import type { Resource } from '../resource.ts';
import type { ChangeEvent } from '../state.ts';
import { createHistory, type History } from './history.ts';

/** Resources of one namespace and type, and what happened to them. */
export interface Collection {
  readonly namespace: string;
  readonly type: string;
  readonly history: History;
  readonly get: (id: string) => Resource | undefined;
  /** In the order of their ids. */
  readonly list: () => readonly Resource[];
  readonly put: (resource: Resource) => ChangeEvent;
  readonly remove: (resource: Resource) => ChangeEvent;
}

/** Nothing yet. */
export function createCollection(namespace: string, type: string, historyMax?: number): Collection {
  const byId = new Map<string, Resource>();
  const history = createHistory(historyMax);
  let sorted: readonly Resource[] | undefined;
  const record = (event: ChangeEvent): ChangeEvent => {
    history.append(event);
    sorted = undefined;
    return event;
  };
  return {
    namespace,
    type,
    history,
    get: (id) => byId.get(id),
    list: () => {
      sorted ??= [...byId.values()].sort(byResourceId);
      return sorted;
    },
    put: (resource) => {
      const old = byId.get(resource.metadata.id);
      byId.set(resource.metadata.id, resource);
      const bookmark = BigInt(history.end());
      if (old === undefined) return record({ type: 'created', resource, bookmark });
      return record({ type: 'updated', resource, old, bookmark });
    },
    remove: (resource) => {
      byId.delete(resource.metadata.id);
      return record({ type: 'destroyed', resource, bookmark: BigInt(history.end()) });
    },
  };
}

function byResourceId(a: Resource, b: Resource): number {
  return a.metadata.id < b.metadata.id ? -1 : a.metadata.id > b.metadata.id ? 1 : 0;
}
