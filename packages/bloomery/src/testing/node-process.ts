import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@bloomery/ports';
import { endNamespace } from './end-namespace.ts';
import { type PeerProcess, peer, startPeer } from './peer-process.ts';

/** The real talosctl 1.13.9. */
export const TALOSCTL = peer('talosctl');

/** The command as an operator starts it. */
export const BLOOMERY = join(import.meta.dirname, '../../../../bloomery');
const READY_MS = 30_000;
let made = 0;

/** Why there is no network namespace for a daemon here, or false. */
export function whyNoNodeNamespace(): string | false {
  return process.getuid?.() === 0 ? false : 'needs root for network namespaces';
}

/** A network namespace with links of its own and none of the host's. */
export interface NodeNamespace {
  readonly name: string;
  /** Run a program in it. @returns what it printed. @throws when it fails */
  run(program: string, ...args: readonly string[]): string;
  /** Kill what runs in it and remove it. */
  end(): void;
}

/** Make one with `lo` and pairs of virtual links: `eth0` and its other end `eth0p`, and so on. */
export function makeNodeNamespace(links: readonly string[] = ['eth0']): NodeNamespace {
  const name = `blmn${process.pid}x${made++}`;
  const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
  ip('netns', 'add', name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
  for (const link of links) {
    ip('-n', name, 'link', 'add', link, 'type', 'veth', 'peer', 'name', `${link}p`);
    ip('-n', name, 'link', 'set', `${link}p`, 'up');
  }
  return {
    name,
    run: (program, ...args) => ip('netns', 'exec', name, program, ...args),
    end: () => endNamespace(name),
  };
}

/** Of a host whose one card has an address. */
export const ONE_CARD = `version: v1alpha1
machine:
  type: worker
  network:
    interfaces:
      - interface: eth0
        addresses: [10.7.0.2/24]
`;

/** What one talosctl call printed. */
export interface TalosctlResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `bloomery node` in a namespace. */
export interface NodeProcess {
  readonly dir: string;
  readonly api: string;
  readonly process: ChildProcess;
  /** Everything that it wrote to stderr so far. */
  stderr(): string;
  /** Run talosctl in the namespace with DIR/talosconfig, or another one. */
  talosctl(args: readonly string[], talosconfig?: string): TalosctlResult;
  /** Start talosctl without waiting for it, as for `get -w`. */
  follow(args: readonly string[]): PeerProcess;
  /** SIGTERM, or another signal; resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Remove its files; it has ended. */
  clean(): void;
}

export interface NodeProcessOptions {
  readonly config: string;
  /** Of a daemon that ran before. */
  readonly dir?: string;
  readonly args?: readonly string[];
  /** Program and arguments that start it: with files or a host name of its own. */
  readonly through?: readonly string[];
}

/** Start `./bloomery node` in the namespace with its API on a free port, and wait until it says that it is ready. */
export async function startNode(namespace: NodeNamespace, options: NodeProcessOptions): Promise<NodeProcess> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'bloomery-node-'));
  const file = join(dir, 'given.yaml');
  writeFileSync(file, options.config);
  const endpoints = join(dir, 'endpoints.json');
  rmSync(endpoints, { force: true });
  const within = ['netns', 'exec', namespace.name];
  const flags = ['--config', file, '--state', dir, '--api', '127.0.0.1:0', ...(options.args ?? [])];
  const child = spawn('ip', [...within, ...(options.through ?? []), BLOOMERY, 'node', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  await until('bloomery node is ready', () => existsSync(endpoints) || child.exitCode !== null, {
    deadlineMs: READY_MS,
    explain: () => stderr,
  });
  if (child.exitCode !== null) throw new Error(`bloomery node ended with ${child.exitCode}: ${stderr}`);
  const { api } = JSON.parse(readFileSync(endpoints, 'utf8')) as { api: string };
  const commandLine = (args: readonly string[], talosconfig = join(dir, 'talosconfig')): string[] => [
    ...within,
    TALOSCTL.path,
    '--talosconfig',
    talosconfig,
    ...args,
  ];
  return {
    dir,
    api,
    process: child,
    stderr: () => stderr,
    talosctl: (args, talosconfig) => {
      const {
        status,
        stdout,
        stderr: said,
      } = spawnSync('ip', commandLine(args, talosconfig), {
        encoding: 'utf8',
        timeout: 60_000,
      });
      return { code: status, stdout, stderr: said };
    },
    follow: (args) => startPeer({ path: 'ip', missing: false }, commandLine(args)),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return exited;
    },
    clean: () => rmSync(dir, { recursive: true, force: true }),
  };
}
