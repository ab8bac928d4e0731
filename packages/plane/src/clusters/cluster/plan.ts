import type { ConditionChange, StatusPatch } from '@bloomery/kube';
import { isConditionTrue } from '@bloomery/kube';
import type { Cluster, JsonObject } from '@bloomery/model';
import type { Wait } from '../../allocation/wait.ts';
import { waitCondition, waitingFor } from '../../allocation/wait.ts';
import type { ProviderObject } from '../contract/provider-object.ts';

/** A Cluster and what its references lead to. */
export interface ClusterInput {
  readonly cluster: Cluster;
  readonly infrastructure: ProviderObject | undefined;
  readonly controlPlane: ProviderObject | undefined;
}

/** What to put into spec: the endpoint of the infrastructure, where the Cluster has none. */
export function planClusterSpec({ cluster, infrastructure }: ClusterInput): JsonObject | undefined {
  const endpoint = infrastructure?.view.endpoint;
  const hasOwn = (cluster.spec?.controlPlaneEndpoint?.host ?? '') !== '';
  return endpoint === undefined || hasOwn ? undefined : { spec: { controlPlaneEndpoint: { ...endpoint } } };
}

/**
 * The status of a living Cluster. Ready flags only go up: what a user, a moved object or an earlier report has set to true
 * stays, so that a running cluster is not taken back (spec/cluster.md §8). Pure.
 */
export function planClusterStatus(input: ClusterInput): {
  readonly status: StatusPatch;
  readonly wait: Wait | undefined;
} {
  const { cluster, infrastructure, controlPlane } = input;
  const before = cluster.status;
  const infrastructureReady = before?.infrastructureReady === true || infrastructure?.view.ready === true;
  const controlPlaneReady = before?.controlPlaneReady === true || controlPlane?.view.ready === true;
  const initialized =
    isConditionTrue(before?.conditions, 'ControlPlaneInitialized') || controlPlane?.view.initialized === true;
  const wait = clusterWait(input, infrastructureReady);
  const conditions: ConditionChange[] = [
    flag('InfrastructureReady', infrastructureReady, infrastructure, 'WaitingForInfrastructure'),
    flag('ControlPlaneReady', controlPlaneReady, controlPlane, 'WaitingForControlPlane'),
    flag('ControlPlaneInitialized', initialized, controlPlane, 'WaitingForControlPlaneProviderInitialized'),
    wait === undefined ? { type: 'Ready', status: 'True' as const } : waitCondition(wait),
  ].flatMap((c) => (c === undefined ? [] : [c]));
  return {
    status: {
      infrastructureReady,
      controlPlaneReady,
      phase: phaseOf(input, infrastructureReady),
      waitingFor: wait === undefined ? null : waitingFor(wait),
      observedGeneration: cluster.metadata.generation ?? before?.observedGeneration ?? null,
      conditions,
    },
    wait,
  };
}

function flag(
  type: string,
  isReady: boolean,
  source: ProviderObject | undefined,
  reason: string,
): ConditionChange | undefined {
  if (isReady) return { type, status: 'True' };
  if (source === undefined) return undefined;
  const message = source.object === undefined ? `${source.text} does not exist` : `${source.text} is not ready`;
  return { type, status: 'False', severity: 'Info', reason, message };
}

function clusterWait({ infrastructure, controlPlane }: ClusterInput, infrastructureReady: boolean): Wait | undefined {
  if (!infrastructureReady) {
    const message =
      infrastructure === undefined
        ? 'the Cluster names no spec.infrastructureRef; set it'
        : infrastructure.object === undefined
          ? `${infrastructure.text} does not exist; create it`
          : (infrastructure.view.waiting?.message ?? `${infrastructure.text} is not ready yet`);
    return { reason: 'WaitingForInfrastructure', message };
  }
  if (controlPlane !== undefined && !controlPlane.view.ready) {
    const message = `${controlPlane.text} ${controlPlane.object === undefined ? 'does not exist; create it' : 'is not ready yet'}`;
    return { reason: 'WaitingForControlPlane', message };
  }
  return undefined;
}

function phaseOf({ cluster, infrastructure, controlPlane }: ClusterInput, infrastructureReady: boolean): string {
  if (cluster.status?.failureReason !== undefined) return 'Failed';
  const endpoint = cluster.spec?.controlPlaneEndpoint ?? infrastructure?.view.endpoint;
  if (infrastructureReady && endpoint?.host && endpoint.port) return 'Provisioned';
  return infrastructure !== undefined || controlPlane !== undefined ? 'Provisioning' : 'Pending';
}
