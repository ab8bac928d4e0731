import type { ConditionChange, StatusPatch } from '@bloomery/kube';
import { isConditionTrue } from '@bloomery/kube';
import type { Cluster, JsonObject, Machine } from '@bloomery/model';
import { LABELS } from '@bloomery/model';
import { waitCondition, waitingFor } from '../../allocation/wait.ts';
import { isClaimedByAnother } from '../contract/claim.ts';
import { type Mirror, mirrorCondition, type SourceWait, waitForSource } from '../contract/mirror.ts';
import { mendedReference, type ProviderObject, providerStateText } from '../contract/provider-object.ts';

/** A Cluster, what its references lead to, and its Machines. */
export interface ClusterInput {
  readonly cluster: Cluster;
  readonly infrastructure: ProviderObject | undefined;
  readonly controlPlane: ProviderObject | undefined;
  /** Of this cluster. Only needed where it has no controlPlaneRef. */
  readonly machines: readonly Machine[];
}

/** Conditions whose becoming True is an Event. */
export const CLUSTER_MILESTONES = ['InfrastructureReady', 'ControlPlaneInitialized', 'ControlPlaneReady', 'Ready'];

/**
 * What to put into spec: the endpoint of the infrastructure, else of the control plane, where the Cluster has none; and versions
 * of references that are served.
 */
export function planClusterSpec({ cluster, infrastructure, controlPlane }: ClusterInput): JsonObject | undefined {
  const infrastructureRef = mendedReference(cluster.spec?.infrastructureRef, infrastructure);
  const controlPlaneRef = mendedReference(cluster.spec?.controlPlaneRef, controlPlane);
  const endpoint = infrastructure?.view.endpoint ?? controlPlane?.view.endpoint;
  const { host = '', port = 0 } = cluster.spec?.controlPlaneEndpoint ?? {};
  const hasOwn = host !== '' && (port !== 0 || host !== endpoint?.host);
  const spec = {
    ...(endpoint === undefined || hasOwn ? {} : { controlPlaneEndpoint: { ...endpoint } }),
    ...(infrastructureRef === undefined ? {} : { infrastructureRef }),
    ...(controlPlaneRef === undefined ? {} : { controlPlaneRef }),
  };
  return Object.keys(spec).length === 0 ? undefined : { spec };
}

/**
 * The status of a living Cluster. Ready flags only go up: what a user, a moved object or an earlier report has set to true
 * stays, so that a running cluster is not taken back (spec/cluster.md §8). Pure.
 */
export function planClusterStatus(input: ClusterInput): {
  readonly status: StatusPatch;
  readonly wait: SourceWait['wait'] | undefined;
} {
  const { cluster, infrastructure, controlPlane } = input;
  const before = cluster.status;
  const infrastructureReady =
    before?.infrastructureReady === true ||
    !cluster.spec?.infrastructureRef?.name ||
    (infrastructure?.view.ready === true && !isTaken(infrastructure, cluster));
  const controlPlaneReady = before?.controlPlaneReady === true || controlPlane?.view.ready === true;
  const initialized = isConditionTrue(before?.conditions, 'ControlPlaneInitialized') || isInitialized(input);
  const mirrors: readonly Mirror[] = [
    {
      type: 'InfrastructureReady',
      isReady: infrastructureReady,
      source: infrastructure,
      reason: 'WaitingForInfrastructure',
    },
    ...(controlPlane === undefined
      ? []
      : [
          {
            type: 'ControlPlaneReady',
            isReady: controlPlaneReady,
            source: controlPlane,
            reason: 'WaitingForControlPlane' as const,
          },
        ]),
  ];
  const waits = clusterWait(input, mirrors, initialized);
  const conditions: ConditionChange[] = [
    ...mirrors.map(mirrorCondition),
    ...(controlPlane === undefined ? [{ type: 'ControlPlaneReady', status: null }] : []),
    initialized ? { type: 'ControlPlaneInitialized', status: 'True' as const } : notInitialized(input),
    waits === undefined ? { type: 'Ready', status: 'True' } : waitCondition(waits.wait),
    { type: 'Paused', status: null },
  ];
  const failure = failureOf(input);
  return {
    status: {
      infrastructureReady,
      controlPlaneReady,
      ...(infrastructure?.view.failureDomains === undefined
        ? {}
        : { failureDomains: infrastructure.view.failureDomains }),
      ...failure,
      phase: phaseOf(input, infrastructureReady, failure !== undefined),
      waitingFor: waits === undefined ? null : (waits.short ?? waitingFor(waits.wait)),
      observedGeneration: cluster.metadata.generation ?? before?.observedGeneration ?? null,
      conditions,
    },
    wait: waits?.wait,
  };
}

