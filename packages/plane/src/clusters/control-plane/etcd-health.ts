import type { EtcdMember } from '@bloomery/talos';
import type { ControlPlaneMachine, EtcdReport } from './observation.ts';

/** A member of etcd and the Machine that it runs on, if there is one. */
export interface KnownMember {
  readonly member: EtcdMember;
  readonly machine: string | undefined;
  /** Its own machine says that it runs, votes, has a leader and no failing health check. */
  readonly isHealthy: boolean;
}

/** The membership of etcd, as its healthy members tell it. */
export interface EtcdPicture {
  /** Some member that has a leader told its members, and all that did agree. Nothing is decided otherwise. */
  readonly isKnown: boolean;
  readonly members: readonly KnownMember[];
  /** A majority of the voters is healthy. */
  readonly hasQuorum: boolean;
  /** Healthy and all members, as `3/3`; empty when unknown. */
  readonly text: string;
  /** Why it is not known, or which members are not healthy; empty when all is well. */
  readonly problem: string;
}

/** Whether the machine's own report makes it a healthy voter. */
export function isHealthyVoter(machine: ControlPlaneMachine): boolean {
  const report = reportOf(machine);
  return report !== undefined && !report.isLearner;
}

/** What a machine's etcd reports, if it runs, has a leader and is a member of what it reports. */
function reportOf({ talos }: ControlPlaneMachine): EtcdReport | undefined {
  if (talos.state !== 'answers' || talos.etcd === undefined || talos.etcd.leader === 0n) return undefined;
  const service = talos.services?.find(({ id }) => id === 'etcd');
  if (service !== undefined && (service.state !== 'Running' || service.healthy === false)) return undefined;
  return talos.etcd.members.some(({ id }) => id === talos.etcd?.memberId) ? talos.etcd : undefined;
}

/** Put together what the machines say of etcd. Pure. */
export function readEtcd(machines: readonly ControlPlaneMachine[]): EtcdPicture {
  const reports = machines.flatMap((m) => reportOf(m) ?? []);
  const [first] = reports;
  if (first === undefined) return unknown(whyNobody(machines));
  const idsOf = (report: EtcdReport): string =>
    report.members
      .map(({ id, isLearner }) => `${id}${isLearner ? 'l' : ''}`)
      .sort()
      .join();
  if (reports.some((report) => idsOf(report) !== idsOf(first))) {
    return unknown('the members of etcd do not agree about their members at this moment');
  }
  const healthy = new Map(machines.filter(isHealthyVoter).map((m) => [reportOf(m)?.memberId, m.name]));
  const members = first.members.map((member): KnownMember => {
    const machine = machineOfMember(member, machines);
    return { member, machine, isHealthy: healthy.has(member.id) };
  });
  const voters = members.filter(({ member }) => !member.isLearner);
  const healthyVoters = voters.filter(({ isHealthy }) => isHealthy);
  const sick = members.filter(({ isHealthy }) => !isHealthy);
  return {
    isKnown: true,
    members,
    hasQuorum: healthyVoters.length >= majority(voters.length),
    text: `${healthyVoters.length}/${members.length}`,
    problem: sick.length === 0 ? '' : `not healthy: ${sick.map(nameOfMember).join(', ')}`,
  };
}

/** The member that runs on a machine, if there is one. */
export function memberOf(etcd: EtcdPicture, machine: string): KnownMember | undefined {
  return etcd.members.find((m) => m.machine === machine);
}

/** How people call a member. */
export function nameOfMember({ member, machine }: KnownMember): string {
  const name = member.hostname === '' ? (member.peerUrls[0] ?? member.id.toString(16)) : member.hostname;
  const kind = member.isLearner ? ' (learner)' : '';
  return machine === undefined || machine === name ? `${name}${kind}` : `${name} of Machine ${machine}${kind}`;
}

/** Whether a member may go. */
export type MayGo = { readonly ok: true } | { readonly ok: false; readonly isLast: boolean; readonly why: string };

