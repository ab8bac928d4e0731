import { randomBytes } from 'node:crypto';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asApiObject, openStore, type Store, writeBackup } from '@bloomery/kubeapi';
import { silentLog, systemClock } from '@bloomery/ports';
import type { BenchResult } from './bench-result.ts';

const WRITES = 1_000_000;
const WRITERS = 64;
const OBJECTS = 10_000;
/** Of an object, about: that of a Server. */
const FILLER = 'x'.repeat(1700);
const SERVERS = 'servers.metal.sidero.dev';

/** What the disk itself does is measured so often: plain writes of what a commit and a checkpoint write, and their flushes. */
const PROBE_EVERY_MS = 100;
const PROBES = [512 * 1024, 2 * 1024 * 1024].map((bytes) => Buffer.alloc(bytes));

/** What the writers saw. */
interface Waits {
  worstMs: number;
  done: number;
}

/** A million writes over ten thousand objects: how large the files get, how long a write waits at most, and a backup meanwhile. */
export async function benchStore(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-bench-store-'));
  const probe = probeDisk(`${dir}.probe`);
  try {
    const store = open(dir);
    const waits: Waits = { worstMs: 0, done: 0 };
    const startedMs = performance.now();
    let largest = 0;
    const watched = setInterval(() => {
      largest = Math.max(largest, bytesIn(dir));
    }, 500);
    await Promise.all(Array.from({ length: WRITERS }, () => write(store, waits)));
    clearInterval(watched);
    const seconds = (performance.now() - startedMs) / 1000;
    const live = store.list(SERVERS).reduce((sum, object) => sum + JSON.stringify(object).length, 0);
    const [end, peak] = [bytesIn(dir) / live, Math.max(largest, bytesIn(dir)) / live];
    say(`store: ${(live / 1e6).toFixed(1)} MB live, ${(bytesIn(dir) / 1e6).toFixed(1)} MB on disk`);
    const backup = await backupMeanwhile(store);
    const note = `plain writes and flushes of as much took up to ${probe.worstMs().toFixed(0)} ms`;
    await store.close();
    const openedMs = performance.now();
    await open(dir).close();
    const openMs = performance.now() - openedMs;
    return [
      { name: 'files after 1 M writes, times live data', unit: 'x', ours: end, target: { atMost: 3 } },
      { name: 'largest files meanwhile, times live data', unit: 'x', ours: peak },
      { name: 'longest wait of a write', unit: 'ms', ours: waits.worstMs, target: { atMost: 250 }, note },
      { name: 'longest wait of a write during a backup', unit: 'ms', ours: backup.worstMs, target: { atMost: 250 } },
      { name: 'durable writes, 64 at a time', unit: '/s', ours: WRITES / seconds },
      { name: 'opening 10 k objects with their history', unit: 'ms', ours: openMs, target: { atMost: 1000 } },
    ];
  } finally {
    probe.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function probeDisk(file: string): { readonly worstMs: () => number; readonly stop: () => void } {
  const handle = openSync(file, 'w');
  let worst = 0;
  const timer = setInterval(() => {
    const startedMs = performance.now();
    for (const probe of PROBES) {
      writeSync(handle, probe, 0, probe.length, 0);
      fdatasyncSync(handle);
    }
    worst = Math.max(worst, performance.now() - startedMs);
  }, PROBE_EVERY_MS);
  return {
    worstMs: () => worst,
    stop() {
      clearInterval(timer);
      closeSync(handle);
      rmSync(file);
    },
  };
}

function open(dir: string): Store {
  return openStore({ dir, clock: systemClock, log: silentLog, random: (length) => randomBytes(length) });
}

function bytesIn(dir: string): number {
  return readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
}

async function write(store: Store, waits: Waits, until = WRITES): Promise<void> {
  while (waits.done < until) {
    const n = waits.done;
    waits.done += 1;
    const name = `server-${String(n < OBJECTS ? n : (n * 7919) % OBJECTS).padStart(5, '0')}`;
    const startedMs = performance.now();
    await store.put({ resource: SERVERS, namespace: '', name }, (resourceVersion) =>
      asApiObject({
        apiVersion: 'metal.sidero.dev/v1alpha2',
        kind: 'Server',
        metadata: { name, resourceVersion, uid: '00000000-0000-4000-8000-000000000000' },
        spec: { filler: FILLER },
        status: { written: n },
      }),
    );
    waits.worstMs = Math.max(waits.worstMs, performance.now() - startedMs);
  }
}

async function backupMeanwhile(store: Store): Promise<Waits> {
  const waits: Waits = { worstMs: 0, done: OBJECTS };
  let isOver = false;
  const writers = Array.from({ length: WRITERS }, async () => {
    while (!isOver) await write(store, waits, waits.done + 1);
  });
  const { bytes } = writeBackup({ store, files: [], version: 'bench', time: '' });
  for await (const _ of bytes);
  isOver = true;
  await Promise.all(writers);
  return waits;
}
