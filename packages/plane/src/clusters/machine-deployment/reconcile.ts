import type { Controller, ReconcileContext, Requeue } from '@bloomery/kube';
import { findObject, patchObject, patchStatus, setFinalizer } from '@bloomery/kube';
import type { Cluster, JsonObject, Machine, MachineDeployment, MachineSet } from '@bloomery/model';
import {
  ANNOTATIONS,
  cluster,
  compileLabelSelector,
  FINALIZERS,
  keyOf,
  LABELS,
  machine,
  machineDeployment,
  machineSet,
} from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import { isPaused } from '../../allocation/paused.ts';
import { type Wait, waitCondition, waitEvent, waitingFor } from '../../allocation/wait.ts';
import { claimPatch } from '../contract/claim.ts';
import { claimTemplate } from '../contract/claim-template.ts';
import { type ClusterIndex, clusterKeyOf, createClusterIndex } from '../contract/cluster-index.ts';
import { controllerOf, controllerReference, isControlledBy } from '../contract/owner-reference.ts';
import type { ProviderKinds } from '../contract/provider-object.ts';
import { sayingFailures } from '../contract/report-failure.ts';
import { sayPaused } from '../contract/say-paused.ts';
import { REFUSED_RETRY_MS } from '../machine-set/reconcile.ts';
import { createFreshSet } from './create-fresh-set.ts';
import { inPlacePatch, MACHINE_DEPLOYMENT_MANAGER, sizeAnnotations } from './machine-set-of.ts';
import { isOnDelete, type MachineDeploymentPlan, planMachineDeployment } from './plan.ts';
import { type DeploymentOutcome, planDeploymentStatus } from './status.ts';
import { machineDeploymentWakes, machineDeploymentWatches } from './watches.ts';

export interface MachineDeploymentDeps {
  readonly kinds: ProviderKinds;
}

interface Work extends MachineDeploymentDeps {
  readonly context: ReconcileContext;
  readonly machines: ClusterIndex<Machine>;
}

/**
 * The controller of MachineDeployment for embedded mode: one MachineSet for each template, and Machines that move from the old
 * ones to the new one step by step. spec/cluster.md §8.
 */
export function createMachineDeploymentController(deps: MachineDeploymentDeps): Controller<MachineDeployment> {
  const machines = createClusterIndex(machine);
  const deployments = createClusterIndex(machineDeployment);
  return {
    name: 'machinedeployment',
    kind: machineDeployment,
    watches: machineDeploymentWatches(machines, deployments),
    wakes: machineDeploymentWakes(deps.kinds),
    writes: [
      'MachineDeployment.status',
      'MachineDeployment.metadata',
      'MachineSet.spec',
      'MachineSet.metadata.labels',
      'MachineSet.metadata.annotations',
      'MachineSet.metadata.ownerReferences(MachineDeployment)',
      '*.metadata.ownerReferences(Cluster, of templates of MachineDeployments)',
    ],
    async reconcile(key, context) {
      const found = await findObject(context.client, machineDeployment, key);
      if (found === undefined) return {};
      deployments.note(found);
      const owner = context.cache.get(cluster, clusterKeyOf(found));
      if (isPaused(found, owner)) {
        await sayPaused(context, machineDeployment, found);
        return {};
      }
      const work: Work = { ...deps, context, machines };
      return await sayingFailures(context, machineDeployment, found, async () =>
        found.metadata.deletionTimestamp === undefined
          ? await roll(await claim(found, owner, work), work)
          : await remove(found, context),
      );
    },
  };
}

async function claim(found: MachineDeployment, owner: Cluster | undefined, work: Work): Promise<MachineDeployment> {
  const { client } = work.context;
  const key = keyOf(found);
  if (found.metadata.finalizers?.includes(FINALIZERS.machineDeployment) !== true) {
    await setFinalizer(client, machineDeployment, key, FINALIZERS.machineDeployment, 'present');
  }
  if (owner === undefined) return await client.get(machineDeployment, key);
  const template = found.spec?.template.spec;
  for (const ref of [template?.infrastructureRef, template?.bootstrap.configRef]) {
    await claimTemplate({ ...work.kinds, client }, ref, owner);
  }
  const clusterName = owner.metadata.name;
  return await patchObject(client, machineDeployment, key, (d) =>
    claimPatch(d, { owner, clusterName, asController: false }),
  );
}

async function roll(deployment: MachineDeployment, work: Work): Promise<Requeue> {
  const { context, machines } = work;
  const { cache, clock } = context;
  const sets = await ownSets(deployment, context);
  const input = { deployment, sets, machines: machines.of(cache, clusterKeyOf(deployment)) };
  let plan = planMachineDeployment(input, clock.nowMs());
  if (changesSizes(plan))
    plan = planMachineDeployment({ ...input, machines: await freshMachines(work, deployment) }, clock.nowMs());
  const made = plan.create === undefined ? undefined : await createFreshSet(work, deployment, plan);
  const fresh = plan.fresh === undefined ? made?.set : await bringInPlace(deployment, plan.fresh, plan, context);
  const old = await scaleOld(deployment, plan, context);
  const scaled = fresh && (await scale(deployment, fresh, plan, context));
  await writeRevision(deployment, scaled, context);
  return await writeStatus(deployment, { fresh: scaled, old, limits: plan.limits, problem: made?.problem }, context);
}

