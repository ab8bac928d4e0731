import { apiError } from '@bloomery/kube';
import { createMemoryClient, type MemoryClient } from '@bloomery/kube/testing';
import type { Node, ObjectKey } from '@bloomery/model';
import { node as nodeKind } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import type { WorkloadClusters, WorkloadState } from '../workload-clusters.ts';

/** The Kubernetes API of one workload cluster, in memory, for every Cluster that is asked about. */
export interface MemoryWorkloads extends WorkloadClusters {
  readonly api: MemoryClient;
  /** A Node joins, or changes. */
  join(node: Node): Promise<void>;
  /** A Node goes without us. */
  lose(name: string): Promise<void>;
  /** How the API answers from now on. */
  become(state: WorkloadState): void;
  /** Patches are refused with this text from now on; undefined: no more. */
  refusePatches(why: string | undefined): void;
}

/** Make one. It is reachable and has no Nodes. */
export function createMemoryWorkloads(): MemoryWorkloads {
  const nodes = new Map<string, Node>();
  const listeners = new Set<(node: Node | undefined) => void>();
  let state: WorkloadState = { state: 'reachable' };
  const told = (node: Node | undefined): void => {
    for (const listener of listeners) listener(node);
  };
  let refusal: string | undefined;
  const api = createMemoryClient({
    intercept(verb) {
      if (verb === 'patch' && refusal !== undefined) throw apiError({ code: 403, reason: '', message: refusal });
      if (state.state !== 'reachable') {
        throw new BloomeryError('BLM_WORKLOAD_UNREACHABLE', 'asking: no answer', { retryable: true });
      }
    },
  });
  return {
    api,
    state: () => state,
    nodes: () => (state.state === 'reachable' ? [...nodes.values()] : undefined),
    nodeByProviderId(_, id) {
      const found = [...nodes.values()].filter(({ spec }) => spec?.providerID === id);
      if (found.length > 1) {
        throw new BloomeryError('BLM_NODE_AMBIGUOUS', `looking for the Node of ${id}: there are ${found.length}`);
      }
      return found[0];
    },
    client: () => api,
    wake: (map) => ({
      listen(wake) {
        const listener = (node: Node | undefined): void => {
          for (const key of map(CLUSTER, node)) wake(key);
        };
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    }),
    async join(node) {
      const made = await api.create(nodeKind, node);
      const { status = {} } = node;
      await api.patch(
        nodeKind,
        { name: node.metadata.name },
        { type: 'merge', body: { status } },
        { subresource: 'status' },
      );
      nodes.set(node.metadata.name, { ...made, status });
      told(made);
    },
    async lose(name) {
      const gone = nodes.get(name);
      nodes.delete(name);
      told(gone);
    },
    become(next) {
      state = next;
      told(undefined);
    },
    refusePatches(why) {
      refusal = why;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** The Cluster that its Nodes are said to be of. */
const CLUSTER: ObjectKey = { name: 'c', namespace: 'default' };
