import { BloomeryError } from '@bloomery/ports';
import type { TalosApi, TalosNode } from '@bloomery/talos';
import type { SimulatedEtcd, SimulatedMachine } from './simulated-etcd.ts';

/** Told before and after each call that changes something; throws to lose the call or its answer. */
export type EffectHook = (what: string, applied: boolean) => void;

const refused = (what: string, status: string): BloomeryError =>
  new BloomeryError('BLM_TALOS_API_REFUSED', `${what} was refused: ${status}`, { facts: { status } });

/** The Talos APIs of simulated machines, at the level of the interface. */
export function createSimulatedTalos(
  machines: ReadonlyMap<string, SimulatedMachine>,
  etcd: SimulatedEtcd,
  effect: EffectHook,
): TalosApi {
  return {
    node: (address) => nodeAt(address, machines, etcd, effect),
    [Symbol.asyncDispose]: async () => {},
  };
}

function nodeAt(
  address: string,
  machines: ReadonlyMap<string, SimulatedMachine>,
  etcd: SimulatedEtcd,
  effect: EffectHook,
): TalosNode {
  const on = (): SimulatedMachine => {
    const machine = [...machines.values()].find((m) => m.address === address);
    if (machine?.isOn === true) return machine;
    throw new BloomeryError('BLM_TALOS_API_UNREACHABLE', `asking ${address}: no answer in 4 s`, { retryable: true });
  };
  const running = (what: string): SimulatedMachine => {
    const machine = on();
    if (!etcd.isRunning(machine)) throw refused(what, 'FAILED_PRECONDITION');
    return machine;
  };
  const deciding = (what: string): SimulatedMachine => {
    const machine = running(what);
    if (!etcd.hasQuorum()) throw refused(what, 'DEADLINE_EXCEEDED');
    return machine;
  };
  const change = (what: string, run: () => void): void => {
    effect(what, false);
    run();
    effect(what, true);
  };
  const never = async (): Promise<never> => {
    throw refused('this call', 'UNIMPLEMENTED');
  };
  return {
    version: async () => ({ tag: on().version, platform: 'simulated' }),
    hostname: async () => on().name,
    bootstrap: async () => {
      const machine = on();
      if (machine.hasData) throw refused('bootstrapping', 'ALREADY_EXISTS');
      change(`bootstrap ${machine.name}`, () => etcd.bootstrap(machine));
    },
    services: async () => {
      const machine = on();
      const state = machine.hasLeft ? 'Finished' : etcd.isRunning(machine) ? 'Running' : 'Preparing';
      return [{ id: 'etcd', state, healthy: state === 'Running' ? true : undefined, message: '' }];
    },
    etcdMembers: async () => deciding('listing members') && [...etcd.members],
    etcdStatus: async () => {
      const { memberId = 0n } = running('asking etcd');
      const isLearner = etcd.members.some((m) => m.id === memberId && m.isLearner);
      return { memberId, leader: etcd.leader, isLearner, dbSize: 0n, errors: [] };
    },
    etcdRemoveMember: async (id) => {
      deciding('removing a member');
      change(`remove ${id}`, () => etcd.guarded(`removing member ${id}`, () => etcd.remove(id)));
    },
    etcdLeaveCluster: async () => {
      const machine = deciding('leaving');
      change(`leave ${machine.name}`, () => {
        etcd.guarded(`leaving of ${machine.name}`, () => etcd.remove(machine.memberId ?? 0n));
        Object.assign(machine, { hasLeft: true, hasData: false, memberId: undefined });
      });
    },
    etcdForfeitLeadership: async () => {
      const machine = running('handing over');
      change(`forfeit ${machine.name}`, () => etcd.forfeit(machine.memberId ?? 0n));
      return '';
    },
    hasEntries: async () => on().hasData,
    async *sequences() {},
    applyConfiguration: async (config, { dryRun = false }) => {
      const machine = on();
      if (!dryRun) change(`apply ${machine.name}`, () => machine.configs.push(config));
      return { warnings: [], mode: 'no-reboot', details: '' };
    },
    upgrade: async (image) => {
      const machine = on();
      change(`upgrade ${machine.name}`, () => {
        const reboot = { version: image.split(':')[1] ?? '', isOn: false, rebootTicks: 5 };
        etcd.guarded(`upgrading ${machine.name}`, () => Object.assign(machine, reboot));
      });
    },
    reset: never,
    reboot: never,
    shutdown: never,
    kubeconfig: never,
  };
}
