import {
  createFollowedKinds,
  createKindResolver,
  type FollowedKinds,
  type KindResolver,
  type ObjectClient,
  type WritableObjectCache,
} from '@bloomery/kube';
import { createWorkloadClusters, type WorkloadClusters } from '@bloomery/plane';
import type { Clock, Logger } from '@bloomery/ports';
import { createTalosApi, type TalosApi } from '@bloomery/talos';

export interface ClusterServicesDeps {
  readonly client: ObjectClient;
  readonly cache: WritableObjectCache;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the controllers of clusters share: kinds of others, the machines' Talos APIs, and the Kubernetes APIs that we made. */
export interface ClusterServices extends AsyncDisposable {
  readonly kinds: {
    readonly resolver: KindResolver;
    readonly cache: WritableObjectCache;
    readonly followed: FollowedKinds;
  };
  readonly talos: TalosApi;
  readonly workload: WorkloadClusters;
}

/** Nothing is connected before a controller asks for it. Disposing closes every connection. */
export function createClusterServices(deps: ClusterServicesDeps, signal: AbortSignal): ClusterServices {
  const following = { ...deps, random: Math.random };
  const resolver = createKindResolver(following, signal);
  const followed = createFollowedKinds({ ...following, resolver }, signal);
  const talos = createTalosApi({ clock: deps.clock });
  const workload = createWorkloadClusters(following, signal);
  return {
    kinds: { resolver, cache: deps.cache, followed },
    talos,
    workload,
    async [Symbol.asyncDispose]() {
      await workload[Symbol.asyncDispose]();
      await talos[Symbol.asyncDispose]();
    },
  };
}
