import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { until } from '@bloomery/ports';

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bloomery');

/** A real peer as set-up builds it. `missing` is why a test must be skipped, or false. */
export interface Peer {
  readonly path: string;
  readonly missing: string | false;
}

/** Find a peer that `scripts/setup peers` builds. */
export function peer(name: string): Peer {
  const path = join(cache, 'peers', name);
  return { path, missing: existsSync(path) ? false : `${path} is not there; run make setup` };
}

/** A running peer, with what it wrote so far. */
export interface PeerProcess {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** SIGTERM unless another is given; resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Start a peer. */
export function startPeer(
  { path }: Peer,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): PeerProcess {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      written[stream] += chunk.toString();
    });
  }
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    process: child,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

/** Ask again and again until the answer is neither false nor undefined. @throws with `what` after the deadline (60 s). */
export function eventually<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  explain: () => string = () => '',
): Promise<T> {
  return until(what, ask, { explain });
}
