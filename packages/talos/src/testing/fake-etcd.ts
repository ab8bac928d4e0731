import { grpcError } from '@bloomery/grpc';
import type { EtcdMember, EtcdStatus } from '../api/talos-api.ts';

/** The etcd of a simulated cluster: its members, who leads, and whether a majority is there. Shared by the cluster's machines. */
export interface FakeEtcd {
  /** A control-plane machine. It joins as soon as the cluster exists and has a majority, as Talos machines do by themselves. */
  machine(hostname: string, address: string): FakeEtcdMachine;
  members(): readonly EtcdMember[];
  /** Of the member that leads; undefined without a majority. */
  leader(): string | undefined;
  hasQuorum(): boolean;
  /** Bootstraps that were done: two mean that the cluster was torn in two. */
  readonly bootstraps: readonly string[];
  /** Members that joined, left or were removed, and what was refused, in order: `join a`, `leave a`, `remove a`, … */
  readonly history: readonly string[];
  /** Called back after each change of membership or of what runs. */
  onChange(listener: () => void): () => void;
}

/** One machine's part in it. Failures are gRPC statuses as Talos gives them. */
export interface FakeEtcdMachine {
  /** Whether there is anything under /var/lib/etcd/member. */
  hasData(): boolean;
  isRunning(): boolean;
  isMember(): boolean;
  bootstrap(): void;
  members(options: { readonly queryLocal: boolean }): readonly EtcdMember[];
  status(): EtcdStatus;
  remove(id: bigint): void;
  leave(): void;
  forfeit(): string;
  /** etcd does not run (the machine is off, or its service failed); its membership and data stay. */
  stop(): void;
  start(): void;
  /** The machine is gone for ever, with its data; its membership stays behind. */
  destroy(): void;
}

interface Member extends EtcdMember {
  readonly machine: Machine;
}

interface Machine {
  readonly hostname: string;
  readonly address: string;
  running: boolean;
  hasData: boolean;
  /** It left or was removed: it does not join again by itself. */
  hasLeft: boolean;
}

/** A cluster without members. */
export function createFakeEtcd(): FakeEtcd {
  const state: State = {
    members: [],
    machines: new Set(),
    bootstraps: [],
    history: [],
    listeners: new Set(),
    lastId: 0n,
  };
  return {
    machine: (hostname, address) => {
      const machine: Machine = { hostname, address, running: true, hasData: false, hasLeft: false };
      state.machines.add(machine);
      settle(state);
      return handleOf(state, machine);
    },
    members: () => state.members.map(plain),
    leader: () => leaderOf(state)?.hostname,
    hasQuorum: () => hasQuorum(state),
    bootstraps: state.bootstraps,
    history: state.history,
    onChange: (listener) => {
      state.listeners.add(listener);
      return () => state.listeners.delete(listener);
    },
  };
}

interface State {
  members: readonly Member[];
  readonly machines: Set<Machine>;
  readonly bootstraps: string[];
  readonly history: string[];
  readonly listeners: Set<() => void>;
  leader?: bigint;
  lastId: bigint;
}

function handleOf(state: State, machine: Machine): FakeEtcdMachine {
  const own = (): Member | undefined => state.members.find((member) => member.machine === machine);
  /** What needs the machine's own etcd. */
  const local = (): Member => {
    const member = own();
    if (member === undefined || !machine.running) {
      throw grpcError('UNKNOWN', 'error building etcd client: context deadline exceeded');
    }
    return member;
  };
  return {
    hasData: () => machine.hasData,
    isRunning: () => machine.running && own() !== undefined,
    isMember: () => own() !== undefined,
    bootstrap: () => {
      if (machine.hasData) throw grpcError('ALREADY_EXISTS', 'etcd data directory is not empty');
      state.bootstraps.push(machine.hostname);
      state.history.push(`bootstrap ${machine.hostname}`);
      machine.hasLeft = false;
      add(state, machine);
      settle(state);
    },
    members: ({ queryLocal }) => {
      if (queryLocal) local();
      needQuorum(state);
      return state.members.map(plain);
    },
    status: () => {
      const { id, isLearner } = local();
      const leader = hasQuorum(state) ? leaderOf(state) : undefined;
      const errors = leader === undefined ? ['etcdserver: no leader'] : [];
      return { memberId: id, leader: leader?.id ?? 0n, isLearner, dbSize: 4_194_304n, errors };
    },
    remove: (id) => {
      needQuorum(state);
      remove(state, id, 'remove');
    },
    leave: () => {
      const { id } = local();
      needQuorum(state);
      remove(state, id, 'leave');
      machine.hasData = false;
    },
    forfeit: () => {
      const { id } = local();
      needQuorum(state);
      if (leaderOf(state)?.id !== id) return '';
      const next = state.members.find((member) => member.id !== id && member.machine.running);
      if (next === undefined) throw grpcError('UNKNOWN', 'etcdserver: no member to take the leadership');
      state.leader = next.id;
      state.history.push(`forfeit ${machine.hostname}`);
      return next.hostname;
    },
    stop: () => {
      machine.running = false;
      settle(state);
    },
    start: () => {
      machine.running = true;
      settle(state);
    },
    destroy: () => {
      Object.assign(machine, { running: false, hasData: false, hasLeft: true });
      state.machines.delete(machine);
      settle(state);
    },
  };
}

const plain = ({ machine: _, ...member }: Member): EtcdMember => member;

const running = (state: State): readonly Member[] => state.members.filter(({ machine }) => machine.running);

const hasQuorum = (state: State): boolean => running(state).length > state.members.length / 2;

function needQuorum(state: State): void {
  if (!hasQuorum(state)) throw grpcError('UNKNOWN', 'etcdserver: no leader');
}

function leaderOf(state: State): Member | undefined {
  if (!hasQuorum(state)) return undefined;
  const alive = running(state);
  const leader = alive.find(({ id }) => id === state.leader) ?? alive[0];
  if (leader !== undefined) state.leader = leader.id;
  return leader;
}

function add(state: State, machine: Machine): void {
  const { hostname, address } = machine;
  state.lastId += 1n;
  machine.hasData = true;
  const member = {
    // All 64 bits are used: ids of etcd are hashes.
    id: 0xf000_0000_0000_0000n + state.lastId,
    hostname,
    peerUrls: [`https://${address}:2380`],
    clientUrls: [`https://${address}:2379`],
    isLearner: false,
    machine,
  };
  state.members = [...state.members, member];
}

/** @see etcd, strict reconfiguration check: what remains must have a majority of members that run */
function remove(state: State, id: bigint, how: 'leave' | 'remove'): void {
  const victim = state.members.find((member) => member.id === id);
  if (victim === undefined) throw grpcError('NOT_FOUND', 'etcdserver: member not found');
  const rest = state.members.filter((member) => member !== victim);
  if (rest.filter(({ machine }) => machine.running).length <= rest.length / 2) {
    state.history.push(`refused ${how} ${victim.hostname}`);
    const message = 'etcdserver: re-configuration failed due to not enough started members';
    throw grpcError('UNKNOWN', message);
  }
  state.members = rest;
  victim.machine.hasLeft = true;
  state.history.push(`${how} ${victim.hostname}`);
  settle(state);
}

/** Machines that may join do so, one after the other, and everybody is told. */
function settle(state: State): void {
  for (const machine of state.machines) {
    const isIn = state.members.some((member) => member.machine === machine);
    if (isIn || machine.hasLeft || !machine.running || state.members.length === 0 || !hasQuorum(state)) continue;
    add(state, machine);
    state.history.push(`join ${machine.hostname}`);
  }
  for (const listener of [...state.listeners]) listener();
}
