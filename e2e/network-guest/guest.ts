/** What the cases of the network guest work with: the daemon, real talosctl, iproute2 and udevadm inside the guest. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, openSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DEADLINE_MS = 120_000;
const STATE = '/run/node';
const TALOSCTL = '/tmp/talosctl';

/** One link of `ip -j -d link`. */
export interface IpLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly address?: string;
  readonly master?: string;
  readonly link?: string;
  readonly altnames?: readonly string[];
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: Readonly<Record<string, unknown>>;
    readonly info_slave_kind?: string;
  };
}

/** Run a program of the guest and return what it prints. busybox has its own `ip`: paths are given in full. */
export async function program(file: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(file, args, { maxBuffer: 64 << 20, timeout: DEADLINE_MS });
    return stdout;
  } catch (cause) {
    // What a failed test printed stands on its standard output.
    const said = cause instanceof Error && 'stdout' in cause ? String(cause.stdout).slice(-4000) : '';
    throw new Error(`${cause instanceof Error ? cause.message : String(cause)}\n${said}`, { cause });
  }
}

export const ip = (...args: readonly string[]): Promise<string> => program('/bin/ip', ...args);

export async function links(): Promise<ReadonlyMap<string, IpLink>> {
  const list = JSON.parse(await ip('-j', '-d', 'link')) as readonly IpLink[];
  return new Map(list.map((link) => [link.ifname, link]));
}

/** Wait until the check passes; its last complaint is the error. */
export async function eventually(check: () => Promise<void>): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

/** Run one case and report it as one line. */
export async function report(name: string, body: () => Promise<void>): Promise<void> {
  const result = await body().then(
    () => ({ name, ok: true, detail: '' }),
    (error: unknown) => ({ name, ok: false, detail: error instanceof Error ? `${error.message}` : String(error) }),
  );
  console.log(JSON.stringify(result));
}

/** talosctl against the daemon, as administrator. */
export async function talosctl(...args: readonly string[]): Promise<string> {
  if (!existsSync(TALOSCTL)) {
    // The name is a link to where the host has it.
    copyFileSync(join('/peers', basename(readlinkSync('/peers/talosctl'))), TALOSCTL);
  }
  const at = ['--talosconfig', `${STATE}/talosconfig`, '-e', '127.0.0.1', '-n', '127.0.0.1'];
  return program(TALOSCTL, ...args, ...at);
}

/** A configuration with these interfaces, and further documents. */
export function configOf(interfaces: string, documents: readonly string[] = []): string {
  const lines = interfaces.trimEnd().split('\n');
  const network = ['version: v1alpha1', 'machine:', '  type: worker', '  network:', '    interfaces:']
    .concat(interfaces === '' ? ['      []'] : lines.map((line) => `      ${line}`))
    .join('\n');
  return [network, ...documents].join('\n---\n').concat('\n');
}

/** Put a configuration in force without a restart. */
export async function applyConfig(text: string): Promise<void> {
  writeFileSync('/run/applied.yaml', text);
  await talosctl('apply-config', '--mode', 'no-reboot', '-f', '/run/applied.yaml');
}

/** The daemon in the guest. */
export interface Daemon {
  /** SIGTERM, and wait for its end. @returns its exit code */
  stop(): Promise<number>;
}

/** Start the daemon with a fresh state folder and wait until it is ready. */
export async function startDaemon(config: string, flags: readonly string[]): Promise<Daemon> {
  rmSync(STATE, { recursive: true, force: true });
  mkdirSync(STATE, { recursive: true });
  writeFileSync('/run/config.yaml', config);
  const log = openSync('/dev/ttyS0', 'w');
  const child = spawn(
    '/bin/node',
    [
      '--disable-warning=ExperimentalWarning',
      '/bundle/bloomery.mjs',
      ...['node', '--config', '/run/config.yaml', '--state', STATE, '--api', '127.0.0.1:50000', '--log-level', 'info'],
      ...flags,
    ],
    { stdio: ['ignore', log, log] },
  );
  const ended = endOf(child);
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}`);
    if (!existsSync(`${STATE}/endpoints.json`)) throw new Error('the daemon is not ready');
  });
  return {
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? -1)));
}