/** Every Machine of the Cluster, by the API and not by the cache. */
async function freshMachines({ context }: Work, deployment: MachineDeployment): Promise<readonly Machine[]> {
  const { name, namespace = 'default' } = clusterKeyOf(deployment);
  return (await context.client.list(machine, { namespace, fields: `spec.clusterName=${name}` })).items;
}

function changesSizes({ create, sizes, old, fresh }: MachineDeploymentPlan): boolean {
  const sets = [...old, ...(fresh === undefined ? [] : [fresh])];
  return (
    create !== undefined ||
    sets.some((set) => (sizes.get(set.metadata.name) ?? set.spec?.replicas) !== set.spec?.replicas)
  );
}

/** The sets of a MachineDeployment; those that nobody owns and that it selects become its own. */
async function ownSets(
  deployment: MachineDeployment,
  { client, events }: ReconcileContext,
): Promise<readonly MachineSet[]> {
  const { namespace = 'default' } = deployment.metadata;
  const selector = compileLabelSelector(deployment.spec?.selector);
  const { items } = await client.list(machineSet, { namespace, labels: clusterSelector(deployment) });
  const own: MachineSet[] = [];
  for (const set of items) {
    if (isControlledBy(set, deployment)) own.push(set);
    const isOrphan = controllerOf(set) === undefined && set.metadata.deletionTimestamp === undefined;
    if (!isOrphan || !selector.ok || !selector.matches(set.metadata.labels)) continue;
    if (set.spec?.clusterName !== deployment.spec?.clusterName) continue;
    const adopted = await patchObject(client, machineSet, keyOf(set), (s) =>
      controllerOf(s) === undefined ? adoption(s, deployment) : undefined,
    );
    events.record(deployment, {
      type: 'Normal',
      reason: 'SuccessfulAdopt',
      message: `Adopted MachineSet ${set.metadata.name}`,
    });
    own.push(adopted);
  }
  return own;
}

/** Every MachineSet carries the label of its Cluster: a default sets it at each write. */
function clusterSelector({ spec }: MachineDeployment): string {
  return `${LABELS.clusterName}=${spec?.clusterName ?? ''}`;
}

function adoption({ metadata }: MachineSet, deployment: MachineDeployment): JsonObject {
  const references = [...(metadata.ownerReferences ?? []), controllerReference(deployment)];
  return { metadata: { ownerReferences: references.map((reference) => ({ ...reference })) } };
}

async function bringInPlace(
  deployment: MachineDeployment,
  set: MachineSet,
  { old, limits }: MachineDeploymentPlan,
  { client }: ReconcileContext,
): Promise<MachineSet> {
  const body = inPlacePatch(deployment, set, old, limits);
  if (body === undefined) return set;
  const options = { fieldManager: MACHINE_DEPLOYMENT_MANAGER };
  return await client.patch(machineSet, keyOf(set), { type: 'merge', body: guarded(body, set) }, options);
}

/** Refused when somebody changed the set since it was read: what was decided may not hold any more. */
function guarded(body: JsonObject, { metadata: { resourceVersion = '' } }: MachineSet): JsonObject {
  return { ...body, metadata: { ...(body['metadata'] as JsonObject | undefined), resourceVersion } };
}

/** Old sets shrink before the new one grows: so a kill in between leaves fewer, not more. */
async function scaleOld(
  deployment: MachineDeployment,
  plan: MachineDeploymentPlan,
  context: ReconcileContext,
): Promise<readonly MachineSet[]> {
  const old: MachineSet[] = [];
  for (const set of plan.old) old.push(await scale(deployment, set, plan, context));
  return old;
}

async function scale(
  deployment: MachineDeployment,
  set: MachineSet,
  { sizes, limits, old }: MachineDeploymentPlan,
  { client, events }: ReconcileContext,
): Promise<MachineSet> {
  const { name, annotations = {}, deletionTimestamp } = set.metadata;
  const from = set.spec?.replicas ?? 0;
  const to = sizes.get(name) ?? from;
  const isHeld = isOnDelete(deployment) && old.includes(set) && from > 0;
  const wanted = { ...sizeAnnotations(limits), ...(isHeld ? { [ANNOTATIONS.disableMachineCreate]: 'true' } : {}) };
  const isNoted = Object.entries(wanted).every(([key, value]) => annotations[key] === value);
  if (deletionTimestamp !== undefined || (to === from && (isNoted || from === 0))) return set;
  const body = { metadata: { annotations: wanted }, ...(to === from ? {} : { spec: { replicas: to } }) };
  const scaled = await client.patch(machineSet, keyOf(set), { type: 'merge', body: guarded(body, set) });
  if (to !== from) {
    const message = `Scaled MachineSet ${name}: ${from} -> ${to}`;
    events.record(deployment, { type: 'Normal', reason: 'SuccessfulScale', message });
  }
  return scaled;
}

