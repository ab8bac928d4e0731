import type { WaitReason } from './wait-reason.ts';

/** Waits that only say that something elsewhere in the cluster is not there yet: what that waits for explains more. */
export const CONSEQUENT_WAITS: ReadonlySet<string> = new Set<WaitReason>([
  'WaitingForCluster',
  'WaitingForClusterInfrastructure',
  'WaitingForInfrastructure',
  'WaitingForBootstrapData',
  'WaitingForControlPlane',
  'WaitingForControlPlaneUpgrade',
  'WaitingForDependents',
  'WaitingForFirstMachine',
  'WaitingForMachines',
  'WaitingForNode',
  'WaitingForNodes',
  'WaitingForWorkloadApi',
]);
