import type { ConditionDraft, EventDraft, ReconcileContext, Requeue } from '@bloomery/kube';
import { patchStatus, setFinalizer } from '@bloomery/kube';
import type { KubeObject, Machine } from '@bloomery/model';
import { FINALIZERS, keyOf, machine, timeText } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { Wait } from '../../allocation/wait.ts';
import { waitCondition, waitEvent, waitingFor } from '../../allocation/wait.ts';
import { finalizerWait } from '../contract/foreign-finalizers.ts';
import { drainNode } from '../workload/drain.ts';
import { deleteNode, waitForVolumes } from '../workload/node-removal.ts';
import { type NodeStep, type NodeStepRequest, nodeRemovalSettings } from '../workload/node-step.ts';
import type { WorkloadClusters } from '../workload/workload-clusters.ts';
import {
  deleteHooks,
  isStepOver,
  type MachineDeletionInput,
  NODE_STEPS,
  type NodeStepName,
  nextToGo,
  nodeIsLeft,
  stepStartMs,
} from './deletion.ts';

interface Removal {
  readonly input: MachineDeletionInput;
  /** The Machine as it was last written. */
  found: Machine;
  readonly context: ReconcileContext;
  readonly workloads: WorkloadClusters;
  readonly nodeName: string;
}

/**
 * One go at a Machine's deletion (spec/cluster.md §8): hooks, drain, volumes, hooks, infrastructure, bootstrap config, Node,
 * finalizer. Each is done before the next; what cannot be done because the workload API is dead is left out after a deadline,
 * and said.
 */
export async function removeMachine(
  input: MachineDeletionInput,
  context: ReconcileContext,
  workloads: WorkloadClusters,
): Promise<Requeue> {
  const { machine: found, node } = input;
  const nodeName = found.status?.nodeRef?.name ?? (node.state === 'found' ? node.node.metadata.name : '');
  const removal: Removal = { input, found, context, workloads, nodeName };
  const left = nodeIsLeft(input);
  if (left === undefined) {
    const held = await holdForHooks(removal, 'preDrain', 'PreDrainDeleteHookSucceeded');
    if (held !== undefined) return held;
    for (const name of ['drain', 'detach'] as const) {
      const waiting = await nodeStep(removal, name);
      if (waiting !== undefined) return waiting;
    }
  }
  const held = await holdForHooks(removal, 'preTerminate', 'PreTerminateDeleteHookSucceeded');
  if (held !== undefined) return held;
  const waiting = (await removeParts(removal)) ?? (left === undefined ? await removeNode(removal) : undefined);
  if (waiting !== undefined) return waiting;
  const kept = finalizerWait(found, FINALIZERS.machine);
  if (kept !== undefined) await say(removal, kept);
  // Others may hold it after us, and every change of theirs comes by here.
  if (found.metadata.finalizers?.includes(FINALIZERS.machine) !== true) return {};
  await setFinalizer(context.client, machine, keyOf(found), FINALIZERS.machine, 'absent');
  context.events.record(found, { type: 'Normal', reason: 'Deleted', message: 'everything of the Machine is gone' });
  return {};
}

async function holdForHooks(
  removal: Removal,
  point: 'preDrain' | 'preTerminate',
  type: string,
): Promise<Requeue | undefined> {
  const { machine: found } = removal.input;
  const hooks = deleteHooks(found, point);
  const condition = found.status?.conditions?.find((c) => c.type === type);
  if (hooks.length === 0) {
    if (condition?.status === 'False') await conclude(removal, { type, status: 'True' });
    return undefined;
  }
  const message = `held by ${hooks.join(', ')} until whoever set this annotation takes it away; without it the deletion goes on`;
  await say(removal, { reason: 'WaitingForDeleteHook', message }, [
    { type, status: 'False', severity: 'Info', reason: 'WaitingExternalHook', message },
  ]);
  return {};
}

/** Drain the Node, or wait for its volumes. undefined: it is over, one way or the other. */
async function nodeStep(removal: Removal, name: NodeStepName): Promise<Requeue | undefined> {
  const { found, context, nodeName } = removal;
  const { condition: type, running, skipped, startField } = NODE_STEPS[name];
  const settings = nodeRemovalSettings(found);
  if (isStepOver(found, name) || !(name === 'drain' ? settings.drain : settings.waitForVolumes)) return undefined;
  const startedMs = stepStartMs(found, name, context.clock.nowMs());
  const timeoutMs = name === 'drain' ? settings.drainTimeoutMs : settings.volumeDetachTimeoutMs;
  const step = await runStep(removal, name === 'drain' ? drainNode : waitForVolumes, { startedMs, timeoutMs });
  if (step.done) {
    const message = step.skipped ?? '';
    const isDone = step.skipped === undefined;
    await conclude(
      removal,
      isDone ? { type, status: 'True' } : { type, status: 'False', severity: 'Warning', reason: skipped, message },
      { [startField]: timeText(startedMs) },
    );
    const reason = name === 'drain' ? 'SuccessfulDrainNode' : 'NodeVolumesDetached';
    context.events.record(
      found,
      isDone ? { type: 'Normal', reason, message: `Node ${nodeName}` } : warning(skipped, message),
    );
    return undefined;
  }
  const wait: Wait = {
    reason: name === 'drain' ? 'DrainingNode' : 'WaitingForVolumeDetach',
    message: step.message,
    event: step.event,
  };
  const condition: ConditionDraft = { type, status: 'False', severity: 'Info', reason: running, message: step.message };
  await say(removal, wait, [condition], { [startField]: timeText(startedMs) });
  return { afterMs: step.retryMs };
}

