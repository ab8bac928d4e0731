import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bloomery');

/** The kubectl versions that set-up provides: Debian's old one and, where Go peers are built, a current one. */
export const KUBECTLS: readonly { readonly name: string; readonly path: string; readonly missing: string | false }[] = [
  { name: 'kubectl 1.34', path: join(cache, 'peers/kubectl') },
  { name: 'kubectl 1.20', path: join(cache, 'kubectl-1.20') },
].map((k) => ({ ...k, missing: existsSync(k.path) ? false : `${k.path} is not there; run make setup` }));

/** What one kubectl call printed. */
export interface KubectlResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run a kubectl with a kubeconfig of its own cache; `input` goes to stdin. */
export function kubectl(
  path: string,
  kubeconfig: string,
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): KubectlResult {
  const result = spawnSync(
    path,
    ['--kubeconfig', kubeconfig, '--cache-dir', `${kubeconfig}-cache-${path.length}`, ...args],
    {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, ...options.env },
      ...(options.input === undefined ? {} : { input: options.input }),
    },
  );
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}

/** A kubectl that goes on, as `get -w` does. */
export interface RunningKubectl {
  /** What it printed so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
  readonly stop: () => Promise<number | null>;
}

/** Start a kubectl without waiting for it. */
export function startKubectl(path: string, kubeconfig: string, args: readonly string[]): RunningKubectl {
  const cache = `${kubeconfig}-cache-${path.length}`;
  const child = spawn(path, ['--kubeconfig', kubeconfig, '--cache-dir', cache, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    stop() {
      child.kill('SIGINT');
      return exited;
    },
  };
}
