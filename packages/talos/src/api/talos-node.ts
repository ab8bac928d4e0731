import { type CallOptions, grpcStatusName, type ServiceClient } from '@bloomery/grpc';
import { BloomeryError, type BoundAddress, hostPort, isBloomeryError } from '@bloomery/ports';
import { type commonProto, machineEventsProto, machineProto } from '@bloomery/wire';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { applyModeOf, WIRE_MODE } from './apply-mode.ts';
import type { Connections } from './connections.ts';
import { readKubeconfigArchive } from './kubeconfig-archive.ts';
import type { EtcdMember, EtcdStatus, SequenceEvent, TalosCredentials, TalosNode, TalosService } from './talos-api.ts';
import { type AskedCall, refused, talosApiError } from './talos-api-error.ts';

/** Whom to ask, and how. */
export interface TalosNodeOptions {
  readonly connections: Connections;
  readonly address: BoundAddress;
  readonly credentials: TalosCredentials;
  /** Of each call that is no stream of events. */
  readonly timeoutMs: number;
}

type Client = ServiceClient<typeof machineProto.MachineService>;
type Reply = { readonly metadata?: commonProto.Metadata | undefined };

const ARCHIVE_MAX_BYTES = 1024 * 1024;

/** The calls to one machine. */
export function createTalosNode(options: TalosNodeOptions): TalosNode {
  const ask = <M extends Reply>(
    method: string,
    run: (client: Client, call: CallOptions) => Promise<{ readonly messages: readonly M[] }>,
  ): Promise<M> =>
    onConnection(options, method, async (client, call) =>
      onlyReply(await run(client, { timeoutMs: options.timeoutMs }), call),
    );
  const stream = <T>(method: string, run: (client: Client, call: CallOptions, asked: AskedCall) => Promise<T>) =>
    onConnection(options, method, (client, asked) => run(client, { timeoutMs: options.timeoutMs }, asked));
  const done = (): void => {};
  return {
    version: () =>
      ask('Version', (client, call) => client.version({}, call)).then(({ version, platform }) => ({
        tag: version?.tag ?? '',
        platform: platform?.name ?? '',
      })),
    hostname: () => ask('Hostname', (client, call) => client.hostname({}, call)).then(({ hostname }) => hostname),
    bootstrap: ({ recoverEtcd = false } = {}) =>
      ask('Bootstrap', (client, call) => client.bootstrap({ recoverEtcd }, call)).then(done),
    services: () =>
      ask('ServiceList', (client, call) => client.serviceList({}, call)).then(({ services }) =>
        services.map(serviceOf),
      ),
    ...etcdCalls(ask),
    hasEntries: (path) =>
      stream('List', (client, call, asked) => hasEntries(client.list({ root: path }, call), asked)).catch(
        falseWhenMissing,
      ),
    sequences: (signal) => sequences(options, signal),
    applyConfiguration: (config, { mode, dryRun = false }) =>
      ask('ApplyConfiguration', (client, call) =>
        client.applyConfiguration({ data: Buffer.from(config), mode: WIRE_MODE[mode], dryRun }, call),
      ).then((reply) => ({
        warnings: reply.warnings,
        mode: applyModeOf(reply.mode) ?? mode,
        details: reply.modeDetails,
      })),
    upgrade: (image, { stage = false, force = false } = {}) =>
      ask('Upgrade', (client, call) => client.upgrade({ image, stage, force, preserve: true }, call)).then(done),
    reset: (how) => ask('Reset', (client, call) => client.reset(how, call)).then(done),
    reboot: () => ask('Reboot', (client, call) => client.reboot({}, call)).then(done),
    shutdown: ({ force = false } = {}) =>
      ask('Shutdown', (client, call) => client.shutdown({ force }, call)).then(done),
    kubeconfig: () => stream('Kubeconfig', (client, call, asked) => kubeconfig(client.kubeconfig({}, call), asked)),
  };
}

type Ask = <M extends Reply>(
  method: string,
  run: (client: Client, call: CallOptions) => Promise<{ readonly messages: readonly M[] }>,
) => Promise<M>;

type EtcdCalls = Pick<
  TalosNode,
  'etcdMembers' | 'etcdStatus' | 'etcdRemoveMember' | 'etcdLeaveCluster' | 'etcdForfeitLeadership'
>;

function etcdCalls(ask: Ask): EtcdCalls {
  const done = (): void => {};
  return {
    etcdMembers: ({ queryLocal = false } = {}) =>
      ask('EtcdMemberList', (client, call) => client.etcdMemberList({ queryLocal }, call)).then(({ members }) =>
        members.map(memberOf),
      ),
    etcdStatus: () => ask('EtcdStatus', (client, call) => client.etcdStatus({}, call)).then(statusOf),
    etcdRemoveMember: (memberId) =>
      ask('EtcdRemoveMemberByID', (client, call) => client.etcdRemoveMemberByID({ memberId }, call)).then(done),
    etcdLeaveCluster: () => ask('EtcdLeaveCluster', (client, call) => client.etcdLeaveCluster({}, call)).then(done),
    etcdForfeitLeadership: () =>
      ask('EtcdForfeitLeadership', (client, call) => client.etcdForfeitLeadership({}, call)).then(
        ({ member }) => member,
      ),
  };
}