function warning(reason: string, message: string): EventDraft {
  return { type: 'Warning', reason, message };
}

type RunStep = typeof deleteNode;

function runStep(
  { input, context, workloads, nodeName }: Removal,
  run: RunStep,
  times: Pick<NodeStepRequest, 'startedMs' | 'timeoutMs'>,
): Promise<NodeStep> {
  const { namespace = 'default' } = input.machine.metadata;
  const cluster = { name: input.machine.spec?.clusterName ?? '', namespace };
  return run({ clusters: workloads, clock: context.clock }, { cluster, nodeName, ...times });
}

/** The infrastructure, then the bootstrap config; each has to be gone before the next. What another Machine owns stays. */
async function removeParts(removal: Removal): Promise<Requeue | undefined> {
  const { context, input } = removal;
  const next = nextToGo(input);
  if (next === undefined) return undefined;
  const { part, source } = next;
  const { text, kind, key, object, view } = source;
  if (kind !== undefined && object?.metadata.deletionTimestamp === undefined) {
    await context.client.delete(kind, key).catch((error) => {
      if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
    });
  }
  const why = view.waiting?.message ?? heldBy(object);
  await say(removal, {
    reason: part === 'infrastructure' ? 'WaitingForInfrastructureToGo' : 'WaitingForBootstrapToGo',
    message: `waiting for ${text} to go${why === undefined ? '' : `: ${why}`}`,
    event: `waiting for ${text} to go`,
  });
  // Its going wakes us, also when it was gone at once.
  return {};
}

/** Who holds an object that is being deleted and says nothing itself: its controller may not run any more. */
function heldBy(object: KubeObject | undefined): string | undefined {
  const { deletionTimestamp, finalizers = [] } = object?.metadata ?? {};
  if (deletionTimestamp === undefined || finalizers.length === 0) return undefined;
  return `held by its finalizers ${finalizers.join(', ')}, which its controller takes away when it is done`;
}

async function removeNode(removal: Removal): Promise<Requeue | undefined> {
  const { input, context, nodeName } = removal;
  const { machine: found } = input;
  const startedMs = Date.parse(found.metadata.deletionTimestamp ?? '') || context.clock.nowMs();
  const timeoutMs = nodeRemovalSettings(found).deletionTimeoutMs;
  const step = await runStep(removal, deleteNode, { startedMs, timeoutMs });
  if (step.done) {
    if (step.skipped !== undefined) {
      context.events.record(found, warning('NodeLeftBehind', `Node ${nodeName} stays: ${step.skipped}`));
    }
    return undefined;
  }
  const { message, event, retryMs } = step;
  await say(removal, { reason: 'DeletingNode', message, event }, [
    { type: 'NodeHealthy', status: 'False', severity: 'Warning', reason: 'DeletionFailed', message },
  ]);
  return { afterMs: retryMs };
}

async function conclude(
  removal: Removal,
  condition: ConditionDraft,
  deletion: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { context, found } = removal;
  removal.found = await patchStatus(context, machine, keyOf(found), () => ({
    ...(Object.keys(deletion).length === 0 ? {} : { deletion }),
    conditions: [condition],
  }));
}

async function say(
  { input, context }: Removal,
  wait: Wait,
  conditions: readonly ConditionDraft[] = [],
  deletion?: Readonly<Record<string, string>>,
): Promise<void> {
  const { machine: found } = input;
  await patchStatus(context, machine, keyOf(found), ({ status }) => ({
    phase: 'Deleting',
    ...(status?.phase === 'Deleting' ? {} : { lastUpdated: timeText(context.clock.nowMs()) }),
    ...(deletion === undefined ? {} : { deletion }),
    waitingFor: waitingFor(wait),
    conditions: [waitCondition(wait), ...conditions, { type: 'Paused', status: null }],
  }));
  const event = waitEvent(found.status?.conditions, wait);
  if (event !== undefined) context.events.record(found, event);
}
