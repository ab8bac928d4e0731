import { grpcError } from '@bloomery/grpc';
import { type Clock, errorText } from '@bloomery/ports';
import type { MachineActions } from '../api/server/machine-actions.ts';
import type { AppliedConfiguration, ApplyMode, SequenceEvent, TalosService } from '../api/talos-api.ts';
import { diffConfigs, readConfig } from '../config/index.ts';
import type { FakeEtcdMachine } from './fake-etcd.ts';

/** What a machine was told to do with itself. */
export type MachineOrder =
  | { readonly order: 'reboot' | 'shutdown' | 'configure' }
  | { readonly order: 'reset'; readonly graceful: boolean; readonly reboot: boolean }
  | { readonly order: 'upgrade'; readonly image: string; readonly stage: boolean };

/** What a simulated machine is made of. */
export interface FakeMachineOptions {
  readonly hostname: string;
  /** `v1.13.9` */
  readonly talosVersion: string;
  /** Absent on workers. */
  readonly etcd: FakeEtcdMachine | undefined;
  readonly config: string;
  readonly kubeconfig: (config: string) => Promise<string>;
  readonly clock: Clock;
  readonly onOrder: (order: MachineOrder) => void;
}

/** A simulated machine: state without a disk. */
export interface FakeMachine {
  readonly actions: MachineActions;
  /** YAML; what was applied last. */
  config(): string;
  /** The tag of the image that runs. */
  talosVersion(): string;
  /** Tell of a sequence, as it happens. */
  announce(event: SequenceEvent): void;
  /** A service is not well, until it is told otherwise. */
  setService(id: string, service: Pick<TalosService, 'state' | 'healthy' | 'message'> | undefined): void;
}

const ETCD_DATA = '/var/lib/etcd/member';
const MAX_SEQUENCES = 1_000;

/** A machine that has booted with its configuration. */
export function createFakeMachine(options: FakeMachineOptions): FakeMachine {
  const { hostname, etcd, onOrder } = options;
  const state = { config: options.config, talosVersion: options.talosVersion };
  const broken = new Map<string, Pick<TalosService, 'state' | 'healthy' | 'message'>>();
  const log = createSequenceLog();
  log.add({ sequence: 'boot', action: 'START', error: undefined });
  log.add({ sequence: 'boot', action: 'STOP', error: undefined });
  const actions: MachineActions = {
    version: async () => ({ tag: state.talosVersion, platform: 'metal' }),
    hostname: async () => hostname,
    services: async () => servicesOf(etcd).map((service) => ({ ...service, ...broken.get(service.id) })),
    ...etcdActions(etcd),
    list: async (path) => {
      if (path !== ETCD_DATA) return [{ name: path, isDirectory: true }];
      if (etcd?.hasData() !== true) throw grpcError('UNKNOWN', `lstat ${path}: no such file or directory`);
      return [path, `${path}/snap`, `${path}/wal`].map((name) => ({ name, isDirectory: true }));
    },
    sequences: log.read,
    applyConfiguration: async (config, { mode, dryRun = false }) => {
      const applied = apply(state.config, config, mode, dryRun);
      if (dryRun) return applied;
      state.config = config;
      onOrder({ order: 'configure' });
      return applied;
    },
    upgrade: async (image, { stage = false } = {}) => {
      if (image === '') throw grpcError('INVALID_ARGUMENT', 'image is required');
      state.talosVersion = image.split(':').at(-1) ?? state.talosVersion;
      onOrder({ order: 'upgrade', image, stage });
    },
    reset: async (how) => {
      if (how.graceful && etcd?.isMember() === true) etcd.leave();
      onOrder({ order: 'reset', ...how });
    },
    reboot: async () => onOrder({ order: 'reboot' }),
    shutdown: async () => onOrder({ order: 'shutdown' }),
    kubeconfig: () => options.kubeconfig(state.config),
  };
  return {
    actions,
    config: () => state.config,
    talosVersion: () => state.talosVersion,
    announce: log.add,
    setService: (id, service) => {
      if (service === undefined) broken.delete(id);
      else broken.set(id, service);
    },
  };
}

function etcdActions(etcd: FakeEtcdMachine | undefined) {
  const own = (): FakeEtcdMachine => {
    if (etcd === undefined) throw grpcError('UNIMPLEMENTED', 'etcd is only available on control plane nodes');
    return etcd;
  };
  return {
    bootstrap: async () => {
      if (etcd === undefined) {
        throw grpcError('FAILED_PRECONDITION', 'bootstrap can only be performed on a control plane node');
      }
      etcd.bootstrap();
    },
    etcdMembers: async ({ queryLocal = false }: { readonly queryLocal?: boolean } = {}) =>
      own().members({ queryLocal }),
    etcdStatus: async () => own().status(),
    etcdRemoveMember: async (id: bigint) => own().remove(id),
    etcdLeaveCluster: async () => own().leave(),
    etcdForfeitLeadership: async () => own().forfeit(),
  };
}

function servicesOf(etcd: FakeEtcdMachine | undefined): TalosService[] {
  const well = (id: string): TalosService => ({
    id,
    state: 'Running',
    healthy: true,
    message: 'Health check successful',
  });
  const everywhere = ['apid', 'containerd', 'cri', 'kubelet', 'machined'].map(well);
  return etcd === undefined ? everywhere : [...everywhere, etcdService(etcd), well('trustd')];
}

function etcdService(etcd: FakeEtcdMachine): TalosService {
  if (etcd.isRunning()) return { id: 'etcd', state: 'Running', healthy: true, message: 'Health check successful' };
  if (etcd.isMember()) return { id: 'etcd', state: 'Failed', healthy: false, message: 'exited with code 1' };
  if (etcd.hasData()) return { id: 'etcd', state: 'Failed', healthy: false, message: 'the member has been removed' };
  return { id: 'etcd', state: 'Preparing', healthy: undefined, message: 'Running pre state' };
}

function apply(from: string, to: string, mode: ApplyMode, dryRun: boolean): AppliedConfiguration {
  const changes = () => diffConfigs(readConfig(from, 'lenient'), readConfig(to, 'strict'));
  try {
    const lines = changes().map(({ path, change, to: now = '' }) => `${change} ${path} ${now}`.trimEnd());
    const done = 'Applied configuration without a reboot';
    const details = dryRun ? `Dry run summary:\n${done} (skipped in dry-run).\n${lines.join('\n')}` : done;
    return { warnings: [], mode: mode === 'auto' ? 'no-reboot' : mode, details };
  } catch (cause) {
    throw grpcError('INVALID_ARGUMENT', errorText(cause), cause);
  }
}

interface SequenceLog {
  readonly add: (event: SequenceEvent) => void;
  readonly read: MachineActions['sequences'];
}

function createSequenceLog(): SequenceLog {
  const all: SequenceEvent[] = [];
  const wake = new Set<() => void>();
  return {
    add: (event) => {
      if (all.length < MAX_SEQUENCES) all.push(event);
      for (const each of wake) each();
    },
    read: async function* (signal, { past }) {
      for (let at = past ? 0 : all.length; !signal.aborted; ) {
        const event = all[at];
        if (event !== undefined) {
          at += 1;
          yield event;
          continue;
        }
        await new Promise<void>((resolve) => {
          const done = (): void => {
            wake.delete(done);
            signal.removeEventListener('abort', done);
            resolve();
          };
          wake.add(done);
          signal.addEventListener('abort', done, { once: true });
        });
      }
    },
  };
}
