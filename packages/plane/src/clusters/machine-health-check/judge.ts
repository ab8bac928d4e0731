import { findCondition, isConditionTrue } from '@bloomery/kube';
import type { Cluster, Condition, Machine, MachineHealthCheck, Node } from '@bloomery/model';
import { ANNOTATIONS, LABELS } from '@bloomery/model';
import { formatGoDuration, parseGoDuration, parseGoDurationMs } from '@bloomery/wire';

/** What is known of a Machine's Node: it has none yet, it is gone, its cluster does not answer, or the Node itself. */
export type NodeView = 'none' | 'gone' | 'unknown' | Node;

/** The state of a Machine by a health check. */
export type Judgement =
  | { readonly is: 'healthy' }
  /** To be replaced; reason and message of its condition HealthCheckSucceeded. */
  | { readonly is: 'unhealthy'; readonly reason: string; readonly message: string }
  /** Neither: it starts, or something is wrong but not for long enough. Unhealthy in `inMs` unless something changes. */
  | { readonly is: 'undecided'; readonly inMs?: number };

/** What a Machine is judged by. */
export interface JudgeInput {
  readonly check: MachineHealthCheck;
  readonly cluster: Cluster;
  readonly machine: Machine;
  readonly node: NodeView;
}

const DEFAULT_STARTUP = '10m0s';
const UNDECIDED: Judgement = { is: 'undecided' };

/**
 * Judge one Machine, by upstream's rules in upstream's order (spec/cluster.md §8). A Node that cannot be seen is not judged:
 * silence of a whole cluster must not replace its machines. Pure.
 */
export function judgeMachine(input: JudgeInput, nowMs: number): Judgement {
  const { machine, cluster, node } = input;
  const failed = ownFailure(machine);
  if (failed !== undefined) return failed;
  if (node === 'gone') {
    return unhealthy('NodeNotFound', `Node ${machine.status?.nodeRef?.name} is gone`);
  }
  const isControlPlane = machine.metadata.labels?.[LABELS.controlPlane] !== undefined;
  if (!isConditionTrue(cluster.status?.conditions, 'ControlPlaneInitialized') && !isControlPlane) return UNDECIDED;
  if (!isInfrastructureReady(cluster)) return UNDECIDED;
  if (node === 'unknown') return UNDECIDED;
  if (node === 'none') return judgeStart(input, nowMs);
  return judgeNode(input, node, nowMs);
}

function unhealthy(reason: string, message: string): Judgement {
  return { is: 'unhealthy', reason, message };
}

function ownFailure({ metadata, status }: Machine): Judgement | undefined {
  if (metadata.annotations?.[ANNOTATIONS.remediateMachine] !== undefined) {
    const message = 'Marked for remediation via remediate-machine annotation';
    return unhealthy('HasRemediateMachineAnnotation', message);
  }
  if (status?.failureReason !== undefined) {
    return unhealthy('MachineHasFailure', `FailureReason: ${status.failureReason}`);
  }
  return status?.failureMessage === undefined
    ? undefined
    : unhealthy('MachineHasFailure', `FailureMessage: ${status.failureMessage}`);
}

function isInfrastructureReady({ status }: Cluster): boolean {
  return isConditionTrue(status?.conditions, 'InfrastructureReady') || status?.infrastructureReady === true;
}

/** A Machine without a Node has nodeStartupTimeout for it, from the latest moment on at which it could begin. */
function judgeStart({ check, cluster, machine }: JudgeInput, nowMs: number): Judgement {
  const text = check.spec?.nodeStartupTimeout ?? DEFAULT_STARTUP;
  const timeoutMs = parseGoDurationMs(text) ?? 0;
  if (timeoutMs === 0) return UNDECIDED;
  const began = [
    Date.parse(machine.metadata.creationTimestamp ?? ''),
    trueSince(cluster.status?.conditions, 'ControlPlaneInitialized'),
    trueSince(cluster.status?.conditions, 'InfrastructureReady'),
    trueSince(machine.status?.conditions, 'InfrastructureReady'),
  ].filter((ms) => Number.isFinite(ms));
  const inMs = Math.max(...began, 0) + timeoutMs - nowMs;
  if (inMs > 0) return { is: 'undecided', inMs };
  return unhealthy('NodeStartupTimeout', `Node failed to report startup in ${spanText(text)}`);
}

function trueSince(conditions: readonly Condition[] | undefined, type: string): number {
  const condition = findCondition(conditions, type);
  return condition?.status === 'True' ? Date.parse(condition.lastTransitionTime) : Number.NaN;
}

function judgeNode({ check }: JudgeInput, node: Node, nowMs: number): Judgement {
  let soonestMs: number | undefined;
  for (const { type, status, timeout } of check.spec?.unhealthyConditions ?? []) {
    const condition = node.status?.conditions?.find((c) => c.type === type);
    if (condition?.status !== status) continue;
    const sinceMs = Date.parse(condition.lastTransitionTime ?? '');
    const inMs = (Number.isFinite(sinceMs) ? sinceMs : nowMs) + (parseGoDurationMs(timeout) ?? 0) - nowMs;
    if (inMs <= 0) {
      const message = `Condition ${type} on node is reporting status ${status} for more than ${spanText(timeout)}`;
      return unhealthy('UnhealthyNode', message);
    }
    soonestMs = Math.min(inMs, soonestMs ?? inMs);
  }
  return soonestMs === undefined ? { is: 'healthy' } : { is: 'undecided', inMs: soonestMs };
}

/** A time span as Go writes it. */
function spanText(text: string): string {
  const span = parseGoDuration(text);
  return span === undefined ? text : formatGoDuration(span);
}
