import type { ConditionDraft } from '@bloomery/kube';

/** The condition PowerCycle while the agent wipes; its time moves with every sign of life (metal.md §8). */
export function wipeInProgress(time: string): ConditionDraft {
  return {
    type: 'PowerCycle',
    status: 'False',
    reason: 'InProgress',
    severity: 'Info',
    message: 'Server wipe in progress.',
    lastTransitionTime: time,
  };
}
