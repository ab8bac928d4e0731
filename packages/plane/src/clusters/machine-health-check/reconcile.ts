import type { Controller, ReconcileContext, Requeue } from '@bloomery/kube';
import { findObject, mergeConditions, patchObject, patchStatus, watchSource } from '@bloomery/kube';
import type { Cluster, Machine, MachineHealthCheck, ObjectKey } from '@bloomery/model';
import { cluster, jsonEqual, keyOf, machine, machineHealthCheck } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import { isPaused } from '../../allocation/paused.ts';
import { type Wait, waitCondition, waitEvent, waitingFor } from '../../allocation/wait.ts';
import { claimPatch } from '../contract/claim.ts';
import { type ClusterIndex, clusterKeyOf, createClusterIndex } from '../contract/cluster-index.ts';
import type { ProviderKinds } from '../contract/provider-object.ts';
import { providerWakes } from '../contract/provider-wakes.ts';
import { sayingFailures } from '../contract/report-failure.ts';
import { sayPaused } from '../contract/say-paused.ts';
import type { WorkloadClusters } from '../workload/workload-clusters.ts';
import type { NodeView } from './judge.ts';
import { type HealthCheckPlan, type HealthTarget, machineConditions, planHealthCheck } from './plan.ts';
import { requestRemediation, withdrawRemediation } from './remediation-request.ts';

export interface MachineHealthCheckDeps {
  readonly kinds: ProviderKinds;
  readonly workload: Pick<WorkloadClusters, 'state' | 'nodes' | 'wake'>;
}

interface Work extends MachineHealthCheckDeps {
  readonly context: ReconcileContext;
  readonly machines: ClusterIndex<Machine>;
}

/**
 * The controller of MachineHealthCheck for embedded mode: judges Machines by themselves and by their Nodes, and marks those that
 * their owner is to replace: a MachineSet, or the control plane. It looks again when a Node or a Machine changes, and at the
 * moment at which one becomes unhealthy by time alone. spec/cluster.md §8.
 */
export function createMachineHealthCheckController(deps: MachineHealthCheckDeps): Controller<MachineHealthCheck> {
  const { kinds, workload } = deps;
  const machines = createClusterIndex(machine);
  const checks = createClusterIndex(machineHealthCheck);
  const ofCluster = (key: ObjectKey): readonly ObjectKey[] => checks.of(kinds.cache, key).map(keyOf);
  return {
    name: 'machinehealthcheck',
    kind: machineHealthCheck,
    watches: [
      watchSource(machineHealthCheck, (object) => {
        checks.note(object);
        return [];
      }),
      watchSource(machine, (object) => {
        machines.note(object);
        return ofCluster(clusterKeyOf(object));
      }),
      watchSource(cluster, (object) => ofCluster(keyOf(object))),
    ],
    wakes: [
      workload.wake(ofCluster),
      ...providerWakes(kinds, machineHealthCheck, ({ spec }) => [spec?.remediationTemplate]),
    ],
    writes: [
      'MachineHealthCheck.status',
      'MachineHealthCheck.metadata.ownerReferences',
      'Machine.status.conditions.HealthCheckSucceeded',
      'Machine.status.conditions.OwnerRemediated',
    ],
    async reconcile(key, context) {
      const found = await findObject(context.client, machineHealthCheck, key);
      if (found === undefined || found.metadata.deletionTimestamp !== undefined) return {};
      checks.note(found);
      const owner = context.cache.get(cluster, clusterKeyOf(found));
      if (isPaused(found, owner)) {
        await sayPaused(context, machineHealthCheck, found);
        return {};
      }
      if (owner === undefined) return await waitForCluster(found, context);
      return await sayingFailures(context, machineHealthCheck, found, () =>
        check(found, owner, { ...deps, context, machines }),
      );
    },
  };
}

async function waitForCluster(found: MachineHealthCheck, context: ReconcileContext): Promise<Requeue> {
  const { name, namespace } = clusterKeyOf(found);
  const message = `Cluster ${namespace}/${name} does not exist; create it`;
  await writeWait(found, { reason: 'WaitingForCluster', message }, context);
  return {};
}

