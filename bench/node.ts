import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeBenchNamespace, whyNoNamespace } from './bench-netns.ts';
import type { BenchResult } from './bench-result.ts';

const BLOOMERY = join(import.meta.dirname, '../bloomery');
const DEADLINE_MS = 60_000;
/** How long the daemon is left alone before and while its processor time is looked at. */
const SETTLE_MS = 5_000;
const IDLE_MS = 20_000;
/** Kernel ticks per second in /proc/PID/stat. */
const TICKS = 100;
const CONFIG = `version: v1alpha1
machine:
  type: worker
  network:
    nameservers: [127.0.0.9]
    interfaces:
      - interface: eth0
        addresses: [10.5.0.2/24]
        routes:
          - network: 0.0.0.0/0
            gateway: 10.5.0.1
  features:
    hostDNS:
      enabled: true
`;

/** The whole network daemon with its DNS worker: what it holds and what it costs while nothing happens. */
export async function benchNode(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const why = whyNoNamespace();
  if (why !== false) {
    say(`node: left out: ${why}`);
    return [];
  }
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-bench-node-'));
  const namespace = makeBenchNamespace();
  try {
    namespace.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far0');
    namespace.run('ip', 'link', 'set', 'far0', 'up');
    writeFileSync(join(dir, 'config.yaml'), CONFIG);
    const state = join(dir, 'state');
    const startedMs = performance.now();
    const child = namespace.start(
      BLOOMERY,
      ...['node', '--config', join(dir, 'config.yaml'), '--state', state, '--host-files', 'off'],
      ...['--log-level', 'warn'],
    );
    while (!existsSync(join(state, 'endpoints.json'))) {
      if (child.exitCode !== null || performance.now() - startedMs > DEADLINE_MS) {
        throw new Error('the daemon did not become ready');
      }
      await delay(10);
    }
    const readyMs = Math.round(performance.now() - startedMs);
    const pid = child.pid ?? 0;
    for (let i = 0; i < 200; i++) namespaceQuery(namespace.run, i);
    await delay(SETTLE_MS);
    const before = processorTicks(pid);
    await delay(IDLE_MS);
    const idlePercent = ((processorTicks(pid) - before) / TICKS / (IDLE_MS / 1000)) * 100;
    const residentMb = residentBytes(pid) / 1e6;
    say(`node: ready after ${readyMs} ms, ${residentMb.toFixed(0)} MB resident, ${idlePercent.toFixed(3)} % idle`);
    return [
      { name: 'node: daemon with DNS worker, resident', unit: 'MB', ours: residentMb, target: { atMost: 120 } },
      { name: 'node: processor while idle', unit: '%', ours: idlePercent, target: { atMost: 0.1 } },
      { name: 'node: ready', unit: 's', ours: readyMs / 1000, target: { atMost: 2 } },
    ];
  } finally {
    namespace.end();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A question that the daemon itself answers, so that its worker has run. */
function namespaceQuery(run: (program: string, ...args: readonly string[]) => string, i: number): void {
  if (i % 50 === 0) run('dig', '+tries=1', '+time=1', '+short', '@127.0.0.53', 'localhost');
}

function processorTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

function residentBytes(pid: number): number {
  const text = spawnSync('cat', [`/proc/${pid}/status`], { encoding: 'utf8' }).stdout;
  return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1]) * 1024;
}
