import { findCondition } from '@bloomery/kube';
import { ANNOTATIONS } from '@bloomery/model';
import { isHealthyVoter, isIdentified, type KnownMember, mayGo, memberOf, nameOfMember } from './etcd-health.ts';
import { type Facts, isDeleting, leavingSince } from './facts.ts';
import type { ControlPlaneMachine } from './observation.ts';
import { firstStep, SETTLED, type Step } from './step.ts';

/** A healthy member that was asked to leave and has not left after this is removed through another. */
const LEAVE_PATIENCE_MS = 20_000;
/** So long is the deletion of a Machine held when etcd cannot be asked, or has no quorum. */
export const DEAD_CLUSTER_DEADLINE_MS = 120_000;
/** So long a member that no machine is may be one that is joining. */
const STRAY_PATIENCE_MS = 10_000;
/** The same for one that was added and has not started. */
const UNNAMED_PATIENCE_MS = 60_000;
/** The same while some machine has its configuration and its provider says neither where it runs nor that it does not. */
const UNTOLD_PATIENCE_MS = 300_000;
/** Name of upstream; also the reason of its condition while there is no quorum is a durable clock. */
export const ETCD_CONDITION = 'EtcdClusterHealthyCondition';
export const ETCD_LOST_REASON = 'EtcdQuorumLost';

/**
 * Take out the machines that are on their way out, and members of etcd that have no machine. Each step is judged by the members
 * of this moment, so that etcd keeps its quorum whichever of them comes first. Pure.
 */
export function planRemovals(facts: Facts): Step {
  return firstStep(removals(facts));
}

function* removals(facts: Facts): Generator<Step> {
  const leaving = facts.observation.machines.filter((m) => leavingSince(m) !== undefined || isDeleting(m.machine));
  for (const machine of leaving) yield planLeaving(facts, machine);
  if (facts.etcd.isKnown) yield planStrays(facts);
}

function planLeaving(facts: Facts, machine: ControlPlaneMachine): Step {
  const { etcd, observation } = facts;
  if (isDeleting(machine.machine) && !isHeld(machine)) return SETTLED;
  if (!facts.bootstrapped) return finish(machine);
  const since = leavingSince(machine);
  if (since === undefined) {
    return { action: { do: 'markLeaving', machine: machine.name, why: 'its Machine is being deleted' } };
  }
  if (!etcd.isKnown || !etcd.hasQuorum) return withoutQuorum(facts, machine, since);
  const member = memberOf(etcd, machine.name);
  if (member === undefined) return finish(machine);
  const verdict = mayGo(etcd, member);
  if (!verdict.ok) {
    const message = `Machine ${machine.name} is to go and stays for now: ${verdict.why}`;
    return { wait: { reason: verdict.isLast ? 'LastMember' : 'EtcdQuorumAtRisk', message } };
  }
  return leave(facts, machine, member, observation.nowMs - since);
}

/** A healthy member leaves by itself; one that cannot, or does not, is removed through another. */
function leave(facts: Facts, machine: ControlPlaneMachine, member: KnownMember, elapsedMs: number): Step {
  const { talos, name } = machine;
  if (!isHealthyVoter(machine) || talos.state !== 'answers' || elapsedMs >= LEAVE_PATIENCE_MS) {
    return removeThrough(facts, member);
  }
  return { action: { do: 'leaveEtcd', machine: name, node: talos.address } };
}

function removeThrough(facts: Facts, member: KnownMember): Step {
  const healthy = facts.observation.machines.filter((m) => isHealthyVoter(m) && m.name !== member.machine);
  const through = healthy.find((m) => leavingSince(m) === undefined) ?? healthy[0];
  if (through?.talos.state !== 'answers') {
    const message = `${nameOfMember(member)} is to be removed from etcd; no other member answers`;
    return { wait: { reason: 'WaitingForEtcd', message } };
  }
  const { id } = member.member;
  return { action: { do: 'removeMember', id, who: nameOfMember(member), node: through.talos.address } };
}

