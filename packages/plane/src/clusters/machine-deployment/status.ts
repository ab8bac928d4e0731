import type { ConditionChange, StatusPatch } from '@bloomery/kube';
import { findCondition } from '@bloomery/kube';
import { labelSelectorText, type MachineDeployment, type MachineSet, timeText } from '@bloomery/model';
import type { Wait } from '../../allocation/wait.ts';
import { waitCondition, waitingFor, waitReasonOf } from '../../allocation/wait.ts';
import type { RolloutLimits } from './roll.ts';
import { sum } from './set-size.ts';

/** What happened to a MachineDeployment before its status is stated. */
export interface DeploymentOutcome {
  /** The set of the present template. */
  readonly fresh: MachineSet | undefined;
  /** Its other sets. */
  readonly old: readonly MachineSet[];
  readonly limits: RolloutLimits;
  /** Why the set of the present template cannot be made. */
  readonly problem: Wait | undefined;
}

export interface DeploymentStatusPlan {
  readonly status: StatusPatch;
  readonly wait: Wait | undefined;
  /** When the rollout counts as stalled, if nothing happens before. */
  readonly nextMs: number | undefined;
  readonly isComplete: boolean;
}

interface Counts {
  readonly replicas: number;
  readonly updated: number;
  readonly ready: number;
  readonly available: number;
  readonly unavailable: number;
}

/** The status of a living MachineDeployment. Pure. */
export function planDeploymentStatus(
  deployment: MachineDeployment,
  outcome: DeploymentOutcome,
  nowMs: number,
): DeploymentStatusPlan {
  const { limits, fresh, old } = outcome;
  const counts = countsOf(outcome);
  const desired = limits.replicas;
  const isComplete = counts.updated === desired && counts.replicas === desired && counts.available === desired;
  const wait = isComplete ? undefined : waitOf(deployment, outcome, counts);
  const progress = progressOf(deployment, counts, { isComplete, wait, nowMs });
  const stalled = progress.isStalled && wait !== undefined ? stalledWait(wait, deployment) : wait;
  const available = availableCondition(counts, limits);
  return {
    status: {
      selector: labelSelectorText(deployment.spec?.selector),
      replicas: counts.replicas,
      updatedReplicas: counts.updated,
      readyReplicas: counts.ready,
      availableReplicas: counts.available,
      unavailableReplicas: counts.unavailable,
      phase: phaseOf([...old, ...(fresh === undefined ? [] : [fresh])], counts, desired),
      observedGeneration: deployment.metadata.generation ?? null,
      waitingFor: stalled === undefined ? null : waitingFor(stalled),
      conditions: [
        available,
        setReadyCondition(fresh),
        progress.condition,
        available.status === 'True' ? { type: 'Ready', status: 'True' } : readyCondition(stalled, available),
        { type: 'Paused', status: null },
      ],
    },
    wait: stalled,
    nextMs: progress.nextMs,
    isComplete,
  };
}

function countsOf({ fresh, old }: DeploymentOutcome): Counts {
  const sets = [...old, ...(fresh === undefined ? [] : [fresh])];
  const available = sum(sets.map(({ status }) => status?.availableReplicas ?? 0));
  const wanted = sum(sets.map(({ spec }) => spec?.replicas ?? 0));
  return {
    replicas: sum(sets.map(({ status }) => status?.replicas ?? 0)),
    updated: fresh?.status?.replicas ?? 0,
    ready: sum(sets.map(({ status }) => status?.readyReplicas ?? 0)),
    available,
    unavailable: Math.max(0, wanted - available),
  };
}

function phaseOf(sets: readonly MachineSet[], { ready, replicas }: Counts, desired: number): string {
  if (sets.some(({ status }) => status?.failureReason !== undefined || status?.failureMessage !== undefined)) {
    return 'Failed';
  }
  if (ready < desired) return 'ScalingUp';
  return ready > desired || replicas > desired ? 'ScalingDown' : 'Running';
}

function availableCondition({ available }: Counts, { replicas, maxUnavailable }: RolloutLimits) {
  const needed = replicas - maxUnavailable;
  if (available >= needed) return { type: 'Available', status: 'True' } as const;
  const message = `Minimum availability requires ${needed} replicas, current ${available} available`;
  const reason = 'WaitingForAvailableMachines';
  return { type: 'Available', status: 'False', severity: 'Warning', reason, message } as const;
}