async function check(found: MachineHealthCheck, owner: Cluster, work: Work): Promise<Requeue> {
  const { context, kinds, machines } = work;
  const { client, cache, clock } = context;
  const clusterName = owner.metadata.name;
  if (claimPatch(found, { owner, clusterName, asController: false }) !== undefined) {
    await patchObject(client, machineHealthCheck, keyOf(found), (c) =>
      claimPatch(c, { owner, clusterName, asController: false }),
    );
  }
  const plan = planHealthCheck(
    { check: found, cluster: owner, machines: machines.of(cache, clusterKeyOf(found)), ...nodesOf(owner, work) },
    clock.nowMs(),
  );
  const isExternal = found.spec?.remediationTemplate !== undefined;
  let missing: Wait | undefined;
  for (const target of plan.targets) {
    await mark(found, target, isExternal, context);
    if (!isExternal) continue;
    if (target.isToBeReplaced) missing ??= await requestRemediation({ kinds, client }, found, target.machine);
    else if (target.judgement.is === 'healthy') await withdrawRemediation({ kinds, client }, found, target.machine);
  }
  await writeStatus(found, plan, missing, context);
  return plan.nextMs === undefined ? {} : { afterMs: plan.nextMs };
}

/** How the Nodes of a Cluster look now. */
function nodesOf(
  owner: Cluster,
  { workload }: Work,
): { readonly nodeOf: (machine: Machine) => NodeView; readonly unseen: string | undefined } {
  const key = keyOf(owner);
  const state = workload.state(key);
  const nodes = state.state === 'reachable' ? workload.nodes(key) : undefined;
  const byName = new Map((nodes ?? []).map((node) => [node.metadata.name, node]));
  const name = `Cluster ${key.namespace}/${key.name}`;
  return {
    nodeOf: ({ status }) => {
      const node = status?.nodeRef?.name;
      if (!node) return 'none';
      return nodes === undefined ? 'unknown' : (byName.get(node) ?? 'gone');
    },
    unseen: state.state === 'unreachable' ? `the Kubernetes API of ${name} does not answer: ${state.why}` : undefined,
  };
}

async function mark(
  found: MachineHealthCheck,
  target: HealthTarget,
  isExternal: boolean,
  context: ReconcileContext,
): Promise<void> {
  const { clock, events, log } = context;
  const wanted = machineConditions(target, isExternal);
  const have = target.machine.status?.conditions ?? [];
  if (jsonEqual(asJson(mergeConditions(have, wanted, clock.nowMs())), asJson(have))) return;
  let isMarked = false;
  try {
    await patchStatus(context, machine, keyOf(target.machine), (current) => {
      if (current.metadata.uid !== target.machine.metadata.uid) return undefined;
      const conditions = machineConditions({ ...target, machine: current }, isExternal);
      isMarked = conditions.some(({ type, status }) => type === 'OwnerRemediated' && status === 'False');
      return conditions.length === 0 ? undefined : { conditions };
    });
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
  }
  const { judgement } = target;
  if (!isMarked || judgement.is !== 'unhealthy') return;
  const message = `MachineHealthCheck ${found.metadata.name} has it replaced: ${judgement.message}`;
  events.record(target.machine, { type: 'Warning', reason: 'MachineMarkedUnhealthy', message });
  log.info('machine.unhealthy', { machine: target.machine.metadata.name, reason: judgement.reason });
}

function asJson(conditions: readonly object[]) {
  return conditions.map((condition) => ({ ...condition })) as readonly Record<string, string>[];
}

async function writeStatus(
  found: MachineHealthCheck,
  { status, wait }: HealthCheckPlan,
  missing: Wait | undefined,
  context: ReconcileContext,
): Promise<void> {
  const isExternal = found.spec?.remediationTemplate !== undefined;
  const template = {
    type: 'ExternalRemediationTemplateAvailable',
    ...(missing === undefined
      ? ({ status: 'True' } as const)
      : ({
          status: 'False',
          severity: 'Error',
          reason: 'ExternalRemediationTemplateNotFound',
          message: missing.message,
        } as const)),
  };
  await patchStatus(context, machineHealthCheck, keyOf(found), () => ({
    ...status,
    ...(missing === undefined ? {} : { waitingFor: waitingFor(missing) }),
    conditions: [
      ...(status.conditions ?? []).filter(({ type }) => missing === undefined || type !== 'Ready'),
      ...(isExternal ? [template] : []),
      ...(missing === undefined ? [] : [waitCondition(missing)]),
    ],
  }));
  recordWait(found, missing ?? wait, context);
}

async function writeWait(found: MachineHealthCheck, wait: Wait, context: ReconcileContext): Promise<void> {
  await patchStatus(context, machineHealthCheck, keyOf(found), () => ({
    waitingFor: waitingFor(wait),
    conditions: [waitCondition(wait), { type: 'Paused', status: null }],
  }));
  recordWait(found, wait, context);
}

function recordWait(found: MachineHealthCheck, wait: Wait | undefined, { events }: ReconcileContext): void {
  if (wait === undefined) return;
  const reason = wait.reason === 'TooManyUnhealthy' ? 'RemediationRestricted' : wait.reason;
  const event = waitEvent(found.status?.conditions, wait, reason);
  if (event !== undefined) events.record(found, event);
}
