import { type Condition, timeText } from '@bloomery/model';

export { timeText as kubeTime };

/** A condition as a controller states it. Without `lastTransitionTime` the time moves only when something was different. */
export interface ConditionDraft extends Omit<Condition, 'lastTransitionTime'> {
  readonly lastTransitionTime?: string;
}

/** Take this condition away. */
export interface ConditionRemoval {
  readonly type: string;
  readonly status: null;
}

export type ConditionChange = ConditionDraft | ConditionRemoval;

const MAX_MESSAGE_LENGTH = 10_240;

function applied(have: Condition | undefined, change: ConditionDraft, now: string): Condition {
  const next: Condition = {
    type: change.type,
    status: change.status,
    ...(change.severity === undefined || change.severity === '' || change.status === 'True'
      ? {}
      : { severity: change.severity }),
    ...(change.reason === undefined || change.reason === '' ? {} : { reason: change.reason }),
    ...(change.message === undefined || change.message === ''
      ? {}
      : { message: change.message.slice(0, MAX_MESSAGE_LENGTH) }),
    lastTransitionTime: change.lastTransitionTime ?? now,
  };
  if (have === undefined || change.lastTransitionTime !== undefined) return next;
  const moved =
    have.status !== next.status || have.reason !== next.reason || (have.severity ?? '') !== (next.severity ?? '');
  return moved ? next : { ...next, lastTransitionTime: have.lastTransitionTime };
}

/**
 * Merge conditions by type: what `changes` does not name is kept. Sorted `Ready` first, then by type. The time moves when
 * status, reason or severity differ (not for another message: messages carry durations), or where the draft brings a time.
 */
export function mergeConditions(
  have: readonly Condition[],
  changes: readonly ConditionChange[],
  nowMs: number,
): readonly Condition[] {
  const byType = new Map(have.map((condition) => [condition.type, condition]));
  for (const change of changes) {
    if (change.status === null) byType.delete(change.type);
    else byType.set(change.type, applied(byType.get(change.type), change, timeText(nowMs)));
  }
  const rank = (type: string): string => (type === 'Ready' ? '' : type);
  return [...byType.values()].sort((a, b) => (rank(a.type) < rank(b.type) ? -1 : 1));
}

/** The condition of this type, if there is one. */
export function findCondition<C extends { readonly type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** True when the condition of this type is there and True. */
export function isConditionTrue(
  conditions: readonly { readonly type: string; readonly status: string }[] | undefined,
  type: string,
): boolean {
  return findCondition(conditions, type)?.status === 'True';
}
