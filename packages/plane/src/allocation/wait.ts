import type { ConditionDraft, EventDraft } from '@bloomery/kube';
import { findCondition } from '@bloomery/kube';
import type { Condition, WaitReason } from '@bloomery/model';
import { isWaitReason, WAIT_REASONS } from '@bloomery/model';

/** Why an object is not where it should be, with the names and numbers of this moment. */
export interface Wait {
  readonly reason: WaitReason;
  /** What is awaited, the last evidence, and what happens next or what the user must do. */
  readonly message: string;
  /** The same without numbers, for the Event, so that repeats fold. The message unless given. */
  readonly event?: string;
}

/** The condition Ready of an object that waits. */
export function waitCondition({ reason, message }: Wait): ConditionDraft {
  const severity = WAIT_REASONS[reason].normal ? 'Info' : 'Warning';
  return { type: 'Ready', status: 'False', severity, reason, message };
}

/** The Event of a wait: only when the reason is another one than before. `reason` overrides the Event's own. */
export function waitEvent(
  before: readonly Condition[] | undefined,
  wait: Wait,
  reason: string = wait.reason,
): EventDraft | undefined {
  if (findCondition(before, 'Ready')?.reason === wait.reason) return undefined;
  return {
    type: WAIT_REASONS[wait.reason].normal ? 'Normal' : 'Warning',
    reason,
    message: wait.event ?? wait.message,
  };
}

/** A text as a wait reason; undefined when it is none. */
export function waitReasonOf(text: string | undefined): WaitReason | undefined {
  return isWaitReason(text) ? text : undefined;
}

/** The WAITING-FOR column of a wait. */
export function waitingFor({ reason }: Wait): string {
  return WAIT_REASONS[reason].short;
}
