import { ANNOTATIONS, type Cluster, type KubeObject } from '@bloomery/model';

/**
 * What goes wrong with a simulated machine or cluster, for who has no hand in the process: on a FakeMachine `dead` (powered
 * off) or `etcd` (its etcd failed), on a FakeCluster `api` (the Kubernetes API is unreachable). Without it all is well again.
 */
export const ANNOTATION_FAULT = 'instant.bloomery.dev/fault';

/** Of all kinds of the simulation. */
export const FINALIZER = 'instant.bloomery.dev/machine';

/** Whether the contract forbids to touch the object: it or its Cluster is paused, or it goes because it was moved elsewhere. */
export function isHeld({ metadata: { annotations = {} } }: KubeObject, cluster: Cluster | undefined): boolean {
  const names = [ANNOTATIONS.capiPaused, ANNOTATIONS.deleteForMove];
  return cluster?.spec?.paused === true || names.some((name) => Object.hasOwn(annotations, name));
}