/** Not a member any more, or none of a cluster that lives: the Machine goes, and then what it runs on. */
function finish(machine: ControlPlaneMachine, skipped?: string): Step {
  const { name } = machine;
  if (!isDeleting(machine.machine)) {
    return { action: { do: 'deleteMachine', machine: name, why: 'it is out of etcd' } };
  }
  return { action: { do: 'releaseHook', machine: name, skipped } };
}

/** Nobody can leave now. What we began ourselves waits; what somebody else deletes is let go after the deadline. */
function withoutQuorum(facts: Facts, machine: ControlPlaneMachine, leavingAt: number): Step {
  const { etcd, observation } = facts;
  const why = etcd.isKnown ? `etcd has no quorum (${etcd.text} healthy)` : etcd.problem;
  if (!isDeleting(machine.machine)) {
    const reason = etcd.isKnown ? 'EtcdQuorumLost' : 'WaitingForEtcd';
    return { wait: { reason, message: `Machine ${machine.name} is to leave etcd: ${why}` } };
  }
  const lostAt = lostSince(facts);
  const releaseAt = Math.max(leavingAt, lostAt) + DEAD_CLUSTER_DEADLINE_MS;
  if (observation.nowMs >= releaseAt) return finish(machine, why);
  const when = new Date(releaseAt).toISOString().slice(11, 19);
  const message = `Machine ${machine.name} is being deleted and cannot leave etcd: ${why}; its infrastructure goes at ${when} UTC without that`;
  return { wait: { reason: 'EtcdQuorumLost', message, event: `Machine ${machine.name} cannot leave etcd` } };
}

function lostSince({ observation: { controlPlane, nowMs } }: Facts): number {
  const condition = findCondition(controlPlane.status?.conditions, ETCD_CONDITION);
  return condition?.reason === ETCD_LOST_REASON ? Date.parse(condition.lastTransitionTime) : nowMs;
}

/** Whether the deletion of a Machine waits for us. */
export function isHeld({ machine }: ControlPlaneMachine): boolean {
  return machine.metadata.annotations?.[ANNOTATIONS.preTerminateHook] !== undefined;
}

/**
 * Members that run on no machine of ours: left over from machines that went without leaving. Removed only when every machine is
 * known well enough to be none of them, and after a while: a machine that is joining right now may not have said who it is. One
 * without a name has not even started; it is given longer, but not for ever, as etcd lets nobody else join before it is gone. Pure.
 */
function planStrays(facts: Facts): Step {
  const { etcd, observation } = facts;
  const stray = etcd.members.find(({ machine }) => machine === undefined);
  if (stray === undefined) return SETTLED;
  const name = nameOfMember(stray);
  const unsure = observation.machines.find((m) => !isIdentified(m));
  if (unsure !== undefined) {
    const message = `etcd has member ${name} that is no known machine; it may be Machine ${unsure.name}, which has not said who it is yet`;
    return { wait: { reason: 'WaitingForEtcdMember', message } };
  }
  const ageMs = observation.nowMs - (observation.straysSince.get(stray.member.id) ?? observation.nowMs);
  if (ageMs < strayPatienceMs(facts, stray)) {
    const message = `etcd has member ${name} that no Machine is known to be yet; if it stays so it is removed`;
    return {
      wait: { reason: 'WaitingForEtcdMember', message, event: 'etcd has a member that is no known Machine yet' },
    };
  }
  const verdict = mayGo(etcd, stray);
  if (!verdict.ok) {
    const message = `etcd has member ${name} that is no machine of the control plane and stays for now: ${verdict.why}`;
    return { wait: { reason: 'EtcdQuorumAtRisk', message } };
  }
  return removeThrough(facts, stray);
}

function strayPatienceMs({ observation }: Facts, { member }: KnownMember): number {
  if (observation.machines.some(mayHaveBooted)) return UNTOLD_PATIENCE_MS;
  return member.hostname === '' ? UNNAMED_PATIENCE_MS : STRAY_PATIENCE_MS;
}

function mayHaveBooted({ machine: { spec, status }, talos }: ControlPlaneMachine): boolean {
  const hasConfig = (spec?.bootstrap.dataSecretName ?? '') !== '';
  const isTold = (status?.addresses ?? []).length > 0 || Boolean(status?.nodeRef?.name) || talos.state === 'answers';
  return hasConfig && !isTold;
}
