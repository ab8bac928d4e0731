import type { ConditionChange, StatusPatch } from '@bloomery/kube';
import { findCondition } from '@bloomery/kube';
import type { Cluster, Machine, MachineHealthCheck } from '@bloomery/model';
import { ANNOTATIONS, compileLabelSelector, scaledValue } from '@bloomery/model';
import { isPaused } from '../../allocation/paused.ts';
import type { Wait } from '../../allocation/wait.ts';
import { waitCondition, waitingFor } from '../../allocation/wait.ts';
import { type Judgement, judgeMachine, type NodeView } from './judge.ts';

/** A health check and everything that it judges by. */
export interface HealthCheckInput {
  readonly check: MachineHealthCheck;
  readonly cluster: Cluster;
  /** The Machines of its Cluster. */
  readonly machines: readonly Machine[];
  readonly nodeOf: (machine: Machine) => NodeView;
  /** Why Nodes cannot be seen; undefined: they can. */
  readonly unseen: string | undefined;
}

/** A Machine of a health check, and what is to be done about it. */
export interface HealthTarget {
  readonly machine: Machine;
  readonly judgement: Judgement;
  /** Its owner, or the external remediation, is to replace it. */
  readonly isToBeReplaced: boolean;
}

export interface HealthCheckPlan {
  readonly targets: readonly HealthTarget[];
  readonly status: StatusPatch;
  readonly wait: Wait | undefined;
  /** When a Machine becomes unhealthy by time alone. */
  readonly nextMs: number | undefined;
}

/**
 * Judge all Machines of a health check and decide whether any may be replaced. Pure.
 */
export function planHealthCheck(input: HealthCheckInput, nowMs: number): HealthCheckPlan {
  const { check, cluster } = input;
  const judged = targetsOf(check, input.machines).map((machine) => ({
    machine,
    judgement: judgeMachine({ check, cluster, machine, node: input.nodeOf(machine) }, nowMs),
  }));
  const healthy = judged.filter(
    ({ machine, judgement }) => judgement.is === 'healthy' && machine.metadata.deletionTimestamp === undefined,
  ).length;
  const unhealthy = judged.filter(({ judgement }) => judgement.is === 'unhealthy');
  const allowance = allowanceOf(check, judged.length, healthy);
  const targets = judged.map((one) => ({
    ...one,
    isToBeReplaced: allowance.isAllowed && one.judgement.is === 'unhealthy' && mayBeReplaced(one.machine, cluster),
  }));
  const wait = waitOf(input, unhealthy.length, allowance);
  const due = judged.map(({ judgement }) => (judgement.is === 'undecided' ? judgement.inMs : undefined));
  const times = due.filter((ms) => ms !== undefined);
  return {
    targets,
    wait,
    nextMs: times.length === 0 ? undefined : Math.min(...times),
    status: {
      expectedMachines: judged.length,
      currentHealthy: healthy,
      remediationsAllowed: allowance.isAllowed ? allowance.left : 0,
      targets: judged.map(({ machine }) => machine.metadata.name).sort(),
      observedGeneration: check.metadata.generation ?? null,
      waitingFor: wait === undefined ? null : waitingFor(wait),
      conditions: [
        allowedCondition(allowance, { total: judged.length, unhealthy: unhealthy.length }),
        wait === undefined ? { type: 'Ready', status: 'True' } : waitCondition(wait),
        { type: 'Paused', status: null },
      ],
    },
  };
}

/** The Machines that a health check selects, but for those that a user takes out. */
export function targetsOf({ spec }: MachineHealthCheck, machines: readonly Machine[]): readonly Machine[] {
  const selector = compileLabelSelector(spec?.selector);
  if (!selector.ok) return [];
  const isLeftOut = ({ metadata }: Machine): boolean =>
    [ANNOTATIONS.skipRemediation, ANNOTATIONS.capiPaused, ANNOTATIONS.pause].some(
      (name) => metadata.annotations?.[name] !== undefined,
    );
  return machines.filter((machine) => selector.matches(machine.metadata.labels) && !isLeftOut(machine));
}

