import type { Controller, ReconcileContext, Requeue } from '@bloomery/kube';
import { findObject, patchObject, patchStatus, setFinalizer } from '@bloomery/kube';
import type { Cluster, Machine, MachineSet } from '@bloomery/model';
import { cluster, FINALIZERS, keyOf, machine, machineSet } from '@bloomery/model';
import { isBloomeryError, type RandomBytes } from '@bloomery/ports';
import { isPaused } from '../../allocation/paused.ts';
import { type Wait, waitCondition, waitEvent, waitingFor } from '../../allocation/wait.ts';
import { claimPatch } from '../contract/claim.ts';
import { claimTemplate } from '../contract/claim-template.ts';
import { type ClusterIndex, clusterKeyOf, createClusterIndex } from '../contract/cluster-index.ts';
import { controllerOf, controllerReference, isControlledBy } from '../contract/owner-reference.ts';
import type { ProviderKinds } from '../contract/provider-object.ts';
import { sayingFailures } from '../contract/report-failure.ts';
import { sayPaused } from '../contract/say-paused.ts';
import { makeMachines, provideParts, readTemplates } from './make-machines.ts';
import { type MachineSetPlan, needsFreshRead, planMachineSet } from './plan.ts';
import { propagateToMachines } from './propagate-to-machines.ts';
import { freshMachines, readMachineSetInput } from './read-input.ts';
import { type CreationProblem, type MachineSetOutcome, planMachineSetStatus } from './status.ts';
import { machineSetWakes, machineSetWatches } from './watches.ts';

export interface MachineSetDeps {
  readonly kinds: ProviderKinds;
  /** For the names of Machines. */
  readonly random: RandomBytes;
}

/** What the API refused may be allowed without any object that is watched having changed. */
export const REFUSED_RETRY_MS = 30_000;

interface Work extends MachineSetDeps {
  readonly context: ReconcileContext;
  readonly machines: ClusterIndex<Machine>;
}

/**
 * The controller of MachineSet for embedded mode: keeps so many Machines as the set says, each with its infrastructure and
 * bootstrap config under one name, and replaces those that a MachineHealthCheck marked. spec/cluster.md §8.
 */
export function createMachineSetController(deps: MachineSetDeps): Controller<MachineSet> {
  const machines = createClusterIndex(machine);
  const sets = createClusterIndex(machineSet);
  return {
    name: 'machineset',
    kind: machineSet,
    watches: machineSetWatches(machines, sets),
    wakes: machineSetWakes(deps.kinds, sets),
    writes: [
      'MachineSet.status',
      'MachineSet.metadata.finalizers',
      'MachineSet.metadata.ownerReferences(Cluster)',
      'Machine.metadata.ownerReferences(MachineSet)',
      'Machine.metadata.labels(of the MachineSet)',
      'Machine.metadata.annotations(of the MachineSet)',
      '*.metadata.labels(of the MachineSet)',
      '*.metadata.annotations(of the MachineSet)',
      '*.metadata.ownerReferences(Cluster, of templates of MachineSets)',
      'Machine.spec.readinessGates',
      'Machine.spec.nodeDrainTimeout',
      'Machine.spec.nodeVolumeDetachTimeout',
      'Machine.spec.nodeDeletionTimeout',
    ],
    async reconcile(key, context) {
      const found = await findObject(context.client, machineSet, key);
      if (found === undefined) return {};
      sets.note(found);
      const owner = context.cache.get(cluster, clusterKeyOf(found));
      if (isPaused(found, owner)) {
        await sayPaused(context, machineSet, found);
        return {};
      }
      const work: Work = { ...deps, context, machines };
      return await sayingFailures(context, machineSet, found, async () =>
        found.metadata.deletionTimestamp === undefined
          ? await provide(await claim(found, owner, work), owner, work)
          : await remove(found, work),
      );
    },
  };
}

/** Finalizer first: what is made from now on is taken along. A set of no MachineDeployment belongs to its Cluster. */
async function claim(set: MachineSet, owner: Cluster | undefined, { context, kinds }: Work): Promise<MachineSet> {
  const { client } = context;
  const key = keyOf(set);
  if (set.metadata.finalizers?.includes(FINALIZERS.machineSet) !== true) {
    await setFinalizer(client, machineSet, key, FINALIZERS.machineSet, 'present');
  }
  if (owner === undefined) return await client.get(machineSet, key);
  const clusterName = owner.metadata.name;
  const template = set.spec?.template?.spec;
  for (const ref of [template?.infrastructureRef, template?.bootstrap.configRef]) {
    await claimTemplate({ ...kinds, client }, ref, owner);
  }
  return await patchObject(client, machineSet, key, (s) => claimPatch(s, { owner, clusterName, asController: false }));
}

async function provide(set: MachineSet, owner: Cluster | undefined, work: Work): Promise<Requeue> {
  const { context } = work;
  const { client, clock } = context;
  const input = await readMachineSetInput(set, owner, work);
  let plan = planMachineSet(input, clock.nowMs());
  if (needsFreshRead(plan)) {
    plan = planMachineSet({ ...input, machines: await freshMachines(client, set) }, clock.nowMs());
  }
  await adoptAndRelease(set, plan, context);
  await removeMachines(set, plan.remediate, 'it is unhealthy', context);
  await removeMachines(set, plan.remove, 'there are more than spec.replicas', context);
  const { made, problem } = await complete(set, plan, work);
  await propagateToMachines(set, plan.members, { client, kinds: work.kinds });
  const members = await refreshed([...plan.members, ...made], [...plan.remediate, ...plan.remove], client);
  const held = plan.held && heldProblem(plan.held);
  return await writeStatus(set, { members, created: made.length, problem: problem ?? held }, context);
}

