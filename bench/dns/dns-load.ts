import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DnsServer, usageOf } from './dns-servers.ts';

/** What a server did under as much load as it takes. */
export interface DnsLoad {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly lost: number;
}

/** As many questions as it answers in `seconds`: four clients, a hundred under way. */
export async function loadFully(server: DnsServer, names: string, seconds: number): Promise<DnsLoad> {
  const before = usageOf(server.pid).cpuS;
  const args = ['-c', '4', '-q', '100', '-l', `${seconds}`];
  const text = await dnsperf(server, names, args);
  const cpuS = usageOf(server.pid).cpuS - before;
  const completed = numberAfter(text, 'Queries completed:');
  return {
    perSecond: numberAfter(text, 'Queries per second:'),
    perCpuSecond: completed / cpuS,
    lost: numberAfter(text, 'Queries lost:'),
  };
}

/** The 99th percentile of how long an answer takes, in microseconds, at 10,000 questions a second. */
export async function answerTimeP99(server: DnsServer, names: string, seconds: number): Promise<number> {
  const text = await dnsperf(server, names, ['-c', '4', '-q', '100', '-Q', '10000', '-l', `${seconds}`, '-v']);
  const times = [...text.matchAll(/^> NOERROR \S+ \S+ ([\d.]+)$/gm)].map(([, time]) => Number(time) * 1e6);
  times.sort((a, b) => a - b);
  return Math.round(times[Math.floor(times.length * 0.99)] ?? Number.NaN);
}

function numberAfter(text: string, label: string): number {
  const rest = text.slice(text.indexOf(label) + label.length);
  return Number.parseFloat(rest.trim());
}

/** What dnsperf prints. Into a file: whoever reads 10,000 lines a second meanwhile takes the processor that is measured. */
async function dnsperf({ port }: DnsServer, names: string, args: readonly string[]): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'blm-dnsperf-'));
  const path = join(dir, 'out');
  try {
    await using file = await open(path, 'w');
    const child = spawn('dnsperf', ['-s', '127.0.0.1', '-p', `${port}`, '-d', names, ...args], {
      stdio: ['ignore', file.fd, 'ignore'],
    });
    await new Promise((resolve) => child.once('close', resolve));
    return await readFile(path, 'latin1');
  } finally {
    rmSync(dir, { recursive: true });
  }
}
