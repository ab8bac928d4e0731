import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Endpoints } from '../serve/data-dir.ts';

/** A running `bloomery serve` of a test. */
export interface ServeProcess {
  readonly dir: string;
  readonly kubeconfig: string;
  readonly endpoints: Endpoints;
  readonly process: ChildProcess;
  /** Everything that it wrote to stderr so far. */
  stderr(): string;
  /** SIGTERM, or another signal; resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const BLOOMERY = join(import.meta.dirname, '../../../../bloomery');
const DEADLINE_MS = 30_000;

/**
 * Start `./bloomery serve` on loopback with free ports and wait until it says that it is ready. `within` is put before the
 * command line: a network namespace.
 */
export async function startServe(
  options: { readonly dir?: string; readonly args?: readonly string[]; readonly within?: readonly string[] } = {},
): Promise<ServeProcess> {
  const home = mkdtempSync(join(tmpdir(), 'bloomery-serve-'));
  const dir = options.dir ?? join(home, 'data');
  // Of a killed run: the plane removes it too, but maybe after our first look.
  rmSync(join(dir, 'endpoints.json'), { force: true });
  const loopback = [
    '--kube-listen',
    '--listen',
    '--tftp-listen',
    '--dhcp-listen',
    '--siderolink-listen',
    '--metrics-listen',
  ];
  const [program = BLOOMERY, ...before] = [...(options.within ?? []), BLOOMERY];
  const child = spawn(
    program,
    [
      ...before,
      'serve',
      '--data',
      dir,
      ...loopback.flatMap((flag) => [flag, '127.0.0.1:0']),
      '--wireguard',
      'off',
      '--disable-dhcp-proxy',
      ...(options.args ?? []),
    ],
    { env: { ...process.env, XDG_STATE_HOME: home }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdout.resume();
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const file = join(dir, 'endpoints.json');
  const deadline = Date.now() + DEADLINE_MS;
  while (!existsSync(file)) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`bloomery serve did not become ready (exit ${child.exitCode}): ${stderr}`);
    }
    await delay(20);
  }
  return {
    dir,
    kubeconfig: join(dir, 'kubeconfig'),
    endpoints: JSON.parse(readFileSync(file, 'utf8')),
    process: child,
    stderr: () => stderr,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return exited;
    },
  };
}
