import type { Cluster, MetalCluster } from '@bloomery/model';
import { isPaused } from '../../allocation/paused.ts';
import type { Wait } from '../../allocation/wait.ts';

export type MetalClusterPlan =
  | { readonly do: 'wait'; readonly wait: Wait }
  /** Carry the finalizer and say that the infrastructure is ready. */
  | { readonly do: 'provide' }
  /** Being deleted: let go. */
  | { readonly do: 'finish' };

/**
 * Decide about a MetalCluster: it is ready once a Cluster owns it, because its endpoint is only carried. A missing owner
 * does not block its deletion (spec/metal.md §9). Pure.
 */
export function planMetalCluster(metalCluster: MetalCluster, owner: Cluster | undefined): MetalClusterPlan {
  const { ownerReferences, deletionTimestamp } = metalCluster.metadata;
  if (isPaused(metalCluster, owner)) {
    return wait(
      'Paused',
      `the MetalCluster or Cluster ${owner?.metadata.name ?? '(none)'} is paused; unpause it to go on`,
    );
  }
  if (deletionTimestamp !== undefined) return { do: 'finish' };
  const named = ownerReferences?.find(({ kind }) => kind === 'Cluster');
  if (named === undefined) {
    return wait(
      'WaitingForCluster',
      'no Cluster owns this MetalCluster; next: a Cluster whose spec.infrastructureRef names it becomes its owner',
    );
  }
  if (owner === undefined) {
    return wait(
      'WaitingForCluster',
      `Cluster ${named.name}, the owner, does not exist; next: create it or delete this MetalCluster`,
    );
  }
  return { do: 'provide' };
}

function wait(reason: Wait['reason'], message: string): MetalClusterPlan {
  return { do: 'wait', wait: { reason, message } };
}