/** The condition Ready of the set of the present template. */
function setReadyCondition(fresh: MachineSet | undefined): ConditionChange {
  const ready = findCondition(fresh?.status?.conditions, 'Ready');
  const type = 'MachineSetReady';
  if (ready !== undefined) {
    const { status, severity, reason, message } = ready;
    return {
      type,
      status,
      ...(severity === undefined ? {} : { severity }),
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    };
  }
  const message = fresh === undefined ? 'MachineSet not found' : `MachineSet ${fresh.metadata.name} says nothing yet`;
  return { type, status: 'False', severity: 'Info', reason: 'WaitingForMachineSet', message };
}

function readyCondition(wait: Wait | undefined, available: ConditionChange): ConditionChange {
  return wait === undefined ? { ...available, type: 'Ready' } : waitCondition(wait);
}

/** The deepest cause: what a set says of the Machine that it waits for; the set of the present template first. */
function waitOf(
  deployment: MachineDeployment,
  { fresh, old, problem, limits }: DeploymentOutcome,
  counts: Counts,
): Wait {
  if (problem !== undefined) return problem;
  const done = `${counts.updated} of ${limits.replicas} machines are up to date, ${counts.available} available`;
  if (deployment.spec?.paused === true && counts.updated < counts.replicas) {
    return { reason: 'Paused', message: `spec.paused is set: ${done}`, event: 'the rollout is paused' };
  }
  for (const set of [...(fresh === undefined ? [] : [fresh]), ...old]) {
    const ready = findCondition(set.status?.conditions, 'Ready');
    if (ready?.status !== 'False') continue;
    const message = `MachineSet ${set.metadata.name}: ${ready.message ?? ready.reason ?? 'not ready'}; ${done}`;
    const reason = waitReasonOf(ready.reason) ?? 'WaitingForMachines';
    return { reason, message, event: `MachineSet ${set.metadata.name} waits` };
  }
  const isOnDelete = deployment.spec?.strategy?.type === 'OnDelete';
  const next = isOnDelete && counts.updated < counts.replicas ? '; delete old machines to have them replaced' : '';
  const event = counts.updated < counts.replicas ? 'machines are being replaced' : 'machines are coming up';
  return { reason: 'RollingOut', message: `${done}${next}`, event };
}

function stalledWait({ message }: Wait, { spec }: MachineDeployment): Wait {
  const text = `no progress for ${spec?.progressDeadlineSeconds ?? 0} s: ${message}`;
  return { reason: 'RolloutStalled', message: text, event: 'the rollout makes no progress' };
}

const PROGRESSING = 'Progressing';

interface Progress {
  readonly condition: ConditionChange;
  readonly isStalled: boolean;
  readonly nextMs: number | undefined;
}

/** Progress is any change of the counts; the condition's time is that of the last one. */
function progressOf(
  deployment: MachineDeployment,
  counts: Counts,
  {
    isComplete,
    wait,
    nowMs,
  }: { readonly isComplete: boolean; readonly wait: Wait | undefined; readonly nowMs: number },
): Progress {
  const { status, spec } = deployment;
  const before = findCondition(status?.conditions, PROGRESSING);
  const steady = { isStalled: false, nextMs: undefined };
  if (isComplete) return { ...steady, condition: { type: PROGRESSING, status: 'True', reason: 'RolloutComplete' } };
  if (spec?.paused === true) {
    return { ...steady, condition: { type: PROGRESSING, status: 'Unknown', reason: 'DeploymentPaused' } };
  }
  const isMoving =
    status?.replicas !== counts.replicas ||
    status.updatedReplicas !== counts.updated ||
    status.readyReplicas !== counts.ready ||
    status.availableReplicas !== counts.available ||
    status.observedGeneration !== deployment.metadata.generation;
  const hadBegun = before?.reason === 'RollingOut' || before?.reason === 'ProgressDeadlineExceeded';
  const sinceMs = hadBegun && !isMoving ? Date.parse(before.lastTransitionTime) : nowMs;
  const dueMs = sinceMs + (spec?.progressDeadlineSeconds ?? 600) * 1000;
  const message = wait?.message ?? '';
  if (hadBegun && !isMoving && nowMs >= dueMs) {
    const reason = 'ProgressDeadlineExceeded';
    const lastTransitionTime = before.lastTransitionTime;
    const condition = { type: PROGRESSING, status: 'False', severity: 'Warning', reason, message } as const;
    return { condition: { ...condition, lastTransitionTime }, isStalled: true, nextMs: undefined };
  }
  const lastTransitionTime = hadBegun && !isMoving ? before.lastTransitionTime : timeText(nowMs);
  return {
    condition: { type: PROGRESSING, status: 'True', reason: 'RollingOut', message, lastTransitionTime },
    isStalled: false,
    nextMs: Math.max(0, dueMs - nowMs),
  };
}
