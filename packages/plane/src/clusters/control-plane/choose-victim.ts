import { ANNOTATIONS } from '@bloomery/model';
import { memberOf } from './etcd-health.ts';
import { type Facts, isToBeRemediated } from './facts.ts';
import type { ControlPlaneMachine } from './observation.ts';

/**
 * Which machine goes when one has to: the first of these groups that is not empty, the oldest of it. A machine that a user
 * marked goes before all others, one that differs from the spec before one that does not, one that is of no use to etcd before
 * one that is (spec/cluster.md §7, and §10 item 1). Pure.
 *
 * @param among candidates, the oldest first.
 */
export function chooseVictim(
  facts: Facts,
  among: readonly ControlPlaneMachine[] = facts.current,
): ControlPlaneMachine | undefined {
  const isMarked = (m: ControlPlaneMachine): boolean =>
    m.machine.metadata.annotations?.[ANNOTATIONS.deleteMachine] !== undefined;
  const isOutdated = (m: ControlPlaneMachine): boolean => facts.differences(m).length > 0;
  const hasLeft = (m: ControlPlaneMachine): boolean => facts.standing(m) === 'sick' && !isMember(facts, m);
  const isUseless = (m: ControlPlaneMachine): boolean => facts.standing(m) !== 'member';
  const groups: readonly ((m: ControlPlaneMachine) => boolean)[] = [
    hasLeft,
    isToBeRemediated,
    (m) => isMarked(m) && isOutdated(m),
    isMarked,
    (m) => isOutdated(m) && isUseless(m),
    isUseless,
    isOutdated,
    () => true,
  ];
  for (const group of groups) {
    const found = among.find(group);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether the machine is a member of etcd, as far as that is known; one that nobody can tell counts as one. */
export function isMember(facts: Facts, machine: ControlPlaneMachine): boolean {
  return !facts.etcd.isKnown || memberOf(facts.etcd, machine.name) !== undefined;
}
