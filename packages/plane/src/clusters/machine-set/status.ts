import type { ConditionChange, StatusPatch } from '@bloomery/kube';
import { findCondition } from '@bloomery/kube';
import { compileLabelSelector, labelSelectorText, type Machine, type MachineSet } from '@bloomery/model';
import type { Wait } from '../../allocation/wait.ts';
import { waitCondition, waitingFor, waitReasonOf } from '../../allocation/wait.ts';
import { countReady } from '../contract/machine-state.ts';

/** Why Machines could not be made: the reason of the condition MachinesCreated, and what is waited for. */
export interface CreationProblem {
  readonly reason: string;
  readonly severity: 'Info' | 'Warning' | 'Error';
  readonly wait: Wait;
  /** The API will refuse it until somebody changes the set. */
  readonly isFinal: boolean;
}

export interface MachineSetStatusPlan {
  readonly status: StatusPatch;
  readonly wait: Wait | undefined;
  /** When a Machine becomes available by time alone. */
  readonly nextMs: number | undefined;
}

/** What happened to a set before its status is stated. */
export interface MachineSetOutcome {
  /** Its Machines now, also those on their way out. */
  readonly members: readonly Machine[];
  /** How many of them were made a moment ago. */
  readonly created: number;
  readonly problem: CreationProblem | undefined;
}

const UNREADY = 'machines are not ready';

/** The status of a living MachineSet. Pure. */
export function planMachineSetStatus(
  set: MachineSet,
  { members, created, problem }: MachineSetOutcome,
  nowMs: number,
): MachineSetStatusPlan {
  const { ready, available, nextMs } = countReady(members, set.spec?.minReadySeconds ?? 0, nowMs);
  const desired = set.spec?.replicas ?? 1;
  const unready = firstUnready(members);
  const wait = problem?.wait ?? sizeWait(members, desired) ?? unready;
  return {
    status: {
      selector: labelSelectorText(set.spec?.selector),
      replicas: members.length,
      fullyLabeledReplicas: countFullyLabelled(set, members),
      readyReplicas: ready,
      availableReplicas: available,
      observedGeneration: set.metadata.generation ?? null,
      failureReason: problem?.isFinal === true ? 'CreateError' : null,
      failureMessage: problem?.isFinal === true ? problem.wait.message : null,
      waitingFor: wait === undefined ? null : waitingFor(wait),
      conditions: [
        createdCondition(problem),
        ...resizedCondition(set, { count: members.length, desired, ready, created }),
        unready === undefined
          ? { type: 'MachinesReady', status: 'True' }
          : { ...waitCondition(unready), type: 'MachinesReady' },
        wait === undefined ? { type: 'Ready', status: 'True' } : waitCondition(wait),
        { type: 'Paused', status: null },
      ],
    },
    wait,
    nextMs,
  };
}

function createdCondition(problem: CreationProblem | undefined): ConditionChange {
  if (problem === undefined) return { type: 'MachinesCreated', status: 'True' };
  const { reason, severity, wait } = problem;
  return { type: 'MachinesCreated', status: 'False', severity, reason, message: wait.message };
}

/** Resized stays False until the Machines that a change of size brought are ready. */
function resizedCondition(
  set: MachineSet,
  { count, desired, ready, created }: Readonly<Record<'count' | 'desired' | 'ready' | 'created', number>>,
): readonly ConditionChange[] {
  const change = (reason: string, way: string): readonly ConditionChange[] => {
    const message = `Scaling ${way} MachineSet to ${desired} replicas (actual ${count})`;
    return [{ type: 'Resized', status: 'False', severity: 'Warning', reason, message }];
  };
  if (count > desired) return change('ScalingDown', 'down');
  const isFirst = findCondition(set.status?.conditions, 'Resized') === undefined;
  if (count < desired || created > 0 || (isFirst && ready < count)) return change('ScalingUp', 'up');
  return ready === count ? [{ type: 'Resized', status: 'True' }] : [];
}

function sizeWait(members: readonly Machine[], desired: number): Wait | undefined {
  const going = members.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
  const [first] = going;
  if (first !== undefined) {
    const message = `${going.length} of ${members.length} machines are being deleted, Machine ${first.metadata.name} first${reasonText(first)}`;
    return { reason: 'WaitingForMachines', message, event: 'machines are being deleted' };
  }
  if (members.length >= desired) return undefined;
  const message = `${members.length} of ${desired} machines are made`;
  return { reason: 'WaitingForMachines', message, event: 'machines are being made' };
}

/** The deepest cause: what the first Machine that is not ready says of itself, else of its Node. */
function firstUnready(members: readonly Machine[]): Wait | undefined {
  const waits = members.flatMap((member) => machineWait(member) ?? nodeWait(member) ?? []);
  const [first] = waits;
  if (first === undefined) return undefined;
  const others = waits.length > 1 ? ` (and ${waits.length - 1} more of ${members.length})` : '';
  return { ...first, message: `${first.message}${others}` };
}

function machineWait({ metadata, status }: Machine): Wait | undefined {
  const ready = findCondition(status?.conditions, 'Ready');
  if (ready?.status === 'True') return undefined;
  const name = `Machine ${metadata.name}`;
  if (ready === undefined) return { reason: 'WaitingForMachines', message: `${name} says nothing yet`, event: UNREADY };
  const reason = waitReasonOf(ready.reason) ?? 'WaitingForMachines';
  return { reason, message: `${name}: ${ready.message ?? ready.reason ?? 'not ready'}`, event: UNREADY };
}

function nodeWait({ metadata, status }: Machine): Wait | undefined {
  const name = `Machine ${metadata.name}`;
  if (!status?.nodeRef?.name)
    return { reason: 'WaitingForMachines', message: `${name} has no Node yet`, event: UNREADY };
  const healthy = findCondition(status.conditions, 'NodeHealthy');
  if (healthy === undefined || healthy.status === 'True') return undefined;
  const message = `${name}: ${healthy.message ?? healthy.reason ?? `Node ${status.nodeRef.name} is not healthy`}`;
  return {
    reason: healthy.status === 'Unknown' ? 'WaitingForWorkloadApi' : 'WaitingForMachines',
    message,
    event: UNREADY,
  };
}

function reasonText({ status }: Machine): string {
  const ready = findCondition(status?.conditions, 'Ready');
  return ready?.status === 'False' && ready.message !== undefined ? `: ${ready.message}` : '';
}

function countFullyLabelled(set: MachineSet, members: readonly Machine[]): number {
  const selector = compileLabelSelector({ matchLabels: set.spec?.template?.metadata?.labels ?? {} });
  return selector.ok ? members.filter(({ metadata }) => selector.matches(metadata.labels)).length : 0;
}
