import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A running `bloomery serve` on free loopback ports. */
export interface PlaneProcess extends AsyncDisposable {
  readonly pid: number;
  /** From the start of the process until DIR/endpoints.json was there. */
  readonly readyMs: number;
  readonly kubeconfig: string;
}

const DEADLINE_MS = 60_000;
const LISTEN_FLAGS = ['--kube-listen', '--listen', '--tftp-listen', '--metrics-listen', '--siderolink-listen'];

/** Start a plane with its data below `home`. */
export async function startPlane(home: string): Promise<PlaneProcess> {
  const dir = join(home, 'data');
  const listen = LISTEN_FLAGS.flatMap((flag) => [flag, '127.0.0.1:0']);
  const args = [
    'serve',
    '--data',
    dir,
    ...listen,
    '--wireguard',
    'off',
    '--disable-dhcp-proxy',
    '--log-level',
    'error',
  ];
  const startedMs = performance.now();
  const child = spawn(join(import.meta.dirname, '../bloomery'), args, {
    stdio: 'ignore',
    env: { ...process.env, XDG_STATE_HOME: home },
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  while (!existsSync(join(dir, 'endpoints.json'))) {
    if (child.exitCode !== null || performance.now() - startedMs > DEADLINE_MS)
      throw new Error('the plane did not become ready');
    await delay(5);
  }
  return {
    pid: child.pid ?? 0,
    readyMs: Math.round(performance.now() - startedMs),
    kubeconfig: join(dir, 'kubeconfig'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}