async function onConnection<T>(
  { connections, address, credentials }: TalosNodeOptions,
  method: string,
  run: (client: Client, asked: AskedCall) => Promise<T>,
): Promise<T> {
  const asked = { method, address: hostPort(address) };
  const connection = connections.take(address, credentials);
  try {
    return await run(connection.client.service(machineProto.MachineService), asked);
  } catch (error) {
    throw talosApiError(error, asked);
  } finally {
    connection.release();
  }
}

/** A machine that is asked without naming nodes answers for itself alone; apid puts its failure into the metadata. */
function onlyReply<M extends Reply>({ messages }: { readonly messages: readonly M[] }, asked: AskedCall): M {
  const reply = messages[0];
  if (reply === undefined) throw refused(asked, 'INTERNAL', 'an answer without a message');
  checkReply(reply, asked);
  return reply;
}

function checkReply({ metadata }: Reply, asked: AskedCall): void {
  const code = metadata?.status?.code ?? 0;
  if (metadata === undefined || (metadata.error === '' && code === 0)) return;
  const status = code === 0 ? 'UNKNOWN' : grpcStatusName(code);
  throw refused(asked, status, metadata.error || (metadata.status?.message ?? ''));
}

function serviceOf({ id, state, health, events }: machineProto.ServiceInfo): TalosService {
  const last = events?.events.at(-1);
  return {
    id,
    state,
    healthy: health === undefined || health.unknown ? undefined : health.healthy,
    message: health?.lastMessage || (last?.msg ?? ''),
  };
}

function memberOf({ id, hostname, peerUrls, clientUrls, isLearner }: machineProto.EtcdMember): EtcdMember {
  return { id, hostname, peerUrls, clientUrls, isLearner };
}

function statusOf({ memberStatus }: machineProto.EtcdStatus): EtcdStatus {
  return {
    memberId: memberStatus?.memberId ?? 0n,
    leader: memberStatus?.leader ?? 0n,
    isLearner: memberStatus?.isLearner ?? false,
    dbSize: memberStatus?.dbSize ?? 0n,
    errors: memberStatus?.errors ?? [],
  };
}

async function hasEntries(files: AsyncIterable<machineProto.FileInfo>, asked: AskedCall): Promise<boolean> {
  for await (const file of files) {
    checkReply(file, asked);
    if (file.error !== '') throw refused(asked, 'UNKNOWN', file.error);
    if (!file.isDir || (file.relativeName !== '.' && file.relativeName !== '')) return true;
  }
  return false;
}

/** Machines have no status of their own for a path that is not there: they quote the system call. */
function falseWhenMissing(error: unknown): false {
  const isMissing =
    isBloomeryError(error, 'BLM_TALOS_API_REFUSED') &&
    (error.facts['status'] === 'NOT_FOUND' || error.message.includes('no such file or directory'));
  if (!isMissing) throw error;
  return false;
}

async function* sequences(options: TalosNodeOptions, signal: AbortSignal): AsyncGenerator<SequenceEvent> {
  const asked = { method: 'Events', address: hostPort(options.address) };
  const connection = options.connections.take(options.address, options.credentials);
  try {
    const client = connection.client.service(machineProto.MachineService);
    for await (const event of client.events({ tailEvents: -1 }, { signal })) {
      checkReply(event, asked);
      const found =
        event.data === undefined ? undefined : anyUnpack(event.data, machineEventsProto.SequenceEventSchema);
      if (found === undefined) continue;
      const action = ACTIONS[found.action];
      if (action !== undefined) yield { sequence: found.sequence, action, error: found.error?.message || undefined };
    }
  } catch (error) {
    if (!signal.aborted) throw talosApiError(error, asked);
  } finally {
    connection.release();
  }
}

const ACTIONS: readonly (SequenceEvent['action'] | undefined)[] = ['NOOP', 'START', 'STOP'];

async function kubeconfig(pieces: AsyncIterable<commonProto.Data>, asked: AskedCall): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    checkReply(piece, asked);
    size += piece.bytes.byteLength;
    if (size > ARCHIVE_MAX_BYTES) {
      throw new BloomeryError('BLM_WIRE_MALFORMED', `${asked.method} on ${asked.address}: more than 1 MiB`);
    }
    parts.push(piece.bytes);
  }
  return readKubeconfigArchive(Buffer.concat(parts));
}
