import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock, Logger } from '@bloomery/ports';
import {
  type LinkInputs,
  machineReports,
  type SiderolinkNode,
  type SiderolinkNodeStatus,
  startSiderolinkNode,
} from '@bloomery/siderolink';
import { machineUuid } from '../machine-state/machine-uuid.ts';
import { META_KEY, openMetaFile } from '../machine-state/meta-file.ts';
import { lockStateDir } from '../machine-state/state-lock.ts';
import type { ClientSettings } from './client-settings.ts';
import { hostAddresses, watchHostAddresses } from './host-addresses.ts';

/** What a run of the client needs. */
export interface RunClientDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly env: () => Readonly<Record<string, string | undefined>>;
  /** Aborts at SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Gets every change of the status. */
  readonly show: (status: SiderolinkNodeStatus, uuid: string) => void;
}

/** Where the client is run, and as what. */
export interface RunClientOptions {
  readonly settings: ClientSettings;
  readonly stateDir: string;
  /** SMBIOS unless given. */
  readonly uuid?: string;
  /** Sent as version. */
  readonly talosVersion: string;
  /** PEM of further authorities. */
  readonly authorities?: string;
}

/** Join the link and stay until the signal; then send what is left, leave and remove the interface. */
export async function runClient(options: RunClientOptions, deps: RunClientDeps): Promise<void> {
  const { settings, authorities, stateDir, talosVersion } = options;
  const { clock, log, env, signal } = deps;
  using _lock = await lockStateDir(stateDir, 'siderolink-client');
  const meta = openMetaFile(join(stateDir, 'meta.json'));
  const uuid = options.uuid ?? machineUuid(meta);
  const { api, uniqueToken } = settings;
  const inputs: LinkInputs = { api, uuid, talosVersion, ...(uniqueToken === undefined ? {} : { uniqueToken }) };
  const node = startSiderolinkNode(
    { ...settings, inputs, stateDir: join(stateDir, 'wg') },
    {
      clock,
      log,
      random: (length) => randomBytes(length),
      environment: env,
      authorities: () => authorities,
      uniqueToken: {
        load: async () => meta.get(META_KEY.uniqueToken),
        save: async (token) => meta.set(META_KEY.uniqueToken, token),
      },
    },
  );
  node.onChanged((status) => deps.show(status, uuid));
  deps.show(node.status(), uuid);
  const stopReporting = report(node, settings, clock);
  await aborted(signal);
  stopReporting();
  await node[Symbol.asyncDispose]();
}

/** The events of a host: its addresses at the start and when they change, that it runs, and what is wrong with its configuration. */
function report(node: SiderolinkNode, { configError }: ClientSettings, clock: Clock): () => void {
  const reports = machineReports(node.events, clock);
  let told = '';
  const tell = (): void => {
    const addresses = hostAddresses();
    const now = JSON.stringify([hostname(), addresses]);
    if (now === told) return;
    told = now;
    reports.addresses(hostname(), addresses);
  };
  tell();
  if (configError?.stage === 'load') reports.configNotLoaded(configError.message);
  if (configError?.stage === 'validate') reports.configNotValid(configError.message);
  reports.stage('RUNNING');
  return watchHostAddresses(clock, tell);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
