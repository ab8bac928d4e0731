import { readdir, stat } from 'node:fs/promises';
import { grpcError } from '@bloomery/grpc';
import type { ServiceState } from '@bloomery/siderolink';
import type { MachineActions, MachineFile, TalosService } from '@bloomery/talos';
import type { EtcdService } from './etcd/etcd-service.ts';
import type { SequenceLog } from './sequence-log.ts';
import type { ServiceBoard } from './service-board.ts';

/** What ends the run of a machine. */
export interface Ending {
  readonly how: 'reboot' | 'poweroff';
  /** Sequence under which it is told. */
  readonly sequence: 'reset' | 'reboot' | 'shutdown' | 'applyConfiguration';
  /** Leave etcd before. */
  readonly leave?: boolean;
  /** Wipe the disk that it runs from. */
  readonly wipe?: boolean;
}

export interface MachineActionsOptions {
  readonly version: string;
  readonly hostname: string;
  readonly board: ServiceBoard;
  readonly sequences: Pick<SequenceLog, 'follow'>;
  /** undefined on workers. */
  readonly etcd: EtcdService | undefined;
  /** Starts the end of this run, and returns at once. */
  readonly end: (ending: Ending) => void;
  /** The configuration that the machine runs with. */
  readonly config: string;
  /** Keeps another configuration for the next boot. @throws when it cannot be read. */
  readonly saveConfig: (config: string) => Promise<void>;
}

/** What the stand-in does when its Talos API is asked. It refuses what it cannot do. */
export function createMachineActions(options: MachineActionsOptions): MachineActions {
  const { version, hostname, board, sequences, end } = options;
  return {
    ...etcdActions(options.etcd),
    version: async () => ({ tag: version, platform: 'metal' }),
    hostname: async () => hostname,
    services: async () => board.list().map(serviceOf),
    list: listFiles,
    sequences: (signal, { past }) => sequences.follow(signal, { past }),
    applyConfiguration: (config, { mode, dryRun = false }) => apply(options, config, { mode, dryRun }),
    upgrade: async () => {
      throw grpcError('UNIMPLEMENTED', 'the Talos stand-in is a lab program and cannot be upgraded');
    },
    reset: async ({ graceful, reboot }) =>
      end({ how: reboot ? 'reboot' : 'poweroff', sequence: 'reset', leave: graceful, wipe: true }),
    reboot: async () => end({ how: 'reboot', sequence: 'reboot' }),
    shutdown: async () => end({ how: 'poweroff', sequence: 'shutdown' }),
    kubeconfig: async () => {
      throw grpcError('UNIMPLEMENTED', 'the Talos stand-in makes no kubeconfig; the plane has one in a Secret');
    },
  };
}

function etcdActions(etcd: EtcdService | undefined) {
  const member = (): EtcdService => {
    if (etcd === undefined) throw noControlPlane();
    return etcd;
  };
  return {
    bootstrap: async ({ recoverEtcd = false }: { readonly recoverEtcd?: boolean } = {}) => {
      if (recoverEtcd) throw grpcError('UNIMPLEMENTED', 'the Talos stand-in cannot recover etcd from a snapshot');
      await member().bootstrap();
    },
    etcdMembers: async () => member().members(),
    etcdStatus: async () => member().status(),
    etcdRemoveMember: async (id: bigint) => member().removeMember(id),
    etcdLeaveCluster: async () => member().leave(),
    etcdForfeitLeadership: async () => member().forfeitLeadership(),
  };
}

function noControlPlane() {
  return grpcError('FAILED_PRECONDITION', 'this machine is no control plane');
}

async function apply(
  { config: present, saveConfig, end }: MachineActionsOptions,
  config: string,
  { mode, dryRun }: Parameters<MachineActions['applyConfiguration']>[1] & { readonly dryRun: boolean },
): ReturnType<MachineActions['applyConfiguration']> {
  if (config === present) return { warnings: [], mode: 'no-reboot', details: 'The configuration is the same.' };
  if (mode === 'no-reboot' || mode === 'try') {
    throw grpcError('UNIMPLEMENTED', 'the Talos stand-in takes another configuration only with a reboot');
  }
  const willReboot = mode !== 'staged';
  const details = `The configuration differs; it is taken ${willReboot ? 'with a reboot' : 'at the next boot'}.`;
  if (!dryRun) {
    await saveConfig(config);
    if (willReboot) end({ how: 'reboot', sequence: 'applyConfiguration' });
  }
  return { warnings: [], mode: willReboot ? 'reboot' : 'staged', details };
}

const STATES: Readonly<Record<ServiceState, string>> = {
  INITIALIZED: 'Initialized',
  PREPARING: 'Preparing',
  WAITING: 'Waiting',
  RUNNING: 'Running',
  STOPPING: 'Stopping',
  FINISHED: 'Finished',
  FAILED: 'Failed',
  SKIPPED: 'Skipped',
  STARTING: 'Starting',
};

function serviceOf({ id, events }: ReturnType<ServiceBoard['list']>[number]): TalosService {
  const last = events.at(-1);
  return {
    id,
    state: last === undefined ? '' : STATES[last.state],
    healthy: last?.isHealthy,
    message: last?.message ?? '',
  };
}

async function listFiles(path: string): Promise<readonly MachineFile[]> {
  try {
    const root = await stat(path);
    const self = { name: path, isDirectory: root.isDirectory(), sizeBytes: root.size };
    if (!root.isDirectory()) return [self];
    const entries = await readdir(path, { withFileTypes: true });
    const inside = entries.map((entry) => ({ name: `${path}/${entry.name}`, isDirectory: entry.isDirectory() }));
    return [self, ...inside];
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw grpcError('NOT_FOUND', error.message);
    throw error;
  }
}
