import type { ObjectCache } from '@bloomery/kube';
import type { KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { keyText } from '@bloomery/model';

type OfCluster = KubeObject & { readonly spec?: { readonly clusterName?: string } };

/** The objects of one kind by their Cluster, so that a change in one cluster costs nothing for the others. */
export interface ClusterIndex<T extends OfCluster> {
  /** Called with every object that came or changed, also again. */
  note(object: T): void;
  /** The objects of a Cluster that are in the cache, by name. */
  of(cache: ObjectCache, cluster: ObjectKey): readonly T[];
}

/** Make an empty index of a kind. It holds names only; what went is forgotten when its Cluster is asked for. */
export function createClusterIndex<T extends OfCluster>(kind: KindRef<T>): ClusterIndex<T> {
  const clusters = new Map<string, Set<string>>();
  return {
    note({ metadata: { name, namespace = '' }, spec }) {
      const cluster = keyText({ name: spec?.clusterName ?? '', namespace });
      const names = clusters.get(cluster);
      if (names === undefined) clusters.set(cluster, new Set([name]));
      else names.add(name);
    },
    of(cache, cluster) {
      const id = keyText(cluster);
      const names = clusters.get(id);
      if (names === undefined) return [];
      const found: T[] = [];
      for (const name of [...names].sort()) {
        const object = cache.get(kind, { ...cluster, name });
        if (object?.spec?.clusterName === cluster.name) found.push(object);
        else names.delete(name);
      }
      if (names.size === 0) clusters.delete(id);
      return found;
    },
  };
}

/** The key of the Cluster that an object names in spec.clusterName. */
export function clusterKeyOf({ metadata, spec }: OfCluster): ObjectKey {
  return { name: spec?.clusterName ?? '', namespace: metadata.namespace ?? 'default' };
}