async function writeRevision(
  deployment: MachineDeployment,
  fresh: MachineSet | undefined,
  { client }: ReconcileContext,
): Promise<void> {
  const revision = fresh?.metadata.annotations?.[ANNOTATIONS.revision];
  if (revision === undefined || deployment.metadata.annotations?.[ANNOTATIONS.revision] === revision) return;
  const body = { metadata: { annotations: { [ANNOTATIONS.revision]: revision } } };
  await client.patch(machineDeployment, keyOf(deployment), { type: 'merge', body });
}

async function writeStatus(
  deployment: MachineDeployment,
  outcome: DeploymentOutcome,
  context: ReconcileContext,
): Promise<Requeue> {
  const { clock, events } = context;
  const nowMs = clock.nowMs();
  const { wait, nextMs, isComplete } = planDeploymentStatus(deployment, outcome, nowMs);
  await patchStatus(context, machineDeployment, keyOf(deployment), (current) => {
    const { status, ...rest } = deployment;
    return planDeploymentStatus({ ...rest, ...(current.status && { status: current.status }) }, outcome, nowMs).status;
  });
  const event = wait && waitingFor(wait) !== deployment.status?.waitingFor ? waitEvent([], wait) : undefined;
  if (event !== undefined) events.record(deployment, event);
  if (isComplete) await forgetOld(deployment, outcome.old, context);
  const retryMs = outcome.problem?.reason === 'MachineRefused' ? REFUSED_RETRY_MS : undefined;
  const due = [nextMs, rolloutInMs(deployment, nowMs), retryMs].filter((ms) => ms !== undefined);
  return due.length === 0 ? {} : { afterMs: Math.min(...due) };
}

function rolloutInMs({ spec }: MachineDeployment, nowMs: number): number | undefined {
  const inMs = spec?.rolloutAfter === undefined ? 0 : Date.parse(spec.rolloutAfter) - nowMs;
  return inMs > 0 ? inMs : undefined;
}

/** After a rollout the oldest empty sets go, but for as many as spec.revisionHistoryLimit keeps. */
async function forgetOld(
  deployment: MachineDeployment,
  old: readonly MachineSet[],
  { client, events }: ReconcileContext,
): Promise<void> {
  const living = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const surplus = living.slice(0, Math.max(0, living.length - (deployment.spec?.revisionHistoryLimit ?? 1)));
  for (const set of surplus) {
    const { metadata, spec, status } = set;
    const isSeen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
    if (spec?.replicas !== 0 || (status?.replicas ?? 0) > 0 || !isSeen) continue;
    await removeSet(set, client);
    const message = `Deleted MachineSet ${metadata.name}: spec.revisionHistoryLimit keeps no more`;
    events.record(deployment, { type: 'Normal', reason: 'SuccessfulDelete', message });
  }
}

async function removeSet(set: MachineSet, client: ReconcileContext['client']): Promise<void> {
  const { uid } = set.metadata;
  try {
    await client.delete(machineSet, keyOf(set), uid === undefined ? {} : { uid });
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
  }
}

/** All sets go; the MachineDeployment stays until none is left. */
async function remove(deployment: MachineDeployment, context: ReconcileContext): Promise<Requeue> {
  const { client, events } = context;
  const { namespace = 'default' } = deployment.metadata;
  const owned = async (): Promise<readonly MachineSet[]> =>
    (await client.list(machineSet, { namespace, labels: clusterSelector(deployment) })).items.filter((set) =>
      isControlledBy(set, deployment),
    );
  for (const set of await owned()) if (set.metadata.deletionTimestamp === undefined) await removeSet(set, client);
  const left = await owned();
  const [first] = left;
  if (first === undefined) {
    await setFinalizer(client, machineDeployment, keyOf(deployment), FINALIZERS.machineDeployment, 'absent');
    return {};
  }
  const message = `waiting for ${left.length} MachineSets to go, ${first.metadata.name} first`;
  const wait: Wait = { reason: 'WaitingForDependents', message, event: 'waiting for MachineSets to go' };
  await patchStatus(context, machineDeployment, keyOf(deployment), () => ({
    waitingFor: waitingFor(wait),
    conditions: [waitCondition(wait), { type: 'Paused', status: null }],
  }));
  const event = waitEvent(deployment.status?.conditions, wait);
  if (event !== undefined) events.record(deployment, event);
  return {};
}
