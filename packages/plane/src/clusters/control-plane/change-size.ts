import { ANNOTATIONS } from '@bloomery/model';
import { mayGo, memberOf, nameOfMember } from './etcd-health.ts';
import type { Facts } from './facts.ts';
import type { ControlPlaneMachine } from './observation.ts';
import type { Step } from './step.ts';

/** Make one more machine, where its template allows. Pure. */
export function createStep(facts: Facts): Step {
  const { template, cluster } = facts.observation;
  if (!template.ok) return { wait: { reason: 'WaitingForTemplate', message: template.why } };
  const domains = Object.entries(cluster?.status?.failureDomains ?? {}).filter(([, { controlPlane }]) => controlPlane);
  const load = (domain: string): number => facts.current.filter((m) => m.machine.spec?.failureDomain === domain).length;
  const [domain] = domains.map(([name]) => name).sort((a, b) => load(a) - load(b) || (a < b ? -1 : 1));
  // Once somebody was chosen, data of etcd may exist: what is made from then on is no proof of the contrary.
  const beforeBootstrap =
    !facts.bootstrapped && facts.choice === undefined && facts.observation.machines.every(isFresh);
  return { action: { do: 'createMachine', beforeBootstrap, failureDomain: domain } };
}

const isFresh = ({ machine }: ControlPlaneMachine): boolean =>
  machine.metadata.annotations?.[ANNOTATIONS.beforeBootstrap] !== undefined;

/** Begin to take a machine out, if etcd survives that. Pure. */
export function removeStep(facts: Facts, victim: ControlPlaneMachine, why: string): Step {
  const { etcd } = facts;
  const { name } = victim;
  if (!etcd.isKnown) {
    return { wait: { reason: 'WaitingForEtcd', message: `Machine ${name} is to go (${why}); ${etcd.problem}` } };
  }
  const member = memberOf(etcd, name);
  const verdict = member === undefined ? { ok: true as const } : mayGo(etcd, member);
  if (verdict.ok) return { action: { do: 'markLeaving', machine: name, why } };
  const who = member === undefined ? name : nameOfMember(member);
  const message = `${who} is to go (${why}) and stays for now: ${verdict.why}`;
  return { wait: { reason: verdict.isLast ? 'LastMember' : 'EtcdQuorumAtRisk', message } };
}
