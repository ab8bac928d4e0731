import type { Controller, ReconcileContext, Requeue } from '@bloomery/kube';
import { findObject, patchObject, patchStatus, setFinalizer, watchSource } from '@bloomery/kube';
import type { JsonObject, Machine, ObjectKey } from '@bloomery/model';
import { cluster, FINALIZERS, keyOf, LABELS, machine } from '@bloomery/model';
import { type BloomeryError, isBloomeryError } from '@bloomery/ports';
import { isPaused } from '../../allocation/paused.ts';
import { waitEvent } from '../../allocation/wait.ts';
import { claimPatch, isClaimedByAnother } from '../contract/claim.ts';
import { becameTrueEvents } from '../contract/mirror.ts';
import { type ProviderKinds, readProviderObject } from '../contract/provider-object.ts';
import { providerWakes } from '../contract/provider-wakes.ts';
import { sayingFailures } from '../contract/report-failure.ts';
import { sayPaused } from '../contract/say-paused.ts';
import { syncNode } from '../workload/node-sync.ts';
import type { WorkloadClusters } from '../workload/workload-clusters.ts';
import type { MachineDeletionInput } from './deletion.ts';
import { viewNode } from './node-view.ts';
import { MACHINE_MILESTONES, type MachineInput, ownSource, planMachineSpec, planMachineStatus } from './plan.ts';
import { planMachineMetadata } from './plan-metadata.ts';
import { removeMachine } from './remove.ts';

export interface MachineControllerDeps extends ProviderKinds {
  readonly workloads: WorkloadClusters;
}

/** A call that got no answer; whether the API lives is found out elsewhere. */
const NODE_RETRY_MS = 2000;

const STATUS_WRITES = [
  ...['phase', 'addresses', 'bootstrapReady', 'infrastructureReady', 'nodeRef', 'nodeInfo', 'failureReason'],
  ...['failureMessage', 'lastUpdated', 'certificatesExpiryDate', 'deletion', 'observedGeneration', 'waitingFor'],
].map((field) => `Machine.status.${field}`);
/** The other conditions of a Machine are those of health checks and of the control plane. */
const CONDITION_WRITES = [
  ...['Ready', 'Paused', 'BootstrapReady', 'InfrastructureReady', 'NodeHealthy', 'DrainingSucceeded'],
  ...['VolumeDetachSucceeded', 'PreDrainDeleteHookSucceeded', 'PreTerminateDeleteHookSucceeded'],
].map((type) => `Machine.status.conditions.${type}`);

/**
 * The controller of Machine for embedded mode: claims the bootstrap and infrastructure objects, of any kind, carries the
 * secret's name, provider id and addresses over, finds the Node, and deletes in order. In cluster mode Cluster API's own runs
 * instead.
 */
export function createMachineController(deps: MachineControllerDeps): Controller<Machine> {
  const { workloads, cache } = deps;
  const ofCluster = ({ name, namespace }: ObjectKey): readonly Machine[] =>
    cache.list(machine, namespace).filter(({ spec }) => spec?.clusterName === name);
  return {
    name: 'machine',
    kind: machine,
    concurrency: 8,
    watches: [
      watchSource(cluster, ({ metadata: { name, namespace = 'default' } }) =>
        ofCluster({ name, namespace }).map(keyOf),
      ),
    ],
    wakes: [
      ...providerWakes(deps, machine, ({ spec }) => [spec?.infrastructureRef, spec?.bootstrap.configRef]),
      workloads.wake((key, node) => {
        const concerned = ofCluster(key).filter(
          ({ spec, status }) =>
            node === undefined ||
            (node.spec?.providerID !== undefined && node.spec.providerID === spec?.providerID) ||
            node.metadata.name === status?.nodeRef?.name,
        );
        return concerned.map(keyOf);
      }),
    ],
    writes: [
      'Machine.metadata.finalizers(machine)',
      'Machine.metadata.labels(cluster-name)',
      'Machine.metadata.ownerReferences(Cluster)',
      'Machine.spec.bootstrap.dataSecretName',
      'Machine.spec.bootstrap.configRef.apiVersion',
      'Machine.spec.infrastructureRef.apiVersion',
      'Machine.spec.providerID',
      'Machine.spec.failureDomain',
      ...STATUS_WRITES,
      ...CONDITION_WRITES,
      'Node.metadata.labels (workload cluster)',
      'Node.metadata.annotations (workload cluster)',
      'Node.spec.taints (workload cluster)',
      'Node.spec.unschedulable (workload cluster)',
      '*.metadata.ownerReferences(Machine)',
      '*.metadata.labels(cluster-name, of what Machines refer to)',
    ],
    async reconcile(key, context) {
      const found = await findObject(context.client, machine, key);
      if (found === undefined) return {};
      const { namespace = 'default' } = found.metadata;
      const owner = await findObject(context.client, cluster, { name: found.spec?.clusterName ?? '', namespace });
      if (isPaused(found, owner)) {
        await sayPaused(context, machine, found);
        return {};
      }
      return sayingFailures(context, machine, found, async () => {
        const isAlive = found.metadata.deletionTimestamp === undefined;
        if (isAlive && found.metadata.finalizers?.includes(FINALIZERS.machine) !== true) {
          await setFinalizer(context.client, machine, key, FINALIZERS.machine, 'present');
        }
        const input = await readInput(found, owner, context, deps);
        if (isAlive) return provide(input, context, workloads);
        return removeMachine(await deletionInput(input, context, deps), context, workloads);
      });
    },
  };
}

