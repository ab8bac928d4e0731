import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConfigSources,
  createHostFileKeeper,
  type DryRunKernel,
  dryRunKernel,
  type NodeEnvironment,
  openConfigStore,
  openKernel,
  SILENT_DHCP,
} from '@bloomery/node';
import { type Logger, systemClock } from '@bloomery/ports';
import type { NodeOptions } from './node-options.ts';
import { composeNode, type NodeParts } from './node-parts.ts';
import { TALOS_VERSION } from './talos-version.ts';

/** A composed daemon that looks at this host and changes nothing of it. */
export interface IsolatedNode extends AsyncDisposable {
  readonly environment: NodeEnvironment & { readonly kernel: DryRunKernel };
  readonly parts: NodeParts;
}

/**
 * Compose a daemon for a look: its kernel says what it would do and goes on as if it had, DHCP sends nothing, no name server listens,
 * files stay as they are, and its folder is a copy that is gone afterwards.
 *
 * @throws BloomeryError as openConfigStore and openKernel
 */
export async function composeIsolated(
  options: NodeOptions,
  log: Logger,
  print: (line: string) => void,
): Promise<IsolatedNode> {
  const clock = systemClock;
  await using stack = new AsyncDisposableStack();
  const stateDir = mkdtempSync(join(tmpdir(), 'bloomery-node-'));
  stack.defer(() => rmSync(stateDir, { recursive: true, force: true }));
  for (const file of KEPT) {
    const from = join(options.stateDir, file);
    if (existsSync(from)) copyFileSync(from, join(stateDir, file));
  }
  const sources: ConfigSources = { stateDir, log };
  const { configFile: file } = options;
  const store = await openConfigStore(file === undefined ? sources : { ...sources, file }, clock);
  stack.defer(() => store.stop());
  const kernel = stack.use(await openKernel({ clock, log, stateDir: options.stateDir, leave: true }));
  const { cmdline, manageAll, uuid = '' } = options;
  const environment: IsolatedNode['environment'] = {
    clock,
    log,
    random: (length) => randomBytes(length),
    kernel: dryRunKernel(kernel, print),
    settings: {
      stateDir,
      cmdline,
      manageAll,
      hostFiles: false,
      leave: true,
      uuid,
      talosVersion: TALOS_VERSION,
      root: '/',
    },
  };
  const files = createHostFileKeeper({ root: '/', stateDir, enabled: false, log });
  const parts = stack.use(
    await composeNode(environment, { store, files, env: {}, uniqueToken: NO_TOKEN, dhcp: SILENT_DHCP }),
  );
  const owned = stack.move();
  return { environment, parts, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What of the daemon's folder decides what it would do. Its devices of wireguard-go are looked at where they are. */
const KEPT = ['config.yaml', 'config-seed.sha256', 'node-identity.yaml'];

const NO_TOKEN = { load: async () => undefined, save: async () => {} };
