import type { WakeSource } from '@bloomery/kube';
import { keyText, LABELS, type ObjectKey } from '@bloomery/model';
import type { WorkloadClusters } from '../../clusters/workload/workload-clusters.ts';

/** Which MetalMachine is interested in which Node of which workload cluster. One entry for each MetalMachine with a Server. */
export interface NodeInterest {
  set(machine: ObjectKey, cluster: ObjectKey, server: string): void;
  forget(machine: ObjectKey): void;
  /** Wakes a MetalMachine when its Node changed, and all of a cluster when its reachability did. */
  wakes(workload: Pick<WorkloadClusters, 'wake'>): WakeSource;
}

/** Make an empty one. */
export function createNodeInterest(): NodeInterest {
  const byCluster = new Map<string, Map<string, ObjectKey>>();
  const places = new Map<string, { readonly cluster: string; readonly server: string }>();
  const forget = (machine: ObjectKey): void => {
    const place = places.get(keyText(machine));
    if (place === undefined) return;
    places.delete(keyText(machine));
    const servers = byCluster.get(place.cluster);
    servers?.delete(place.server);
    if (servers?.size === 0) byCluster.delete(place.cluster);
  };
  return {
    set(machine, cluster, server) {
      forget(machine);
      const text = keyText(cluster);
      places.set(keyText(machine), { cluster: text, server });
      const servers = byCluster.get(text) ?? new Map<string, ObjectKey>();
      byCluster.set(text, servers.set(server, machine));
    },
    forget,
    wakes: (workload) =>
      workload.wake((cluster, node) => {
        const servers = byCluster.get(keyText(cluster));
        if (servers === undefined) return [];
        if (node === undefined) return [...servers.values()];
        const machine = servers.get(node.metadata.labels?.[LABELS.nodeServer] ?? '');
        return machine === undefined ? [] : [machine];
      }),
  };
}
