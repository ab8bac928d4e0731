import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchNamespace, makeBenchNamespace, whyNoNamespace } from './bench-netns.ts';
import { type BenchResult, median } from './bench-result.ts';

const ROUNDS = 3;
const IMAGE_BYTES = 50 * 1024 * 1024;
const TFTP_BYTES = 30 * 1024 * 1024;
const HTTP_PORT = '8081';
const TFTP_PORT = '7069';
const HPA_PORT = '7070';
const DNSMASQ_PORT = '69';
const NGINX_PORT = '8090';
const UUID = '6b121f82-24a8-4611-9d23-000000000000';

/** Boot services beside dnsmasq, tftpd-hpa and nginx, interleaved, on the loopback of a namespace of its own. */
export async function benchBoot(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const programs = ['/usr/sbin/dnsmasq', '/usr/sbin/in.tftpd', '/usr/sbin/nginx', '/usr/bin/wrk', '/usr/bin/curl'];
  const missing = programs.filter((program) => !existsSync(program));
  const reason = whyNoNamespace() || (missing.length > 0 && `${missing.join(', ')} missing`);
  if (reason !== false) {
    say(`boot: skipped (${reason})`);
    return [];
  }
  const dir = mkdtempSync(join(tmpdir(), 'bench-boot-'));
  const ns = makeBenchNamespace();
  try {
    const { ours, tftp } = await startAll(ns, dir);
    for (const pid of tftp) pin(pid, ONE_CPU);
    const overTftp = benchTftp(ns, say);
    pin(ours, ALL_CPUS);
    return [...overTftp, benchIpxe(ns, say), ...benchImages(ns, ours, say)];
  } finally {
    ns.end();
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * In lockstep every packet wakes the other side. Across processors that costs what the scheduler happens to decide, several
 * times what either program does: TFTP servers and clients share one.
 */
const ONE_CPU = '0';
const ALL_CPUS = `0-${cpus().length - 1}`;

function pin(pid: number, to: string): void {
  execFileSync('taskset', ['-a', '-cp', to, String(pid)], { stdio: 'ignore' });
}

async function startAll(
  ns: BenchNamespace,
  dir: string,
): Promise<{ readonly ours: number; readonly tftp: readonly number[] }> {
  mkdirSync(join(dir, 'env/default'), { recursive: true });
  mkdirSync(join(dir, 'tftp'));
  writeFileSync(join(dir, 'env/default/initramfs.xz'), Buffer.alloc(IMAGE_BYTES, 'bloomery'));
  writeFileSync(join(dir, 'tftp/image.bin'), Buffer.alloc(TFTP_BYTES, 'bloomery'));
  writeFileSync(
    join(dir, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${dir}/nginx.pid; error_log stderr; user root;
    events { worker_connections 1024; }
    http { access_log off; sendfile on; tcp_nopush on; server { listen 127.0.0.1:${NGINX_PORT}; root ${dir}; } }`,
  );
  const tftpRoot = join(dir, 'tftp');
  const script = join(import.meta.dirname, 'boot-server.ts');
  const ours = await ns.startScript(script, dir, HTTP_PORT, TFTP_PORT, '1000');
  const tftp = ['--enable-tftp', `--tftp-root=${tftpRoot}`, '--listen-address=127.0.0.1', '--bind-interfaces'];
  const dnsmasq = ns.start(
    '/usr/sbin/dnsmasq',
    '--keep-in-foreground',
    '--port=0',
    '--conf-file=/dev/null',
    '--user=root',
    ...tftp,
  );
  const hpa = ns.start('/usr/sbin/in.tftpd', '-L', '-a', `:${HPA_PORT}`, '-u', 'root', '-s', tftpRoot);
  ns.start('/usr/sbin/nginx', '-c', join(dir, 'nginx.conf'));
  await new Promise((resolve) => setTimeout(resolve, 700));
  return { ours: ours.pid ?? 0, tftp: [ours, dnsmasq, hpa].flatMap(({ pid }) => pid ?? []) };
}

function benchTftp(ns: BenchNamespace, say: (line: string) => void): readonly BenchResult[] {
  const client = join(import.meta.dirname, 'tftp-client.ts');
  const ours: number[] = [];
  const dnsmasq: number[] = [];
  const hpa: number[] = [];
  const lockstep: number[] = [];
  const windows: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(curlSpeed(ns, TFTP_PORT));
    dnsmasq.push(curlSpeed(ns, DNSMASQ_PORT));
    hpa.push(curlSpeed(ns, HPA_PORT));
    lockstep.push(ownSpeed(runPinned(ns, process.execPath, client, TFTP_PORT, 'image.bin', '1468', '1')));
    windows.push(ownSpeed(runPinned(ns, process.execPath, client, TFTP_PORT, 'image.bin', '1468', '16')));
    say(`boot: TFTP round ${round + 1} of ${ROUNDS}`);
  }
  const unit = 'MB/s';
  const target = { atLeast: 0.4 };
  const value = median(ours);
  return [
    { name: 'TFTP 1468 lockstep (curl)', unit, ours: value, peer: { name: 'dnsmasq', value: median(dnsmasq) }, target },
    { name: 'TFTP 1468 lockstep (curl)', unit, ours: value, peer: { name: 'tftpd-hpa', value: median(hpa) }, target },
    {
      name: 'TFTP 1468 windowsize 16',
      unit,
      ours: median(windows),
      peer: { name: 'own lockstep', value: median(lockstep) },
      target: { atLeast: 1.5 },
    },
  ];
}

function runPinned(ns: BenchNamespace, program: string, ...args: readonly string[]): string {
  return ns.run('taskset', '-c', ONE_CPU, program, ...args);
}

function curlSpeed(ns: BenchNamespace, port: string): number {
  const args = [
    '-s',
    '--max-time',
    '60',
    '--tftp-blksize',
    '1468',
    '-o',
    '/dev/null',
    '-w',
    '%{size_download} %{speed_download}',
  ];
  const [size, speed] = ns
    .run('/usr/bin/curl', ...args, `tftp://127.0.0.1:${port}/image.bin`)
    .split(' ')
    .map(Number);
  if (size !== TFTP_BYTES) throw new Error(`port ${port} gave ${size} of ${TFTP_BYTES} bytes`);
  return (speed ?? 0) / 1e6;
}

function ownSpeed(output: string): number {
  const [size, speed] = output.split(' ').map(Number);
  if (size !== TFTP_BYTES) throw new Error(`got ${size} of ${TFTP_BYTES} bytes`);
  return (speed ?? 0) / 1e6;
}

function benchIpxe(ns: BenchNamespace, say: (line: string) => void): BenchResult {
  const url = `http://127.0.0.1:${HTTP_PORT}/ipxe?uuid=${UUID}&mac=52-54-00-77-00-01&serial=S&arch=x86_64`;
  const rates = Array.from({ length: ROUNDS }, () => wrk(ns, url, '32', '3s').requests);
  say('boot: /ipxe done');
  return {
    name: '/ipxe, 1000 Servers, 32 connections',
    unit: 'req/s',
    ours: median(rates),
    target: { atLeast: 8_000 },
  };
}

function benchImages(ns: BenchNamespace, pid: number, say: (line: string) => void): readonly BenchResult[] {
  const before = memoryMb(pid, 'VmRSS');
  const ours: number[] = [];
  const nginx: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(wrk(ns, `http://127.0.0.1:${HTTP_PORT}/env/default/initramfs.xz`, '100', '6s').megabytes);
    nginx.push(wrk(ns, `http://127.0.0.1:${NGINX_PORT}/env/default/initramfs.xz`, '100', '6s').megabytes);
    say(`boot: images round ${round + 1} of ${ROUNDS}`);
  }
  return [
    {
      name: '50 MB image, 100 connections',
      unit: 'MB/s',
      ours: median(ours),
      peer: { name: 'nginx', value: median(nginx) },
      target: { atLeast: 0.5 },
    },
    {
      name: 'extra memory for 100 downloads',
      unit: 'MB',
      ours: memoryMb(pid, 'VmHWM') - before,
      target: { atMost: 150 },
    },
  ];
}

function wrk(
  ns: BenchNamespace,
  url: string,
  connections: string,
  duration: string,
): { requests: number; megabytes: number } {
  const text = ns.run('/usr/bin/wrk', '-t1', `-c${connections}`, `-d${duration}`, '--timeout', '30s', url);
  const requests = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? 0);
  const [, amount = '0', unit = 'B'] = /Transfer\/sec:\s+([\d.]+)([KMG]?B)/.exec(text) ?? [];
  const factor = { B: 1e-6, KB: 1.024e-3, MB: 1.048576, GB: 1073.741824 }[unit] ?? 0;
  if (/Non-2xx/.test(text)) throw new Error(`${url} answered with errors: ${text}`);
  return { requests, megabytes: Number(amount) * factor };
}

function memoryMb(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kb = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kb ?? Number.NaN) / 1024;
}
