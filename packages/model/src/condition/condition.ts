import type { Condition } from '../object.ts';
import { timeText } from '../time-text.ts';

const MAX_MESSAGE = 10_240;

/** A condition to set; its time is added where it changes. Empty reason and message count as absent. */
export type ConditionDraft = Omit<Condition, 'lastTransitionTime'>;

/** The condition of a type. */
export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((c) => c.type === type);
}

/** Is the condition there with status True? */
export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditionOf(conditions, type)?.status === 'True';
}

/**
 * Set a condition as Cluster API's helper does (spec/metal.md §2): lastTransitionTime moves only when status, reason,
 * severity or message differ; the list is sorted, Ready first. Returns the same list when nothing changed.
 */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  draft: ConditionDraft,
  nowMs: number,
): readonly Condition[] {
  const next = normal(draft);
  const old = conditionOf(conditions, draft.type);
  if (conditions !== undefined && old !== undefined && isSame(old, next)) return conditions;
  return sorted([
    ...(conditions ?? []).filter((c) => c.type !== draft.type),
    { ...next, lastTransitionTime: timeText(nowMs) },
  ]);
}

/** Set a condition to True, without reason, severity and message. */
export function markTrue(
  conditions: readonly Condition[] | undefined,
  type: string,
  nowMs: number,
): readonly Condition[] {
  return setCondition(conditions, { type, status: 'True' }, nowMs);
}

/** Take a condition away. Returns the same list when it is not there. */
export function dropCondition(conditions: readonly Condition[], type: string): readonly Condition[] {
  return conditions.some((c) => c.type === type) ? conditions.filter((c) => c.type !== type) : conditions;
}

function normal(draft: ConditionDraft): ConditionDraft {
  const { type, status, severity, reason, message } = draft;
  return {
    type,
    status,
    ...(severity === undefined || severity === '' || status === 'True' ? {} : { severity }),
    ...(reason === undefined || reason === '' ? {} : { reason }),
    ...(message === undefined || message === '' ? {} : { message: message.slice(0, MAX_MESSAGE) }),
  };
}

function isSame(a: ConditionDraft, b: ConditionDraft): boolean {
  return (
    a.status === b.status &&
    (a.reason ?? '') === (b.reason ?? '') &&
    (a.severity ?? '') === (b.severity ?? '') &&
    (a.message ?? '') === (b.message ?? '')
  );
}

function sorted(conditions: readonly Condition[]): readonly Condition[] {
  const rank = (c: Condition): string => (c.type === 'Ready' ? '0' : `1${c.type}`);
  return [...conditions].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}
