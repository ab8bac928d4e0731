import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { peer } from '../../packages/bloomery/src/testing/peer-process.ts';
import { until } from '../../packages/ports/src/index.ts';

/** A name server under load. */
export interface DnsServer {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export const HOT_NAMES = 1_000;
const COREDNS = peer('coredns');
const OUT = join(import.meta.dirname, '../out/dns');

/** Why the bench cannot run here, or false. */
export function whyNoDnsBench(): string | false {
  for (const program of ['dnsperf', 'unbound', 'dnsmasq', 'dig']) {
    try {
      execFileSync('which', [program], { stdio: 'ignore' });
    } catch {
      return `needs ${program}`;
    }
  }
  return COREDNS.missing;
}

/** The server that knows the names: all others ask it. */
export function startSource(dir: string): Promise<DnsServer> {
  const records = hotNames().map((name, i) => `local-data: "${name}. 3600 IN A 10.0.${i >> 8}.${i & 255}"`);
  return startUnbound(dir, 'source', ['local-zone: "bench.internal." static', ...records]);
}

/** One thread, as it forwards. */
export function startUnboundForwarder(dir: string, source: number): Promise<DnsServer> {
  return startUnbound(dir, 'unbound', [], source);
}

export async function startDnsmasq(_dir: string, source: number): Promise<DnsServer> {
  const port = await freePort();
  const args = ['-k', '-p', `${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--no-resolv', '--no-hosts'];
  return start('dnsmasq', port, [
    'dnsmasq',
    ...args,
    `--server=127.0.0.1#${source}`,
    '--cache-size=10000',
    '-u',
    'root',
    '-x',
    '',
  ]);
}

export async function startCoreDns(dir: string, source: number): Promise<DnsServer> {
  const port = await freePort();
  const file = join(dir, 'Corefile');
  writeFileSync(file, `.:${port} {\n  bind 127.0.0.1\n  cache 3600\n  forward . 127.0.0.1:${source}\n}\n`);
  return start('CoreDNS', port, [COREDNS.path, '-conf', file, '-quiet']);
}

/** Put ours into two files, as `make setup` does with the whole of Bloomery. */
export async function bundleOurs(): Promise<void> {
  await build({
    entryPoints: {
      'host-dns': join(import.meta.dirname, 'host-dns-process.ts'),
      'datagram-worker': join(import.meta.dirname, '../../packages/node/src/dns/native/datagram-worker.ts'),
    },
    outdir: OUT,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['koffi', 'netlink'],
    logLevel: 'error',
  });
}

/** Ours, with the flags of Node that `bloomery node` has. */
export async function startOurs(datagrams: 'native' | 'portable', source: number): Promise<DnsServer> {
  const port = await freePort();
  const flags = ['--max-semi-space-size=1', '--heap-growing-percent=20'];
  const name = datagrams === 'native' ? 'ours' : 'ours, portable';
  return start(name, port, [process.execPath, ...flags, join(OUT, 'host-dns.mjs'), datagrams, `${port}`, `${source}`]);
}

/** The names that are asked for. */
export function hotNames(): readonly string[] {
  return Array.from({ length: HOT_NAMES }, (_, i) => `host${i}.bench.internal`);
}

/** Processor time that a process used since its start, in seconds, and what it holds in memory, in MiB. */
export function usageOf(pid: number): { readonly cpuS: number; readonly rssMiB: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return { cpuS: (Number(fields[11]) + Number(fields[12])) / 100, rssMiB: Number(rss) / 1024 };
}

async function startUnbound(dir: string, name: string, data: readonly string[], source?: number): Promise<DnsServer> {
  const port = await freePort();
  const file = join(dir, `${name}.conf`);
  const server = [
    'interface: 127.0.0.1',
    `port: ${port}`,
    'do-daemonize: no',
    'username: ""',
    'chroot: ""',
    'pidfile: ""',
    'use-syslog: no',
    `logfile: "${join(dir, `${name}.log`)}"`,
    'num-threads: 1',
    'do-not-query-localhost: no',
    'module-config: "iterator"',
    ...data,
  ];
  const forward = source === undefined ? '' : `forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@${source}\n`;
  writeFileSync(file, `server:\n${server.map((line) => `  ${line}\n`).join('')}${forward}`);
  return start(name, port, ['unbound', '-c', file]);
}

async function start(name: string, port: number, [program = '', ...args]: readonly string[]): Promise<DnsServer> {
  const child = spawn(program, args, {
    stdio: 'ignore',
    env: { ...process.env, GOMAXPROCS: '2', MALLOC_ARENA_MAX: '2' },
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    await until(`${name} answers`, () => answers(child, port), { deadlineMs: 20_000 });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    name,
    port,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

function answers(child: ChildProcess, port: number): boolean {
  if (child.exitCode !== null) throw new Error(`a name server ended with ${child.exitCode}`);
  try {
    const args = ['@127.0.0.1', '-p', `${port}`, '+time=1', '+tries=1', '+short', 'host1.bench.internal'];
    return execFileSync('dig', args, { encoding: 'utf8', stdio: 'pipe' }).includes('10.0.0.1');
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address !== 'string' ? address.port : 0));
    });
  });
}
