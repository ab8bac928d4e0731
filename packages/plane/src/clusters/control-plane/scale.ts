import { machineStateText } from './bootstrap.ts';
import { createStep, removeStep } from './change-size.ts';
import { chooseVictim } from './choose-victim.ts';
import { type Facts, isToBeRemediated } from './facts.ts';
import type { ControlPlaneMachine } from './observation.ts';
import { SETTLED, type Step } from './step.ts';

/** Make the machines that are missing. Never a reason to wait for etcd: a machine that joins is a learner first. Pure. */
export function planScaleUp(facts: Facts): Step {
  if (facts.replicas === 0) {
    const have = facts.current.length;
    const message =
      have === 0
        ? 'spec.replicas is 0: no machine is made; set it to 1, 3 or 5'
        : `spec.replicas is 0 and ${have} machines are there: they stay, as the last would take the data of etcd with it; delete the Cluster to remove them`;
    return { wait: { reason: 'ReplicasZero', message } };
  }
  return facts.current.length < facts.replicas ? createStep(facts) : SETTLED;
}

/** Take away machines that are more than wanted. `allowed` counts those of a rollout or a replacement too. Pure. */
export function planScaleDown(facts: Facts, allowed: number): Step {
  if (facts.replicas === 0 || facts.current.length <= Math.max(1, allowed)) return SETTLED;
  if (!facts.bootstrapped) return shrinkBeforeBootstrap(facts);
  const victim = chooseVictim(facts);
  return victim === undefined ? SETTLED : removeStep(facts, victim, 'there are more machines than spec.replicas');
}

/** Nothing is lost with a machine that etcd never ran on; the one that was told to bootstrap stays. */
function shrinkBeforeBootstrap(facts: Facts): Step {
  const others = facts.current.filter(({ name }) => name !== facts.choice?.machine);
  const victim = chooseVictim(facts, [...others].reverse());
  return victim === undefined
    ? SETTLED
    : deleteBeforeBootstrap(facts, victim, 'there are more machines than spec.replicas');
}

/** Before anybody was told to bootstrap, a machine may go at once; afterwards only one that says that it holds no data. */
export function deleteBeforeBootstrap(facts: Facts, victim: ControlPlaneMachine, why: string): Step {
  const isEmpty =
    victim.talos.state === 'answers' ? victim.talos.hasData === false : victim.talos.state === 'noAddress';
  if (facts.choice === undefined || isEmpty) {
    return { action: { do: 'deleteMachine', machine: victim.name, why } };
  }
  const message = `Machine ${victim.name} is to go (${why}) and may hold data of etcd: ${machineStateText(victim)}`;
  return { wait: { reason: 'BootstrapUnknown', message } };
}

/** Machines beyond spec.replicas that a replacement of an unhealthy one may need. */
export function remediationSurge(facts: Facts): number {
  return facts.current.some(isToBeRemediated) ? 1 : 0;
}
