import {
  type Controller,
  findCondition,
  findObject,
  patchStatus,
  type ReconcileContext,
  type Requeue,
  watchSource,
} from '@bloomery/kube';
import {
  cluster as clusterKind,
  keyOf,
  keyText,
  machine as machineKind,
  type ObjectKey,
  type TalosControlPlane,
  talosConfig,
  talosControlPlane,
} from '@bloomery/model';
import { type Clock, errorText, isBloomeryError, type RandomBytes } from '@bloomery/ports';
import type { TalosApi } from '@bloomery/talos';
import { isPaused } from '../../allocation/paused.ts';
import { waitEvent } from '../../allocation/wait.ts';
import type { ProviderKinds } from '../contract/provider-object.ts';
import { failureWait, sayingFailures } from '../contract/report-failure.ts';
import { sayPaused } from '../contract/say-paused.ts';
import type { WorkloadClusters } from '../workload/workload-clusters.ts';
import { act } from './act.ts';
import { createMachineAsker } from './ask-machine.ts';
import type { FinalConfig } from './change-in-place.ts';
import { controlPlanesOfPart, ownedBy, providerWakesOf, workloadWake } from './control-plane-wakes.ts';
import { CreationFailure } from './create-machine.ts';
import { differs } from './differs.ts';
import { keepKubeconfig } from './keep-kubeconfig.ts';
import { createLookAgain, type LookAgain } from './look-again.ts';
import { type ObserveDeps, observe, ownerCluster } from './observe.ts';
import { type ControlPlanePlan, planControlPlane } from './plan.ts';
import { awaitedControlPlane, releaseOrphans } from './release-orphans.ts';
import { machineConditions, statusOf } from './status.ts';
import { createStrayMemory } from './stray-memory.ts';
import { createTalosCredentialStore } from './talos-credentials.ts';

/** What the controller needs beside its context. */
export interface TalosControlPlaneDeps {
  readonly talos: TalosApi;
  readonly workload: WorkloadClusters;
  readonly kinds: ProviderKinds;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** For machines whose infrastructure adds to their configuration; see `FinalConfig`. */
  readonly finalConfig?: FinalConfig;
}

interface Parts extends TalosControlPlaneDeps, ObserveDeps {
  readonly lookAgain: LookAgain;
  /** Why the last change failed, for the message of the wait. */
  readonly failures: Map<string, string>;
}

/**
 * The control plane of a cluster of Talos machines (spec/cluster.md §7 and §10): looks at machines, etcd and Nodes, decides one
 * change, makes it, and looks again. Everything it goes by is in objects and on machines, nothing in its memory.
 */
export function createTalosControlPlaneController(deps: TalosControlPlaneDeps): Controller<TalosControlPlane> {
  const parts: Parts = {
    ...deps,
    credentials: createTalosCredentialStore(deps),
    asker: createMachineAsker(deps),
    strays: createStrayMemory(),
    lookAgain: createLookAgain({ clock: deps.clock, random: () => (deps.random(1)[0] ?? 0) / 256 }),
    failures: new Map(),
  };
  return {
    name: 'taloscontrolplane',
    kind: talosControlPlane,
    watches: [
      watchSource(machineKind, (machine, cache) => [
        ...controlPlanesOfPart(machine, cache),
        ...[awaitedControlPlane(machine) ?? []].flat(),
      ]),
      watchSource(talosConfig, controlPlanesOfPart),
      watchSource(clusterKind, ({ metadata }, cache) => ownedBy(cache, metadata.name, metadata.namespace)),
    ],
    wakes: [...providerWakesOf(deps.kinds), workloadWake(deps)],
    writes: [
      'TalosControlPlane.metadata.finalizers',
      'TalosControlPlane.metadata.annotations(bootstrap-choice)',
      'TalosControlPlane.status',
      'Machine.metadata.annotations(of control planes)',
      'Machine.metadata.labels(of control planes)',
      'Machine.metadata.ownerReferences(TalosControlPlane)',
      'Machine.spec.version',
      '*.metadata.ownerReferences(Cluster, of templates of control planes)',
      'Secret.data(kubeconfig of a cluster)',
      'Node(workload cluster, of a Machine that is gone)',
      'Machine.status.conditions.EtcdMemberHealthy',
      'Machine.status.conditions.TalosServicesHealthy',
    ],
    reconcile: (key, context) => reconcile(parts, key, context),
  };
}

