import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { eventually } from './peer-process.ts';
import { makeTestNamespace, type TestNamespace } from './test-namespace.ts';

const PROGRAM = join(import.meta.dirname, '../main.ts');

/** A status that the command printed. */
export type ClientStatus = Readonly<Record<string, unknown>>;

/** One run of `bloomery siderolink-client`. */
export interface ClientRun {
  /** The last status that it printed. */
  status(): ClientStatus;
  connected(): Promise<ClientStatus>;
  /** Exit code after SIGTERM, or another signal. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Where and as whom. */
export interface ClientRunOptions {
  readonly namespace: TestNamespace;
  readonly uuid: string;
  readonly stateDir: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Start the command in a namespace, without the kernel arguments of this host. */
export function startClient({ namespace, uuid, stateDir, args, env = {} }: ClientRunOptions): ClientRun {
  const command = ['siderolink-client', '--json', '--uuid', uuid, '--state', stateDir, '--cmdline', ''];
  const [program = '', ...within] = namespace.within;
  const child = spawn(program, [...within, process.execPath, PROGRAM, ...command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk) => {
      written[stream] += String(chunk);
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const status = (): ClientStatus => JSON.parse(written.stdout.split('\n').at(-2) ?? '{}');
  const everything = (): string => written.stdout + written.stderr;
  return {
    status,
    connected: () => eventually('the link', () => status()['connected'] === true && status(), everything),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return exited;
    },
  };
}

/** A namespace whose packets to `server` go by a cable of their own; `network` (`10.98.7`) is what the cable has. */
export function makeNeighbour(server: TestNamespace, network: string): TestNamespace {
  const neighbour = makeTestNamespace();
  const nameOf = (namespace: TestNamespace): string => namespace.within.at(-1) ?? '';
  const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
  const cable = `c${network.replaceAll('.', '')}`;
  const ends = ['link', 'add', cable, 'netns', nameOf(neighbour), 'type', 'veth', 'peer', 'name', cable];
  ip(...ends, 'netns', nameOf(server));
  for (const [namespace, host] of [
    [server, 1],
    [neighbour, 2],
  ] as const) {
    namespace.run('ip', 'address', 'add', `${network}.${host}/24`, 'dev', cable);
    namespace.run('ip', 'link', 'set', cable, 'up');
  }
  neighbour.run('ip', 'route', 'add', server.host, 'via', `${network}.1`);
  return neighbour;
}
