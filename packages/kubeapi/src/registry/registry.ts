import type { KindDefinition } from '@bloomery/model';
import { type Resource, resourceId } from './resource.ts';

/** All resources that are served now. Changes when CRDs do. */
export interface Registry {
  /** Rises with every change: caches of discovery and OpenAPI compare it. */
  readonly generation: number;
  all(): readonly Resource[];
  byId(id: string): Resource | undefined;
  find(
    group: string,
    version: string,
    plural: string,
  ): { readonly resource: Resource; readonly version: KindDefinition } | undefined;
  /** The resource of a kind, for owner references. */
  ofKind(group: string, kind: string): Resource | undefined;
  set(resource: Resource): void;
  remove(id: string): void;
  /** Called after every change, until the returned function is. */
  onChange(listener: (id: string) => void): () => void;
}

/** Make a registry with these resources. */
export function createRegistry(initial: readonly Resource[]): Registry {
  const resources = new Map(initial.map((r) => [resourceId(r), r]));
  const listeners = new Set<(id: string) => void>();
  let generation = 1;
  const changed = (id: string): void => {
    generation += 1;
    for (const listener of listeners) listener(id);
  };
  return {
    get generation() {
      return generation;
    },
    all: () => [...resources.values()],
    byId: (id) => resources.get(id),
    find(group, version, plural) {
      const resource = resources.get(resourceId({ group, plural }));
      const found = resource?.versions.find((v) => v.version === version);
      return resource === undefined || found === undefined ? undefined : { resource, version: found };
    },
    ofKind: (group, kind) => [...resources.values()].find((r) => r.group === group && r.kind === kind),
    set(resource) {
      resources.set(resourceId(resource), resource);
      changed(resource.id);
    },
    remove(id) {
      if (resources.delete(id)) changed(id);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
