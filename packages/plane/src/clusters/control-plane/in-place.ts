import type { Facts } from './facts.ts';
import { SETTLED, type Step } from './step.ts';

/** Change machines that differ from the spec where they run. Pure. */
export function planInPlace(_facts: Facts): Step {
  return SETTLED;
}
