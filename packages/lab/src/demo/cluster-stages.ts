import type { Cluster, Machine, MachineDeployment, TalosControlPlane } from '@bloomery/model';
import { isTrue } from './machine-stages.ts';

/** The stages of a cluster's journey in the lab, in about this order. */
export const CLUSTER_STAGES = [
  'InfrastructureReady',
  'Bootstrapped',
  'Initialized',
  'ControlPlaneReady',
  'WorkersAvailable',
  'MachinesRunning',
  'ClusterReady',
] as const;

export type ClusterStage = (typeof CLUSTER_STAGES)[number];

/** What can be seen of a cluster at one moment. */
export interface ClusterSight {
  readonly cluster: Cluster | undefined;
  readonly controlPlane: TalosControlPlane | undefined;
  readonly deployments: readonly MachineDeployment[];
  readonly machines: readonly Machine[];
}

/** The stages that a sight proves: each by what its own controller says. */
export function clusterStagesSeen(sight: ClusterSight): ReadonlySet<ClusterStage> {
  const { cluster, controlPlane, deployments, machines } = sight;
  const proven: Readonly<Record<ClusterStage, boolean>> = {
    InfrastructureReady: cluster?.status?.infrastructureReady === true,
    Bootstrapped: controlPlane?.status?.bootstrapped === true,
    Initialized: controlPlane?.status?.initialized === true,
    ControlPlaneReady: controlPlane?.status?.ready === true,
    WorkersAvailable:
      deployments.length > 0 &&
      deployments.every(({ spec, status }) => status?.availableReplicas === (spec?.replicas ?? 1)),
    MachinesRunning:
      machines.length > 1 &&
      machines.every(({ status }) => status?.phase === 'Running' && status.nodeRef?.name !== undefined),
    ClusterReady: isTrue(cluster?.status?.conditions, 'Ready'),
  };
  return new Set(CLUSTER_STAGES.filter((stage) => proven[stage]));
}

/** What the objects of a cluster say that they wait for. */
export function clusterWaits({ cluster, controlPlane, deployments, machines }: ClusterSight): string[] {
  return [cluster, controlPlane, ...deployments, ...machines].flatMap((object) => {
    const waitingFor = object?.status?.waitingFor;
    return object === undefined || !waitingFor ? [] : [`${object.kind}/${object.metadata.name}: ${waitingFor}`];
  });
}
