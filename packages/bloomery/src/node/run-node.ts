import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createState, startRuntime } from '@bloomery/cosi';
import {
  createHostFileKeeper,
  createNodeLogs,
  type NodeEnvironment,
  openConfigStore,
  openKernel,
  SERVED_DEFINITIONS,
  startNodeApi,
} from '@bloomery/node';
import { errorText, hostPort, type Logger, systemClock } from '@bloomery/ports';
import { createJsonLog } from '../json-log.ts';
import { machineUuid } from '../machine-state/machine-uuid.ts';
import { openMetaFile } from '../machine-state/meta-file.ts';
import { lockStateDir } from '../machine-state/state-lock.ts';
import { writeFileWhole } from '../serve/data-dir.ts';
import type { NodeCommandDeps } from './node-command.ts';
import type { NodeOptions } from './node-options.ts';
import { composeNode } from './node-parts.ts';

/** The Talos version that is told: what this daemon behaves like. */
const TALOS_VERSION = 'v1.13.9';

/**
 * Run the daemon until the signal, then take back what it added, unless it is to be left.
 *
 * @throws BloomeryError BLM_NODE_CONFIG_MISSING, BLM_TALOS_CONFIG_INVALID, BLM_KERNEL_UNANSWERED, BLM_SERVE_LISTEN and others: it did
 * not start, and changed nothing that it did not put back.
 */
export async function runNode(options: NodeOptions, deps: NodeCommandDeps): Promise<void> {
  const { stateDir } = options;
  using _lock = await lockStateDir(stateDir, 'bloomery node');
  const endpoints = join(stateDir, 'endpoints.json');
  rmSync(endpoints, { force: true });
  // The clock's timers alone do not keep the process alive.
  const alive = setInterval(() => {}, 60_000);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => clearInterval(alive));
  const clock = systemClock;
  const logs = createNodeLogs(createJsonLog(options.logLevel), clock);
  const { log } = logs;
  const random = (length: number): Uint8Array => randomBytes(length);
  const source = options.configFile === undefined ? {} : { file: options.configFile };
  const store = await openConfigStore({ stateDir, log, ...source }, clock);
  stack.defer(() => store.stop());
  const kernel = stack.use(await openKernel({ clock, log, stateDir }));
  const settings = {
    ...options,
    uuid: options.uuid ?? machineUuid(openMetaFile(join(stateDir, 'meta.json'))),
    talosVersion: TALOS_VERSION,
    root: '/',
  };
  const environment: NodeEnvironment = { clock, log, random, kernel, settings };
  const files = createHostFileKeeper({ root: '/', stateDir, enabled: options.hostFiles && !options.dryRun, log });
  await files.recover();
  stack.defer(() => (options.leave ? Promise.resolve() : said(log, 'node.files_left', files.restore())));
  const state = createState({ clock, log });
  for (const definition of SERVED_DEFINITIONS) state.register(definition);
  const runtime = stack.use(startRuntime({ state, clock, log, random }));
  const parts = stack.use(await composeNode(environment, { store, files, env: deps.env }));
  runtime.start(parts.controllers);
  const api = stack.use(await startNodeApi(options.api, { environment, state, store, logs }));
  runtime.start(api.controllers);
  const dns = parts.dns.status.listeners.find(({ bound }) => bound !== undefined)?.bound;
  const bound = { api: hostPort(api.address), dns: dns === undefined ? null : hostPort(dns) };
  writeFileWhole(endpoints, `${JSON.stringify(bound)}\n`, 0o600);
  stack.defer(() => rmSync(endpoints, { force: true }));
  log.info('node.ready', bound);
  await aborted(deps.signal);
  log.info('node.stopping', { leave: options.leave });
}

/** What cannot be undone is said; the rest is undone all the same. */
async function said(log: Logger, event: string, work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => log.error(event, { error: errorText(error) }));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