function mayBeReplaced(machine: Machine, cluster: Cluster): boolean {
  return machine.metadata.deletionTimestamp === undefined && !isPaused(machine, cluster);
}

interface Allowance {
  readonly isAllowed: boolean;
  /** How many more may become unhealthy. */
  readonly left: number;
  /** `maxUnhealthy: 40%`, for messages. */
  readonly rule: string;
}

/** With unhealthyRange their number must be in it; else it must not exceed maxUnhealthy. What starts counts as unhealthy. */
function allowanceOf({ spec }: MachineHealthCheck, total: number, healthy: number): Allowance {
  const unhealthy = total - healthy;
  const range = spec?.unhealthyRange;
  const [, from, to] = /^\[(\d+)-(\d+)\]$/.exec(range ?? '') ?? [];
  if (from !== undefined && to !== undefined) {
    const isAllowed = unhealthy >= Number(from) && unhealthy <= Number(to);
    return { isAllowed, left: Math.max(0, Number(to) - unhealthy), rule: `unhealthyRange: ${range}` };
  }
  const most = scaledValue(spec?.maxUnhealthy ?? '100%', total, 'down') ?? 0;
  const rule = `maxUnhealthy: ${spec?.maxUnhealthy ?? '100%'}`;
  return { isAllowed: unhealthy <= most, left: Math.max(0, most - unhealthy), rule };
}

function allowedCondition(
  { isAllowed, rule }: Allowance,
  { total, unhealthy }: { readonly total: number; readonly unhealthy: number },
): ConditionChange {
  if (isAllowed) return { type: 'RemediationAllowed', status: 'True' };
  const verb = rule.startsWith('unhealthyRange') ? 'does not fall within the range' : 'exceeds maxUnhealthy';
  const message = `Remediation is not allowed, the number of not started or unhealthy machines ${verb} (total: ${total}, unhealthy: ${unhealthy}, ${rule})`;
  return { type: 'RemediationAllowed', status: 'False', severity: 'Warning', reason: 'TooManyUnhealthy', message };
}

function waitOf(
  { unseen, machines, check }: HealthCheckInput,
  unhealthy: number,
  allowance: Allowance,
): Wait | undefined {
  if (!allowance.isAllowed && unhealthy > 0) {
    const message = `${unhealthy} machines are unhealthy and none is replaced, by ${allowance.rule}`;
    return { reason: 'TooManyUnhealthy', message, event: `no machine is replaced, by ${allowance.rule}` };
  }
  const hasNodes = targetsOf(check, machines).some(({ status }) => Boolean(status?.nodeRef?.name));
  return unseen !== undefined && hasNodes ? { reason: 'WaitingForWorkloadApi', message: unseen } : undefined;
}

/**
 * What a health check writes to the conditions of a Machine. The mark to replace it is set once: whoever replaces it may change
 * it. It goes when the Machine is healthy again.
 */
export function machineConditions(
  { machine, judgement, isToBeReplaced }: HealthTarget,
  isExternal: boolean,
): readonly ConditionChange[] {
  if (machine.metadata.deletionTimestamp !== undefined || judgement.is === 'undecided') return [];
  const mark = findCondition(machine.status?.conditions, 'OwnerRemediated');
  if (judgement.is === 'healthy') {
    const clear: readonly ConditionChange[] =
      mark?.status === 'False' ? [{ type: 'OwnerRemediated', status: null }] : [];
    return [{ type: 'HealthCheckSucceeded', status: 'True' }, ...clear];
  }
  const { reason, message } = judgement;
  const failed: ConditionChange = {
    type: 'HealthCheckSucceeded',
    status: 'False',
    severity: 'Warning',
    reason,
    message,
  };
  if (!isToBeReplaced || isExternal || mark !== undefined) return [failed];
  return [failed, { type: 'OwnerRemediated', status: 'False', severity: 'Warning', reason: 'WaitingForRemediation' }];
}