/**
 * Whether etcd survives without this member: it can decide now, and the healthy voters that remain are a majority of the
 * voters that remain. A learner has no vote. Pure.
 */
export function mayGo(etcd: EtcdPicture, { member }: KnownMember): MayGo {
  const voters = etcd.members.filter((m) => !m.member.isLearner);
  const rest = voters.filter((m) => m.member.id !== member.id);
  const healthy = rest.filter(({ isHealthy }) => isHealthy);
  if (rest.length === 0) return { ok: false, isLast: true, why: 'it is the last voting member of etcd' };
  if (!etcd.hasQuorum) return { ok: false, isLast: false, why: `etcd has no quorum (${etcd.text} healthy)` };
  if (healthy.length < majority(rest.length)) {
    const why = `without it ${healthy.length} of ${rest.length} voting members would be healthy, which is no majority`;
    return { ok: false, isLast: false, why };
  }
  return { ok: true };
}

const majority = (voters: number): number => Math.floor(voters / 2) + 1;

const unknown = (problem: string): EtcdPicture => ({
  isKnown: false,
  members: [],
  hasQuorum: false,
  text: '',
  problem,
});

function whyNobody(machines: readonly ControlPlaneMachine[]): string {
  const [first] = machines.flatMap(({ name, talos }) => {
    if (talos.state === 'silent') return [`Machine ${name}: ${talos.why}`];
    return talos.state === 'answers' && talos.etcdWhy !== '' ? [`Machine ${name}: ${talos.etcdWhy}`] : [];
  });
  return `no healthy member of etcd answers${first === undefined ? '' : ` (${first})`}`;
}

/**
 * The Machine that a member runs on: the one that says so itself; else by host name (before the first dot, any case), else by
 * an address in the member's URLs. A machine that says it is another member is not meant.
 */
function machineOfMember(member: EtcdMember, machines: readonly ControlPlaneMachine[]): string | undefined {
  const own = (m: ControlPlaneMachine): bigint | undefined =>
    m.talos.state === 'answers' ? m.talos.etcd?.memberId : undefined;
  const bySelf = machines.find((m) => own(m) === member.id);
  if (bySelf !== undefined) return bySelf.name;
  const candidates = machines.filter((m) => own(m) === undefined);
  const hostname = shortName(member.hostname);
  const byName = candidates.find((m) => hostname !== '' && hostNames(m).includes(hostname));
  if (byName !== undefined) return byName.name;
  const hosts = [...member.peerUrls, ...member.clientUrls].flatMap(hostOfUrl);
  return candidates.find((m) => addressesOf(m).some((address) => hosts.includes(address)))?.name;
}

const shortName = (name: string): string => (name.split('.')[0] ?? '').toLowerCase();

function hostNames({ machine }: ControlPlaneMachine): readonly string[] {
  const names = (machine.status?.addresses ?? []).filter(({ type }) => type === 'Hostname').map((a) => a.address);
  return [machine.status?.nodeRef?.name ?? '', ...names].map(shortName).filter((name) => name !== '');
}

/** IP addresses of a machine. */
export function addressesOf({ machine }: ControlPlaneMachine): readonly string[] {
  const addresses = machine.status?.addresses ?? [];
  return addresses.filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP').map((a) => a.address);
}

function hostOfUrl(url: string): readonly string[] {
  if (!URL.canParse(url)) return [];
  return [new URL(url).hostname.replace(/^\[|\]$/g, '')];
}

/** Whether it is known who the machine is, so that a member that is not it can be told from it. */
export function isIdentified(machine: ControlPlaneMachine): boolean {
  const { spec, status } = machine.machine;
  if (machine.talos.state === 'answers' && machine.talos.etcd !== undefined) return true;
  if ((status?.addresses ?? []).length > 0 || status?.nodeRef?.name) return true;
  // It runs nowhere yet, so it is no member either.
  return !spec?.providerID && machine.infrastructure?.view.ready !== true;
}
