import type { ReconcileContext } from '@bloomery/kube';
import { patchStatus, setFinalizer } from '@bloomery/kube';
import type { KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { cluster, FINALIZERS, keyOf, machine, machineDeployment, machineSet } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { Wait } from '../../allocation/wait.ts';
import { waitCondition, waitEvent, waitingFor } from '../../allocation/wait.ts';
import { finalizerWait } from '../contract/foreign-finalizers.ts';
import { type ClusterDeletionStep, planClusterDeletion } from './deletion.ts';
import type { ClusterInput } from './plan.ts';

/** One step of a Cluster's deletion; the next one comes when something of what is awaited has gone. */
export async function removeCluster(input: ClusterInput, context: ReconcileContext): Promise<void> {
  const { client } = context;
  const { cluster: found } = input;
  const { namespace = 'default', name } = found.metadata;
  const ofCluster = <T extends KubeObject & { readonly spec?: { readonly clusterName: string } }>(kind: KindRef<T>) =>
    client.list(kind, { namespace }).then(({ items }) => items.filter(({ spec }) => spec?.clusterName === name));
  const [machineDeployments, machineSets, machines] = await Promise.all([
    ofCluster(machineDeployment),
    ofCluster(machineSet),
    ofCluster(machine),
  ]);
  const step = planClusterDeletion({ ...input, machineDeployments, machineSets, machines });
  if (step.stage === 'done') {
    const kept = finalizerWait(found, FINALIZERS.cluster);
    if (kept !== undefined) await say(found, kept, context);
    // Others may hold it after us, and every change of theirs comes by here.
    if (found.metadata.finalizers?.includes(FINALIZERS.cluster) !== true) return;
    await setFinalizer(client, cluster, keyOf(found), FINALIZERS.cluster, 'absent');
    context.events.record(found, { type: 'Normal', reason: 'Deleted', message: 'everything of the Cluster is gone' });
    return;
  }
  await Promise.all([
    ...step.machineDeployments.map((one) => deleteIfThere(context, machineDeployment, keyOf(one))),
    ...step.machineSets.map((one) => deleteIfThere(context, machineSet, keyOf(one))),
    ...step.machines.map((one) => deleteIfThere(context, machine, keyOf(one))),
  ]);
  const { provider } = step;
  if (provider?.kind !== undefined && provider.object?.metadata.deletionTimestamp === undefined) {
    await deleteIfThere(context, provider.kind, provider.key);
  }
  await report(input, step, context);
}

async function deleteIfThere({ client }: ReconcileContext, kind: KindRef, key: ObjectKey): Promise<void> {
  try {
    await client.delete(kind, key);
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
  }
}

const STAGE_EVENTS = {
  workers: 'the workers are going',
  controlPlane: 'the control plane is going',
  infrastructure: 'the infrastructure is going',
} as const;

async function report(
  { cluster: found }: ClusterInput,
  { stage, awaited }: ClusterDeletionStep,
  context: ReconcileContext,
): Promise<void> {
  if (stage === 'done') return;
  const wait: Wait = {
    reason: DELETION_WAITS[stage],
    message: `waiting for ${awaited} to go`,
    event: STAGE_EVENTS[stage],
  };
  await say(found, wait, context);
}

async function say(found: ClusterInput['cluster'], wait: Wait, context: ReconcileContext): Promise<void> {
  await patchStatus(context, cluster, keyOf(found), () => ({
    phase: 'Deleting',
    waitingFor: waitingFor(wait),
    conditions: [waitCondition(wait), { type: 'Paused', status: null }],
  }));
  const event = waitEvent(found.status?.conditions, wait);
  if (event !== undefined) context.events.record(found, event);
}

const DELETION_WAITS = {
  workers: 'WaitingForWorkersToGo',
  controlPlane: 'WaitingForControlPlaneToGo',
  infrastructure: 'WaitingForInfrastructureToGo',
} as const;
