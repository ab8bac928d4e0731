import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  createHostFileKeeper,
  createKernelJournal,
  createNodeLogs,
  type HostFileKeeper,
  type KernelJournal,
  type NodeEnvironment,
  type NodeSettings,
  openConfigStore,
  openKernel,
} from '@bloomery/node';
import { BloomeryError, errorText, isBloomeryError, type Logger, systemClock } from '@bloomery/ports';
import { createJsonLog } from '../json-log.ts';
import { machineUuid } from '../machine-state/machine-uuid.ts';
import { META_KEY, openMetaFile } from '../machine-state/meta-file.ts';
import { lockStateDir } from '../machine-state/state-lock.ts';
import { writeFileWhole } from '../serve/data-dir.ts';
import { releaseHeapPages } from './heap-pages.ts';
import type { NodeCommandDeps } from './node-command.ts';
import { type NodeDaemon, startDaemon } from './node-daemon.ts';
import type { NodeOptions } from './node-options.ts';
import { type ProcessUse, spareMemory } from './spare-memory.ts';
import { releaseStartPages } from './start-pages.ts';
import { checkFolderOwner } from './state-folder.ts';
import { TALOS_VERSION } from './talos-version.ts';

/**
 * Run the daemon until the signal, then take back what it added, unless it is to be left.
 *
 * @throws BloomeryError BLM_NODE_CONFIG_MISSING, BLM_TALOS_CONFIG_INVALID, BLM_KERNEL_UNANSWERED, BLM_SERVE_LISTEN,
 * BLM_NODE_STATE_UNUSABLE and others when it cannot start; what it had changed by then is taken back.
 */
export async function runNode(options: NodeOptions, deps: NodeCommandDeps): Promise<void> {
  try {
    await runUntilStopped(options, deps);
  } catch (cause) {
    if (isBloomeryError(cause) || !isOfDisk(cause)) throw cause;
    const message = `using the state folder ${options.stateDir}: ${errorText(cause)}`;
    throw new BloomeryError('BLM_NODE_STATE_UNUSABLE', message, { cause });
  }
}

async function runUntilStopped(options: NodeOptions, deps: NodeCommandDeps): Promise<void> {
  const { stateDir } = options;
  using _lock = await lockStateDir(stateDir, 'bloomery node', 'BLM_NODE_STATE_UNUSABLE');
  const clock = systemClock;
  const logs = createNodeLogs(createJsonLog(options.logLevel), clock);
  const { log } = logs;
  await using stack = new AsyncDisposableStack();
  stack.use(keepAlive());
  const { SUDO_UID } = deps.env;
  checkFolderOwner(stateDir, { uid: process.geteuid?.() ?? 0, ...(SUDO_UID && { sudoUid: Number(SUDO_UID) }) }, log);
  const endpointsFile = join(stateDir, 'endpoints.json');
  rmSync(endpointsFile, { force: true });
  sayWhatIsNotPermitted(log);
  const files = createHostFileKeeper({ root: '/', stateDir, enabled: options.hostFiles, log });
  // Before anything that can fail: what a killed run left in resolv.conf names a server that is gone.
  await files.recover();
  const source = options.configFile === undefined ? {} : { file: options.configFile };
  const store = await openConfigStore({ stateDir, log, ...source }, clock);
  stack.defer(() => store.stop());
  const linux = stack.use(await openKernel({ clock, log, stateDir, leave: options.leave }));
  const kernel = await createKernelJournal(linux, { file: join(stateDir, 'undo.json'), log });
  if (!options.leave) stack.defer(() => takeBack({ kernel, files, log }));
  const environment: NodeEnvironment = {
    clock,
    log,
    random: (length) => randomBytes(length),
    kernel,
    settings: settingsOf(options),
  };
  const meta = openMetaFile(join(stateDir, 'meta.json'));
  const uniqueToken = {
    load: async () => meta.get(META_KEY.uniqueToken),
    save: async (token: string) => meta.set(META_KEY.uniqueToken, token),
  };
  const parts = { store, files, env: deps.env, uniqueToken, signal: deps.signal };
  const daemon = stack.use(await startDaemon(environment, { ...parts, logs }, options.api));
  stack.use(showEndpoints(endpointsFile, daemon, log));
  log.info('node.ready', { ...daemon.endpoints });
  stack.use(spareMemory({ clock, measure: processUse, afterStart: releaseStartPages, afterRush }));
  await aborted(deps.signal);
  log.info('node.stopping', { leave: options.leave });
}

const processUse = (): ProcessUse => {
  const { user, system } = process.cpuUsage();
  return { rssBytes: process.memoryUsage.rss(), cpuMs: (user + system) / 1_000 };
};

async function afterRush(): Promise<void> {
  releaseHeapPages();
  await releaseStartPages();
}

/** Keep a file with where the daemon answers, from now on until it ends: the name server may get its port later. */
function showEndpoints(file: string, daemon: NodeDaemon, log: Logger): Disposable {
  let shown = '';
  const show = (): void => {
    const text = `${JSON.stringify(daemon.endpoints)}\n`;
    if (text === shown) return;
    try {
      writeFileWhole(file, text, 0o600);
      shown = text;
    } catch (error) {
      // A host whose disk is full keeps its network.
      log.warn('node.endpoints_unwritten', { file, error: errorText(error) });
    }
  };
  show();
  const stop = daemon.listen(show);
  return {
    [Symbol.dispose]: () => {
      stop();
      rmSync(file, { force: true });
    },
  };
}

/** What the areas of the daemon are told of the flags. */
export function settingsOf(options: NodeOptions): NodeSettings {
  const { stateDir, cmdline, manageAll, hostFiles, leave } = options;
  const uuid = options.uuid ?? machineUuid(openMetaFile(join(stateDir, 'meta.json')));
  return { stateDir, cmdline, manageAll, hostFiles, leave, uuid, talosVersion: TALOS_VERSION, root: '/' };
}

interface Changed {
  readonly kernel: KernelJournal;
  readonly files: HostFileKeeper;
  readonly log: Logger;
}

/** Undo what was changed, as far as that goes; what is left is said. */
async function takeBack({ kernel, files, log }: Changed): Promise<void> {
  for (const problem of await kernel.undo()) log.error('node.left_in_kernel', { problem });
  await files.restore().catch((error: unknown) => log.error('node.left_in_files', { error: errorText(error) }));
}

const DISK = new Set([
  'EACCES',
  'EDQUOT',
  'EEXIST',
  'EIO',
  'EISDIR',
  'ELOOP',
  'ENOENT',
  'ENOSPC',
  'ENOTDIR',
  'EPERM',
  'EROFS',
]);
const isOfDisk = (error: unknown): boolean => error instanceof Error && 'code' in error && DISK.has(String(error.code));

const CAP_NET_ADMIN = 1n << 12n;

/** Without the right to change the network each change is refused on its own: say once what is behind it. */
function sayWhatIsNotPermitted(log: Logger): void {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  if (effective === undefined || (BigInt(`0x${effective}`) & CAP_NET_ADMIN) !== 0n) return;
  log.warn('node.not_permitted', { reason: 'changing the network needs root (CAP_NET_ADMIN): run it with sudo' });
}

/** The clock's timers alone do not keep the process alive. */
function keepAlive(): Disposable {
  const timer = setInterval(() => {}, 60_000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
