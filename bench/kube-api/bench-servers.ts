import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Target } from './connection.ts';

/** A token of a member of system:masters, and one of somebody whom RBAC must let in. */
export const ADMIN_TOKEN = 'bench-token-of-the-admin';
export const USER_TOKEN = 'bench-token-of-the-user';
const TOKENS = `${ADMIN_TOKEN},bench-admin,bench-admin,"system:masters"\n${USER_TOKEN},bench,bench,"bench-users"\n`;

const DEADLINE_MS = 120_000;

/** A benched server. Disposing it stops its processes and keeps its data. */
export interface BenchServer extends AsyncDisposable {
  readonly pids: readonly number[];
  /** From the start of the first process until /readyz answered 200. */
  readonly readyMs: number;
  readonly target: Target;
}

/** Start a server on the data of a directory, which may be new. */
export type StartServer = (dir: string) => Promise<BenchServer>;

/** `bloomery serve`, without what needs privileges. */
export const startOurs: StartServer = async (dir) => {
  const data = join(dir, 'data');
  mkdirSync(join(data, 'pki'), { recursive: true, mode: 0o700 });
  writeFileSync(join(data, 'pki', 'tokens.csv'), TOKENS, { mode: 0o600 });
  const port = await freePort();
  const others = ['--listen', '--tftp-listen', '--metrics-listen', '--siderolink-listen'];
  const listen = others.flatMap((flag) => [flag, '127.0.0.1:0']);
  const quiet = ['--wireguard', 'off', '--disable-dhcp-proxy', '--log-level', 'error'];
  const startedMs = performance.now();
  const program = join(import.meta.dirname, '../../bloomery');
  const args = ['serve', '--data', data, '--kube-listen', `127.0.0.1:${port}`, ...listen, ...quiet];
  const child = start(program, args, { XDG_STATE_HOME: dir, ...NODE_PROFILE });
  return ready([child], port, startedMs);
};

/** Options of Node for the profiled runs of a developer: BENCH_NODE_OPTIONS="--cpu-prof --cpu-prof-dir=…". */
const NODE_PROFILE =
  process.env['BENCH_NODE_OPTIONS'] === undefined ? {} : { NODE_OPTIONS: process.env['BENCH_NODE_OPTIONS'] };

const PEERS = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bloomery/peers');

/** Why the peers cannot be started; undefined when they can. */
export function whyNoPeers(): string | undefined {
  const missing = ['etcd', 'kube-apiserver'].filter((name) => !existsSync(join(PEERS, name)));
  return missing.length === 0 ? undefined : `${missing.join(' and ')} not built: scripts/setup peers builds it`;
}

/** kube-apiserver with etcd, both with their defaults but for RBAC and the token file. */
export const startTheirs: StartServer = async (dir) => {
  writeFileSync(join(dir, 'tokens.csv'), TOKENS, { mode: 0o600 });
  const key = join(dir, 'service-accounts.pem');
  if (!existsSync(key)) {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    writeFileSync(key, privateKey, { mode: 0o600 });
  }
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const startedMs = performance.now();
  const etcd = start(join(PEERS, 'etcd'), [
    ...['--data-dir', join(dir, 'etcd'), '--log-level', 'error'],
    ...['--listen-client-urls', `http://127.0.0.1:${client}`, '--advertise-client-urls', `http://127.0.0.1:${client}`],
    ...['--listen-peer-urls', `http://127.0.0.1:${peer}`, '--initial-advertise-peer-urls', `http://127.0.0.1:${peer}`],
    ...['--initial-cluster', `default=http://127.0.0.1:${peer}`],
  ]);
  const api = start(join(PEERS, 'kube-apiserver'), [
    ...['--etcd-servers', `http://127.0.0.1:${client}`, '--bind-address', '127.0.0.1', '--secure-port', String(port)],
    ...['--cert-dir', join(dir, 'certificates'), '--authorization-mode', 'RBAC'],
    ...['--token-auth-file', join(dir, 'tokens.csv'), '--service-cluster-ip-range', '10.96.0.0/16'],
    ...['--service-account-key-file', key, '--service-account-signing-key-file', key],
    ...['--service-account-issuer', 'https://kubernetes.default.svc', '-v', '0'],
  ]);
  return ready([api, etcd], port, startedMs);
};

function start(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const output = process.env['BENCH_VERBOSE'] === undefined ? 'ignore' : 'inherit';
  return spawn(program, [...args], { stdio: ['ignore', output, output], env: { ...process.env, ...env } });
}

async function ready(children: readonly ChildProcess[], port: number, startedMs: number): Promise<BenchServer> {
  const target = { port, token: USER_TOKEN };
  const stop = async (): Promise<void> => {
    for (const child of children) await ended(child);
  };
  while ((await ask(target, 'GET', '/readyz', ADMIN_TOKEN).catch(() => undefined))?.status !== 200) {
    if (children.every((child) => child.exitCode === null) && performance.now() - startedMs < DEADLINE_MS)
      await delay(5);
    else {
      await stop();
      throw new Error(`a benched server did not become ready; BENCH_VERBOSE=1 shows what it says`);
    }
  }
  const readyMs = performance.now() - startedMs;
  return { pids: children.map(({ pid = 0 }) => pid), readyMs, target, [Symbol.asyncDispose]: stop };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(kill);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** One request of the bench itself, as the admin unless another token is given. */
export function ask(
  target: Target,
  method: string,
  path: string,
  token = ADMIN_TOKEN,
  body?: unknown,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const options = { host: '127.0.0.1', port: target.port, method, path, headers, rejectUnauthorized: false };
    const call = request({ ...options, agent: false, timeout: 10_000 }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') }),
      );
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error('timed out')));
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Resident memory of the server's processes, MiB. */
export function residentMiB(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return sum + Number(kib) / 1024;
  }, 0);
}

/** CPU time that the server's processes have used, in seconds (to a hundredth). */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return sum + (Number(fields[11]) + Number(fields[12])) / 100;
  }, 0);
}
