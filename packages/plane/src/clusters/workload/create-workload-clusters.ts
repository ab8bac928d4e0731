import type { ObjectClient, WritableObjectCache } from '@bloomery/kube';
import { cluster as clusterKind, keyOf, keyText, type Node, type ObjectKey } from '@bloomery/model';
import { BloomeryError, type Clock, errorText, type Logger } from '@bloomery/ports';
import { createConnectGate } from './connect-gate.ts';
import { followKubeconfigSecrets } from './follow-secrets.ts';
import { guardedClient } from './guarded-client.ts';
import type { WorkloadClusters, WorkloadState } from './workload-clusters.ts';
import { openWorkloadConnection, type WorkloadConnection } from './workload-connection.ts';

export interface WorkloadClustersDeps {
  /** Of the management cluster. Kubeconfigs are read through it, never kept. */
  readonly client: Pick<ObjectClient, 'get' | 'watch'>;
  /** Must hold Clusters: only for those a connection is opened, and closed when one goes. */
  readonly cache: Pick<WritableObjectCache, 'get' | 'listen'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 ≤ r < 1, for back-off. */
  readonly random: () => number;
}

type Listener = (cluster: ObjectKey, node: Node | undefined) => void;

/** Clusters that are connected to at the same time; the others wait, so that a start with hundreds is no storm. */
const MAX_CONNECTING = 4;
const NO_KUBECONFIG: WorkloadState = { state: 'noKubeconfig' };

/** Access to workload clusters. Nothing is opened before somebody asks about a Cluster. */
export function createWorkloadClusters(deps: WorkloadClustersDeps, signal: AbortSignal): WorkloadClusters {
  const stop = new AbortController();
  const ends = AbortSignal.any([signal, stop.signal]);
  const connections = new Map<string, WorkloadConnection>();
  const closing = new Set<PromiseLike<void>>();
  const listeners = new Set<Listener>();
  const gate = createConnectGate(MAX_CONNECTING, deps.clock);
  let secrets: Promise<void> | undefined;

  const tell = (cluster: ObjectKey, node: Node | undefined): void => {
    for (const listener of listeners) listener(cluster, node);
  };
  const secretChanged = (cluster: ObjectKey | undefined): void => {
    if (cluster === undefined) for (const one of connections.values()) one.recheck();
    else connections.get(keyText(cluster))?.recheck();
  };
  const open = (cluster: ObjectKey): WorkloadConnection | undefined => {
    const key = keyText(cluster);
    const found = connections.get(key);
    if (found !== undefined || ends.aborted || deps.cache.get(clusterKind, cluster) === undefined) return found;
    const changed = (node: Node | undefined): void => tell(cluster, node);
    const opened = openWorkloadConnection(cluster, { ...deps, gate, changed }, ends);
    connections.set(key, opened);
    secrets ??= followKubeconfigSecrets({ ...deps, changed: secretChanged }, ends);
    return opened;
  };
  const close = (key: string): void => {
    const found = connections.get(key);
    connections.delete(key);
    if (found === undefined) return;
    const closed = found[Symbol.asyncDispose]().then(() => void closing.delete(closed));
    closing.add(closed);
  };
  const unlisten = deps.cache.listen(clusterKind, (cluster, gone) => {
    if (gone) close(keyText(keyOf(cluster)));
  });

  return {
    state: (cluster) => open(cluster)?.state() ?? NO_KUBECONFIG,
    nodes: (cluster) => open(cluster)?.nodes.list(),
    nodeByProviderId(cluster, providerId) {
      const found = open(cluster)?.nodes.withProviderId(providerId) ?? [];
      if (found.length > 1) throw ambiguous(cluster, providerId, found);
      return found[0];
    },
    client: (cluster) => open(cluster)?.client ?? guardedClient(cluster, () => 'there is no such Cluster'),
    wake: (map) => ({
      listen(wake) {
        const listener: Listener = (cluster, node) => {
          try {
            for (const key of map(cluster, node)) wake(key);
          } catch (error) {
            deps.log.error('workload.wake.failed', { cluster: cluster.name, error: errorText(error) });
          }
        };
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      unlisten();
      for (const key of [...connections.keys()]) close(key);
      await Promise.all([...closing, secrets]);
    },
  };
}

function ambiguous(cluster: ObjectKey, providerId: string, nodes: readonly Node[]): BloomeryError {
  const names = nodes.map(({ metadata }) => metadata.name).sort();
  return new BloomeryError(
    'BLM_NODE_AMBIGUOUS',
    `looking for the Node of ${providerId} in Cluster ${keyText(cluster)}: ${names.join(' and ')} both carry this provider id`,
    { facts: { cluster: keyText(cluster), providerId, nodes: names } },
  );
}