async function reconcile(parts: Parts, key: ObjectKey, context: ReconcileContext): Promise<Requeue> {
  const id = keyText(key);
  const found = await findObject(context.client, talosControlPlane, key);
  if (found === undefined) {
    parts.lookAgain.forget(id);
    parts.failures.delete(id);
    await releaseOrphans(context, key);
    return {};
  }
  const cluster = await ownerCluster(context, found);
  if (isPaused(found, cluster)) {
    await sayPaused(context, talosControlPlane, found);
    return {};
  }
  const { kubeconfig, observation } = await sayingFailures(context, talosControlPlane, found, async () => ({
    kubeconfig: await keepKubeconfig(parts, context, found, cluster),
    observation: await observe(parts, context, found, cluster),
  }));
  const plan = withFailure(planControlPlane(observation), parts.failures.get(id));
  await report(context, found, plan);
  if (plan.action === undefined) {
    parts.failures.delete(id);
    return soonest(parts.lookAgain.after(id, plan), kubeconfig.renewInMs);
  }
  try {
    await act(parts, context, { controlPlane: found, cluster }, plan.action);
    parts.failures.delete(id);
    return { afterMs: 0 };
  } catch (error) {
    return await failed(parts, context, { found, plan, id, error });
  }
}

/** A machine's no is an answer: it is asked again soon, and people read why. What the API refuses is retried by the queue. */
async function failed(
  parts: Parts,
  context: ReconcileContext,
  { found, plan, id, error }: { found: TalosControlPlane; plan: ControlPlanePlan; id: string; error: unknown },
): Promise<Requeue> {
  const text = errorText(error);
  if (error instanceof CreationFailure) {
    const condition = { type: 'MachinesCreated', status: 'False', reason: error.reason, message: text } as const;
    const before = findCondition(found.status?.conditions, 'MachinesCreated');
    await patchStatus(context, talosControlPlane, keyOf(found), () => ({
      conditions: [{ ...condition, severity: 'Error' }],
    }));
    if (before?.reason !== error.reason || before.message !== text) {
      context.events.record(found, { type: 'Warning', reason: error.reason, message: text });
    }
    throw error.cause;
  }
  if (!isBloomeryError(error)) throw error;
  if (!error.code.startsWith('BLM_TALOS_')) {
    if (failureWait(error) !== undefined) parts.failures.set(id, text);
    throw error;
  }
  // A machine that does not answer is a matter of the conditions; a configuration that is wrong is somebody's to mend.
  if (!error.code.startsWith('BLM_TALOS_API_') && parts.failures.get(id) !== text) {
    context.events.record(found, { type: 'Warning', reason: 'ChangeRefused', message: text });
  }
  parts.failures.set(id, text);
  context.log.debug('controlplane.change.failed', { key: id, action: plan.action?.do, error: text });
  return soonest(parts.lookAgain.after(id, plan) ?? 1000, undefined);
}

function withFailure(plan: ControlPlanePlan, failure: string | undefined): ControlPlanePlan {
  if (failure === undefined || plan.action === undefined) return plan;
  if (plan.wait === undefined) {
    const event = 'a step failed; the condition Ready says why';
    return { ...plan, wait: { reason: 'StepRefused', message: failure, event } };
  }
  const { message } = plan.wait;
  return {
    ...plan,
    wait: { ...plan.wait, message: `${message}; the last attempt failed: ${failure}`, event: message },
  };
}

function soonest(...times: readonly (number | undefined)[]): Requeue {
  const known = times.filter((t) => t !== undefined);
  return known.length === 0 ? {} : { afterMs: Math.max(0, Math.min(...known)) };
}

/** Write status, conditions of the Machines, and an Event where the reason to wait became another. */
async function report(context: ReconcileContext, found: TalosControlPlane, plan: ControlPlanePlan): Promise<void> {
  const status = statusOf(plan);
  await patchStatus(context, talosControlPlane, keyOf(found), () => status);
  const event = plan.wait && waitEvent(found.status?.conditions, plan.wait);
  if (event !== undefined) context.events.record(found, event);
  const isSettled = plan.wait === undefined && plan.action === undefined;
  if (isSettled && findCondition(found.status?.conditions, 'Ready')?.status === 'False') {
    context.events.record(found, {
      type: 'Normal',
      reason: 'Ready',
      message: 'The control plane is as its spec says.',
    });
  }
  for (const { name, machine } of plan.facts.observation.machines) {
    const changes = machineConditions(plan.facts, name).filter((change) => differs(change, machine.status?.conditions));
    if (changes.length === 0) continue;
    try {
      await patchStatus(context, machineKind, keyOf(machine), () => ({ conditions: changes }));
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
    }
  }
}
