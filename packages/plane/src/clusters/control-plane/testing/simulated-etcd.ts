import type { EtcdMember } from '@bloomery/talos';

/** A machine of the simulation, as far as etcd is concerned. */
export interface SimulatedMachine {
  readonly name: string;
  readonly address: string;
  isOn: boolean;
  hasData: boolean;
  hasLeft: boolean;
  memberId: bigint | undefined;
  /** Its Talos. */
  version: string;
  /** Seconds until it is back from a reboot. */
  rebootTicks: number;
  /** The configurations that were applied. */
  readonly configs: string[];
}

/** What must never happen, each as one sentence. Empty at the end of every test. */
export type Violations = string[];

/**
 * The membership of one etcd cluster: joining as a learner, promotion, leaving, removal, and quorum as the real one has it. It
 * records when a change that was asked for costs it the quorum that it had.
 */
export class SimulatedEtcd {
  readonly violations: Violations;
  bootstraps = 0;
  members: EtcdMember[] = [];
  leader = 0n;
  private readonly machines: ReadonlyMap<string, SimulatedMachine>;
  private nextId = 1n;

  constructor(machines: ReadonlyMap<string, SimulatedMachine>, violations: Violations) {
    this.machines = machines;
    this.violations = violations;
  }

  isRunning(machine: SimulatedMachine): boolean {
    const id = machine.memberId;
    return machine.isOn && machine.hasData && id !== undefined && this.members.some((m) => m.id === id);
  }

  hasQuorum(): boolean {
    const voters = this.members.filter(({ isLearner }) => !isLearner);
    return voters.length > 0 && this.runningVoters() >= Math.floor(voters.length / 2) + 1;
  }

  runningVoters(): number {
    const running = [...this.machines.values()].filter((m) => this.isRunning(m)).map((m) => m.memberId);
    return this.members.filter(({ id, isLearner }) => !isLearner && running.includes(id)).length;
  }

  bootstrap(machine: SimulatedMachine): void {
    this.bootstraps++;
    if (this.members.length > 0) this.violations.push(`a second cluster was bootstrapped on ${machine.name}`);
    machine.hasData = true;
    machine.memberId = this.add(machine, false);
    this.elect();
  }

  /** Does a change and says when it broke what worked before. */
  guarded(what: string, change: () => void): void {
    const before = this.hasQuorum();
    change();
    this.elect();
    if (before && this.members.length > 0 && !this.hasQuorum()) this.violations.push(`${what} cost etcd its quorum`);
    if (before && this.members.length === 0) this.violations.push(`${what} removed the last member of etcd`);
  }

  remove(id: bigint): void {
    this.members = this.members.filter((m) => m.id !== id);
  }

  /** Time passes: one machine joins as a learner, or one learner becomes a voter. */
  tick(): void {
    for (const machine of this.machines.values()) {
      if (machine.rebootTicks > 0 && --machine.rebootTicks === 0) machine.isOn = true;
    }
    this.elect();
    if (!this.hasQuorum()) return;
    const learner = this.members.find(({ isLearner }) => isLearner);
    if (learner !== undefined) {
      const machine = [...this.machines.values()].find((m) => m.memberId === learner.id);
      if (machine === undefined || !this.isRunning(machine)) return;
      this.members = this.members.map((m) =>
        m.id === learner.id ? { ...m, isLearner: false, hostname: machine.name } : m,
      );
      return;
    }
    const next = [...this.machines.values()].find((m) => m.isOn && !m.hasData && !m.hasLeft);
    if (next === undefined) return;
    next.memberId = this.add(next, true);
    next.hasData = true;
  }

  elect(): void {
    if (!this.hasQuorum()) {
      this.leader = 0n;
      return;
    }
    const voters = this.electable();
    if (!voters.includes(this.leader)) this.leader = voters[0] ?? 0n;
  }

  forfeit(id: bigint): void {
    if (this.leader === id) this.leader = this.electable().find((other) => other !== id) ?? id;
  }

  private electable(): bigint[] {
    const running = [...this.machines.values()].filter((m) => this.isRunning(m)).map((m) => m.memberId);
    return this.members.filter(({ id, isLearner }) => !isLearner && running.includes(id)).map(({ id }) => id);
  }

  private add(machine: SimulatedMachine, isLearner: boolean): bigint {
    const id = this.nextId++;
    const peerUrls = [`https://${machine.address}:2380`];
    // As in the real one, a member that is only added has no name yet.
    this.members.push({ id, hostname: isLearner ? '' : machine.name, peerUrls, clientUrls: [], isLearner });
    return id;
  }
}
