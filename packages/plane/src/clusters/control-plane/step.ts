import type { Wait } from '../../allocation/wait.ts';
import type { ControlPlaneAction } from './action.ts';

/** What one concern of a control plane asks for: a change, or patience, or nothing. */
export interface Step {
  readonly action?: ControlPlaneAction;
  readonly wait?: Wait;
}

/** Nothing to do and nothing to wait for. */
export const SETTLED: Step = {};

/** The first step with an action; else the first that waits; else nothing. Later ones are not even computed. */
export function firstStep(steps: Iterable<Step>): Step {
  let waiting: Step = SETTLED;
  for (const step of steps) {
    if (step.action !== undefined) return step;
    if (waiting.wait === undefined) waiting = step;
  }
  return waiting;
}