async function readInput(
  found: Machine,
  owner: MachineInput['cluster'],
  { client }: ReconcileContext,
  deps: MachineControllerDeps,
): Promise<MachineInput> {
  const { namespace = 'default' } = found.metadata;
  const [bootstrap, infrastructure] = await Promise.all([
    readProviderObject({ ...deps, client }, found.spec?.bootstrap.configRef, namespace),
    readProviderObject({ ...deps, client }, found.spec?.infrastructureRef, namespace),
  ]);
  const ready = ownSource(infrastructure, found)?.view;
  const providerId = found.spec?.providerID ?? (ready?.ready === true ? ready.providerID : undefined);
  return {
    machine: found,
    cluster: owner,
    bootstrap,
    infrastructure,
    node: viewNode(deps.workloads, owner, providerId),
  };
}

async function deletionInput(
  input: MachineInput,
  { client }: ReconcileContext,
  deps: MachineControllerDeps,
): Promise<MachineDeletionInput> {
  const { namespace = 'default' } = input.machine.metadata;
  const [controlPlane, { items }] = await Promise.all([
    readProviderObject({ ...deps, client }, input.cluster?.spec?.controlPlaneRef, namespace),
    client.list(machine, { namespace, labels: LABELS.controlPlane }),
  ]);
  const living = items.filter(
    ({ metadata, spec }) =>
      metadata.deletionTimestamp === undefined && spec?.clusterName === input.machine.spec?.clusterName,
  );
  return { ...input, controlPlane, livingControlPlanes: living.length };
}

async function provide(input: MachineInput, context: ReconcileContext, workloads: WorkloadClusters): Promise<Requeue> {
  const { events, clock } = context;
  const { machine: found } = input;
  const key = keyOf(found);
  await patchIfNeeded(context, found, (current) => planMachineMetadata({ ...input, machine: current }));
  await claimParts(input, context);
  await patchIfNeeded(context, found, (current) => planMachineSpec({ ...input, machine: current }));
  const refusal = await syncRefusal(input, workloads);
  const plan = (current: Machine) => planMachineStatus({ ...input, machine: current }, clock.nowMs(), refusal);
  const { wait } = plan(found);
  const after = await patchStatus(context, machine, key, (current) => plan(current).status);
  const before = found.status;
  for (const event of becameTrueEvents(before?.conditions, after.status?.conditions, MACHINE_MILESTONES)) {
    events.record(found, event);
  }
  if (before?.nodeRef?.name === undefined && after.status?.nodeRef?.name !== undefined) {
    events.record(found, { type: 'Normal', reason: 'SuccessfulSetNodeRef', message: after.status.nodeRef.name });
  }
  const event = wait && waitEvent(before?.conditions, wait);
  if (event !== undefined) events.record(found, event);
  // The status says so already: `sayingFailures` finds nothing to write, which would wake us at once.
  if (isBloomeryError(refusal, 'BLM_WORKLOAD_UNREACHABLE')) return { afterMs: NODE_RETRY_MS };
  if (refusal !== undefined) throw refusal;
  return {};
}

/** Why the Node could not be given what belongs to it; undefined: it has it, or nobody can be asked. */
async function syncRefusal(
  { machine: found, node, cluster: owner }: MachineInput,
  workloads: WorkloadClusters,
): Promise<BloomeryError | undefined> {
  if (node.state !== 'found' || owner === undefined) return undefined;
  try {
    await syncNode(workloads.client(keyOf(owner)), node.node, found);
    return undefined;
  } catch (error) {
    if (isBloomeryError(error)) return error;
    throw error;
  }
}

async function claimParts(input: MachineInput, context: ReconcileContext): Promise<void> {
  const { machine: found, bootstrap, infrastructure } = input;
  const claim = { owner: found, clusterName: found.spec?.clusterName ?? '', asController: true };
  for (const part of [bootstrap, infrastructure]) {
    if (part?.kind === undefined || part.object === undefined || isClaimedByAnother(part.object, found)) continue;
    if (claimPatch(part.object, claim) === undefined) continue;
    await patchObject(context.client, part.kind, part.key, (object) => claimPatch(object, claim));
  }
}

async function patchIfNeeded(
  { client }: ReconcileContext,
  found: Machine,
  change: (current: Machine) => JsonObject | undefined,
): Promise<void> {
  if (change(found) === undefined) return;
  await patchObject(client, machine, keyOf(found), change);
}

/** Only that it is paused is said; everything else stays as it is. */
