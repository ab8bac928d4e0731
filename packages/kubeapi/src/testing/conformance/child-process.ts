import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A process of a test with what it wrote; disposing it ends it. */
export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  /** The last 64 KiB of stdout and stderr. */
  output(): string;
}

const KEPT = 65_536;
const GRACE_MS = 5000;

/** Start a program. It is killed with this process, and gets SIGTERM, then SIGKILL when it is disposed. */
export function startChild(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Child {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-KEPT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(String(error))));
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  return {
    process: child,
    output: () => output,
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      if (isOver()) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const hard = setTimeout(kill, GRACE_MS);
      await exited;
      clearTimeout(hard);
    },
  };
}

/** Ports of the loopback interface that are free now, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
