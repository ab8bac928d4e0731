import { providerStateText } from '../contract/provider-object.ts';
import { createStep, removeStep } from './change-size.ts';
import { isMember } from './choose-victim.ts';
import { mayGo, memberOf } from './etcd-health.ts';
import { type Facts, isToBeRemediated, leavingSince } from './facts.ts';
import type { ControlPlaneMachine } from './observation.ts';
import { SETTLED, type Step } from './step.ts';

/**
 * Replace a machine that its MachineHealthCheck gave up (condition OwnerRemediated is False), one at a time. One that is no
 * member of etcd goes at once. For a member a replacement is made first; where that gets no infrastructure (no spare server), the
 * member goes first and its server serves the replacement. Etcd keeps its quorum in every case. Pure.
 */
export function planRemediation(facts: Facts): Step {
  const given = facts.current.filter((m) => isToBeRemediated(m) && leavingSince(m) === undefined);
  const victim = given.find((m) => !isMember(facts, m)) ?? given[0];
  if (victim === undefined) return SETTLED;
  const why = 'its health check gave it up';
  if (!facts.bootstrapped) return beforeBootstrap(facts, victim);
  if (!isMember(facts, victim)) return removeStep(facts, victim, why);
  const joining = facts.current.filter((m) => m !== victim && facts.standing(m) === 'joining');
  const hasReplacement = facts.current.length > facts.replicas;
  if (!hasReplacement && joining.length === 0) return createStep(facts);
  const starved = joining.find(isStarved);
  if (hasReplacement && (joining.length === 0 || starved !== undefined) && canGo(facts, victim)) {
    return removeStep(facts, victim, why);
  }
  const [newest] = joining;
  if (newest === undefined) return removeStep(facts, victim, why);
  const message = `Machine ${victim.name} is unhealthy; its replacement ${newest.name} has to be a healthy member of etcd first: ${providerStateText(newest.infrastructure)}`;
  return { wait: { reason: 'WaitingForEtcdMember', message } };
}

function canGo({ etcd }: Facts, { name }: ControlPlaneMachine): boolean {
  const member = memberOf(etcd, name);
  return member !== undefined && mayGo(etcd, member).ok;
}

/** The infrastructure says that it cannot be had now. */
function isStarved({ infrastructure }: ControlPlaneMachine): boolean {
  return infrastructure !== undefined && !infrastructure.view.ready && infrastructure.view.waiting !== undefined;
}

/** There is no etcd to protect yet. The machine that was told to bootstrap goes only if nobody else is left to hold its data. */
function beforeBootstrap(facts: Facts, victim: ControlPlaneMachine): Step {
  const isChosen = facts.choice?.machine === victim.name;
  if (isChosen && facts.observation.machines.length > 1) {
    const message = `Machine ${victim.name} is unhealthy and was told to bootstrap etcd: it is replaced when it is deleted by hand, or when the others say that they hold no data of etcd`;
    const unsure = facts.observation.machines.some(
      (m) => m !== victim && !(m.talos.state === 'answers' && m.talos.hasData === false),
    );
    if (unsure) return { wait: { reason: 'BootstrapUnknown', message } };
  }
  return {
    action: {
      do: 'deleteMachine',
      machine: victim.name,
      why: 'its health check gave it up before etcd was bootstrapped',
    },
  };
}
