import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { State } from '@bloomery/cosi';
import { type CallContext, type GrpcService, grpcError, grpcServicePart } from '@bloomery/grpc';
import { type Clock, errorText } from '@bloomery/ports';
import { machineProto } from '@bloomery/wire';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConfigStore } from '../config/config-store.ts';
import type { NodeSettings } from '../node-environment.ts';
import { answer, streamFailures, streamMetadata } from './answers.ts';
import type { Admission, ApiAccess } from './api-access.ts';
import { applyConfiguration } from './apply-configuration.ts';
import { kernelLog } from './kernel-log.ts';
import { logStream } from './log-stream.ts';
import { netstat } from './netstat.ts';
import type { NodeEvents } from './node-events.ts';
import type { NodeLogs } from './node-logs.ts';
import type { NodeNames } from './node-names.ts';
import { nodeServices } from './node-services.ts';
import { listReadable, readReadable } from './readable-files.ts';
import { createStreamLimit } from './stream-limit.ts';
import { parseLoadAverage, parseMemory, parseSystemStat } from './system-figures.ts';

/** What the methods work with. */
export interface MachineServiceDeps {
  readonly access: ApiAccess;
  readonly store: ConfigStore;
  readonly state: State;
  readonly logs: NodeLogs;
  readonly events: NodeEvents;
  readonly clock: Clock;
  readonly settings: NodeSettings;
  readonly names: () => NodeNames;
  readonly startedMs: number;
}

/** The part of Talos' MachineService that a daemon of the network has; the rest ends with UNIMPLEMENTED. @see spec/node.md section 3 */
export function createNodeMachineService(deps: MachineServiceDeps): GrpcService {
  const { access, store, settings, names, events } = deps;
  return grpcServicePart(machineProto.MachineService, {
    ...figureMethods(deps),
    ...streamMethods(deps),
    version: (_, context) => answer(access.admit('version', context), versionOf(settings, store)),
    hostname: (_, context) => answer(access.admit('hostname', context), { hostname: names().hostname }),
    applyConfiguration: async (request, context) => {
      const admission = access.admit('applyConfiguration', context);
      return answer(admission, await applyConfiguration(store, events, admission.roles, request));
    },
    serviceList: (_, context) => answer(access.admit('serviceList', context), { services: servicesOf(deps) }),
    logsContainers: (_, context) => answer(access.admit('logsContainers', context), { ids: [...deps.logs.ids] }),
  });
}

/** Figures of the host, out of /proc. */
function figureMethods({ access, settings: { root } }: MachineServiceDeps) {
  const proc = (file: string): Promise<string> => readFile(join(root, 'proc', file), 'utf8').catch(() => '');
  return {
    loadAvg: async (_: unknown, context: CallContext) =>
      answer(access.admit('loadAvg', context), parseLoadAverage(await proc('loadavg'))),
    memory: async (_: unknown, context: CallContext) =>
      answer(access.admit('memory', context), { meminfo: parseMemory(await proc('meminfo')) }),
    systemStat: async (_: unknown, context: CallContext) =>
      answer(access.admit('systemStat', context), parseSystemStat(await proc('stat'))),
    netstat: async (request: machineProto.NetstatRequest, context: CallContext) =>
      answer(access.admit('netstat', context), { connectrecord: await netstat(request, root) }),
  };
}

/** Each holds a file open. */
const KERNEL_LOGS_MAX = 64;

function streamMethods(deps: MachineServiceDeps) {
  const { access, store, logs, events, settings } = deps;
  const limitKernelLogs = createStreamLimit(KERNEL_LOGS_MAX, 'the log of the kernel');
  return {
    async *logs(request: machineProto.LogsRequest, context: CallContext) {
      const admission = access.admit('logs', context);
      yield* data(admission, logStream(logs, request, context.signal));
    },
    async *dmesg({ follow, tail }: machineProto.DmesgRequest, context: CallContext) {
      const admission = access.admit('dmesg', context);
      yield* data(admission, limitKernelLogs(dmesg(deps, { follow, onlyNew: tail, signal: context.signal })));
    },
    async *read({ path }: machineProto.ReadRequest, context: CallContext) {
      const admission = access.admit('read', context);
      yield* data(admission, pieces(await readReadable(path, store, settings.root)));
    },
    async *list({ root }: machineProto.ListRequest, context: CallContext) {
      const admission = access.admit('list', context);
      const entries = listReadable(root);
      if (entries === undefined) throw grpcError('NOT_FOUND', `lstat ${root.slice(0, 200)}: no such file or directory`);
      const own = streamMetadata(admission);
      const [folder] = entries;
      for (const { name, isDirectory } of entries) {
        const relativeName = name === folder?.name ? '.' : name.slice(name.lastIndexOf('/') + 1);
        yield { ...own, name, relativeName, isDir: isDirectory };
      }
    },
    async *events(request: machineProto.EventsRequest, context: CallContext) {
      const admission = access.admit('events', context);
      yield* streamFailures(admission);
      const own = streamMetadata(admission);
      for await (const event of events.stream(request, context.signal)) {
        yield event === undefined
          ? own
          : { ...own, id: event.id, data: { typeUrl: event.typeUrl, value: Uint8Array.from(event.value) } };
      }
    },
  };
}

async function* data(admission: Admission, bytes: AsyncIterable<Uint8Array>) {
  yield* streamFailures(admission);
  const own = streamMetadata(admission);
  for await (const piece of bytes) yield { ...own, bytes: Uint8Array.from(piece) };
}

const PIECE_BYTES = 32 * 1024;

async function* pieces(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += PIECE_BYTES) yield content.subarray(at, at + PIECE_BYTES);
}

interface DmesgAsked {
  readonly follow: boolean;
  readonly onlyNew: boolean;
  readonly signal: AbortSignal;
}

/** Of the kernel; where that may not be read, as in containers, the daemon's own. */
async function* dmesg({ settings: { root }, clock, logs }: MachineServiceDeps, asked: DmesgAsked) {
  try {
    for await (const line of kernelLog({ root, clock, ...asked })) yield Buffer.from(line);
  } catch (error) {
    yield Buffer.from(
      `daemon: warning: the log of the kernel cannot be read (${errorText(error)}): that of the daemon\n`,
    );
    const tailLines = asked.onlyNew ? 0 : -1;
    yield* logStream(logs, { id: 'machined', follow: asked.follow, tailLines }, asked.signal);
  }
}

function servicesOf({ state, startedMs }: MachineServiceDeps) {
  return nodeServices(state).map(({ id, state: condition, isHealthy, message, changedMs = startedMs }) => {
    const at = timestampFromMs(changedMs);
    return {
      id,
      state: condition,
      events: { events: [{ msg: message, state: condition, ts: at }] },
      health: { healthy: isHealthy, lastMessage: message, lastChange: at },
    };
  });
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

function versionOf({ talosVersion }: NodeSettings, store: ConfigStore) {
  const { arch, version } = process;
  const goVersion = `node ${version}`;
  return {
    version: { tag: talosVersion, sha: 'bloomery', goVersion, os: 'linux', arch: ARCHITECTURES[arch] ?? arch },
    platform: { name: 'bloomery', mode: store.isInMaintenance ? 'maintenance' : 'metal' },
    features: { rbac: store.active.machine?.rbac !== false },
  };
}
