import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
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
import { errorText, type Logger, systemClock } from '@bloomery/ports';
import { createJsonLog } from '../json-log.ts';
import { machineUuid } from '../machine-state/machine-uuid.ts';
import { META_KEY, openMetaFile } from '../machine-state/meta-file.ts';
import { lockStateDir } from '../machine-state/state-lock.ts';
import { writeFileWhole } from '../serve/data-dir.ts';
import type { NodeCommandDeps } from './node-command.ts';
import { startDaemon } from './node-daemon.ts';
import type { NodeOptions } from './node-options.ts';
import { TALOS_VERSION } from './talos-version.ts';

/**
 * Run the daemon until the signal, then take back what it added, unless it is to be left.
 *
 * @throws BloomeryError BLM_NODE_CONFIG_MISSING, BLM_TALOS_CONFIG_INVALID, BLM_KERNEL_UNANSWERED, BLM_SERVE_LISTEN and others when it
 * cannot start; what it had changed by then is taken back.
 */
export async function runNode(options: NodeOptions, deps: NodeCommandDeps): Promise<void> {
  const { stateDir } = options;
  using _lock = await lockStateDir(stateDir, 'bloomery node');
  const endpointsFile = join(stateDir, 'endpoints.json');
  rmSync(endpointsFile, { force: true });
  const clock = systemClock;
  const logs = createNodeLogs(createJsonLog(options.logLevel), clock);
  const { log } = logs;
  await using stack = new AsyncDisposableStack();
  stack.use(keepAlive());
  const source = options.configFile === undefined ? {} : { file: options.configFile };
  const store = await openConfigStore({ stateDir, log, ...source }, clock);
  stack.defer(() => store.stop());
  const linux = stack.use(await openKernel({ clock, log, stateDir, leave: options.leave }));
  const kernel = await createKernelJournal(linux, { file: join(stateDir, 'undo.json'), log });
  const files = createHostFileKeeper({ root: '/', stateDir, enabled: options.hostFiles, log });
  await files.recover();
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
  const parts = { store, files, env: deps.env, uniqueToken };
  const daemon = stack.use(await startDaemon(environment, { ...parts, logs }, options.api));
  writeFileWhole(endpointsFile, `${JSON.stringify(daemon.endpoints)}\n`, 0o600);
  stack.defer(() => rmSync(endpointsFile, { force: true }));
  log.info('node.ready', { ...daemon.endpoints });
  await aborted(deps.signal);
  log.info('node.stopping', { leave: options.leave });
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
