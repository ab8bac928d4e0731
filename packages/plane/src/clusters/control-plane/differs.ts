import { type ConditionChange, findCondition } from '@bloomery/kube';

type MachineConditions = Parameters<
  typeof findCondition<{ type: string; status: string; reason?: string; message?: string }>
>[0];

/** Whether a condition would change anything that people read: writing it costs a call. */
export function differs(change: ConditionChange, have: MachineConditions): boolean {
  const before = findCondition(have, change.type);
  if (change.status === null) return before !== undefined;
  return before?.status !== change.status || before.reason !== change.reason || before.message !== change.message;
}