/** Make the Machines that are missing, and what those that are there still lack. */
async function complete(set: MachineSet, plan: MachineSetPlan, work: Work): ReturnType<typeof makeMachines> {
  for (const member of plan.members) {
    const problem = await provideParts(work, set, member);
    if (problem !== undefined) return { made: [], problem };
  }
  if (plan.create === 0) return { made: [], problem: undefined };
  return await makeMachines(work, set, await readTemplates(work, set), plan.create);
}

async function adoptAndRelease(
  set: MachineSet,
  { adopt, release }: MachineSetPlan,
  { client, events }: ReconcileContext,
): Promise<void> {
  for (const { metadata } of adopt) {
    await patchObject(client, machine, keyOf({ ...set, metadata }), (m) =>
      controllerOf(m) !== undefined
        ? undefined
        : owners([...(m.metadata.ownerReferences ?? []), controllerReference(set)]),
    );
    events.record(set, { type: 'Normal', reason: 'SuccessfulAdopt', message: `Adopted Machine ${metadata.name}` });
  }
  for (const { metadata } of release) {
    await patchObject(client, machine, keyOf({ ...set, metadata }), (m) =>
      isControlledBy(m, set)
        ? owners((m.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== set.metadata.uid))
        : undefined,
    );
    const message = `Released Machine ${metadata.name}: the selector does not select it any more`;
    events.record(set, { type: 'Normal', reason: 'SuccessfulRelease', message });
  }
}

function owners(references: NonNullable<Machine['metadata']['ownerReferences']>) {
  return { metadata: { ownerReferences: references.map((reference) => ({ ...reference })) } };
}

async function removeMachines(
  set: MachineSet,
  machines: readonly Machine[],
  why: string,
  { client, events, log }: ReconcileContext,
): Promise<void> {
  for (const { metadata } of machines) {
    try {
      await client.delete(
        machine,
        keyOf({ ...set, metadata }),
        metadata.uid === undefined ? {} : { uid: metadata.uid },
      );
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
    }
    const message = `Deleted Machine ${metadata.name}: ${why}`;
    events.record(set, { type: 'Normal', reason: 'SuccessfulDelete', message });
    log.info('machine.deleted', { machine: metadata.name, machineSet: set.metadata.name, why });
  }
}

/** The members again, where deleting changed them. */
async function refreshed(
  members: readonly Machine[],
  deleted: readonly Machine[],
  client: ReconcileContext['client'],
): Promise<readonly Machine[]> {
  if (deleted.length === 0) return members;
  const names = new Set(deleted.map(({ metadata }) => metadata.name));
  const again = await Promise.all(
    members.map((member) => (names.has(member.metadata.name) ? findObject(client, machine, keyOf(member)) : member)),
  );
  return again.filter((member) => member !== undefined);
}

function heldProblem(wait: Wait): CreationProblem {
  return { reason: 'PreflightCheckFailed', severity: 'Info', wait, isFinal: false };
}

async function writeStatus(set: MachineSet, outcome: MachineSetOutcome, context: ReconcileContext): Promise<Requeue> {
  const { events, clock } = context;
  const { wait, nextMs } = planMachineSetStatus(set, outcome, clock.nowMs());
  await patchStatus(
    context,
    machineSet,
    keyOf(set),
    (current) => planMachineSetStatus({ ...set, ...statusOf(current) }, outcome, clock.nowMs()).status,
  );
  const event = wait && waitEvent(set.status?.conditions, wait);
  if (event !== undefined) events.record(set, event);
  const due = [nextMs, wait?.reason === 'MachineRefused' ? REFUSED_RETRY_MS : undefined].filter(
    (ms) => ms !== undefined,
  );
  return due.length === 0 ? {} : { afterMs: Math.min(...due) };
}

function statusOf({ status }: MachineSet): Pick<MachineSet, 'status'> {
  return status === undefined ? {} : { status };
}

/** All Machines go; the set stays until none is left. */
async function remove(set: MachineSet, { context }: Work): Promise<Requeue> {
  const { client, events } = context;
  const key = keyOf(set);
  const owned = (await freshMachines(client, set)).filter((one) => isControlledBy(one, set));
  const staying = owned.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  await removeMachines(set, staying, 'its MachineSet is deleted', context);
  const left = await refreshed(owned, staying, client);
  const [first] = left;
  if (first === undefined) {
    await setFinalizer(client, machineSet, key, FINALIZERS.machineSet, 'absent');
    return {};
  }
  const message = `waiting for ${left.length} machines to go, Machine ${first.metadata.name} first`;
  const wait: Wait = { reason: 'WaitingForDependents', message, event: 'waiting for machines to go' };
  await patchStatus(context, machineSet, key, () => ({
    replicas: left.length,
    readyReplicas: 0,
    availableReplicas: 0,
    waitingFor: waitingFor(wait),
    conditions: [waitCondition(wait), { type: 'Paused', status: null }],
  }));
  const event = waitEvent(set.status?.conditions, wait);
  if (event !== undefined) events.record(set, event);
  return {};
}
