import type { WorkloadClusters } from '../workload-clusters.ts';

/** Workload clusters of a world that has none: no kubeconfig, no Nodes. */
export const noWorkloads: WorkloadClusters = {
  state: () => ({ state: 'noKubeconfig' }),
  nodes: () => undefined,
  nodeByProviderId: () => undefined,
  client() {
    throw new RangeError('there is no workload cluster in this world');
  },
  wake: () => ({ listen: () => () => {} }),
  async [Symbol.asyncDispose]() {},
};