/** Is the object behind the reference the one of another Cluster? Then nothing of it is ours. */
function isTaken(source: ProviderObject | undefined, cluster: Cluster): boolean {
  return source?.object !== undefined && isClaimedByAnother(source.object, cluster);
}

/** By the control plane object; a cluster of stand-alone Machines is initialized once the first of them has its Node. */
function isInitialized({ cluster, controlPlane, machines }: ClusterInput): boolean {
  if (cluster.spec?.controlPlaneRef?.name) return controlPlane?.view.initialized === true;
  return machines.some((machine) => isControlPlane(machine) && Boolean(machine.status?.nodeRef?.name));
}

function isControlPlane({ metadata }: Machine): boolean {
  return Object.hasOwn(metadata.labels ?? {}, LABELS.controlPlane);
}

function notInitialized({ controlPlane }: ClusterInput): ConditionChange {
  return {
    type: 'ControlPlaneInitialized',
    status: 'False',
    severity: 'Info',
    reason: controlPlane === undefined ? 'MissingNodeRef' : 'WaitingForControlPlaneProviderInitialized',
    message:
      controlPlane === undefined
        ? 'waiting for the first control plane Machine to have its Node'
        : `waiting for ${controlPlane.text} to say that the control plane has been initialized`,
  };
}

function clusterWait(input: ClusterInput, mirrors: readonly Mirror[], initialized: boolean): SourceWait | undefined {
  const { cluster, infrastructure, controlPlane, machines } = input;
  const taken = [infrastructure, controlPlane].find((source) => isTaken(source, cluster));
  if (taken !== undefined) {
    const message = `${taken.text} belongs to another Cluster; name an object of its own in the reference`;
    return { wait: { reason: 'ReferenceTaken', message } };
  }
  for (const mirror of mirrors) {
    const found = waitForSource(mirror);
    if (found !== undefined) return gone(mirror) ?? found;
  }
  if (initialized) return undefined;
  const message =
    controlPlane === undefined && !machines.some(isControlPlane)
      ? 'the Cluster has neither a spec.controlPlaneRef nor a control plane Machine; give it one'
      : `${controlPlane?.text ?? 'no control plane Machine'} ${controlPlane === undefined ? 'has its Node yet' : 'is not initialized yet'}`;
  return { wait: { reason: 'WaitingForControlPlane', message } };
}

/** An object that was ready and is not there any more will not come back by itself. */
function gone({ isReady, source, reason }: Mirror): SourceWait | undefined {
  if (!isReady || source === undefined || source.object !== undefined) return undefined;
  const message = `${providerStateText(source)}: it has gone after it was ready`;
  return { wait: { reason, message } };
}

function failureOf({ cluster, infrastructure, controlPlane }: ClusterInput): StatusPatch | undefined {
  const source = [infrastructure, controlPlane].find(
    (one) => one?.view.failureReason !== undefined || one?.view.failureMessage !== undefined,
  );
  if (source === undefined) {
    const { failureReason, failureMessage } = cluster.status ?? {};
    return failureReason === undefined && failureMessage === undefined ? undefined : {};
  }
  const { failureReason, failureMessage } = source.view;
  return {
    ...(failureReason === undefined ? {} : { failureReason }),
    ...(failureMessage === undefined ? {} : { failureMessage: `${source.text} failed: ${failureMessage}` }),
  };
}

function phaseOf(
  { cluster, infrastructure, controlPlane }: ClusterInput,
  infrastructureReady: boolean,
  hasFailed: boolean,
): string {
  if (hasFailed) return 'Failed';
  const own = cluster.spec?.controlPlaneEndpoint;
  const endpoint = own?.host && own.port ? own : (infrastructure?.view.endpoint ?? controlPlane?.view.endpoint);
  if (infrastructureReady && endpoint?.host && endpoint.port) return 'Provisioned';
  const { infrastructureRef, controlPlaneRef } = cluster.spec ?? {};
  return infrastructureRef?.name || controlPlaneRef?.name ? 'Provisioning' : 'Pending';
}
