import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteClient, loadKubeconfig } from '@bloomery/kube';
import { configMap } from '@bloomery/model';
import { type BenchResult, median } from './bench-result.ts';
import { startPlane } from './plane-process.ts';

const ROUNDS = 5;
const IDLE_MS = 5_000;
const WRITERS = 8;
const CREATES = 2_000;

/** The whole plane: from the start of the process to ready, its memory when idle, and durable writes over HTTPS. */
export async function benchPlane(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const ready: number[] = [];
  const resident: number[] = [];
  const creates: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const home = mkdtempSync(join(tmpdir(), 'bench-plane-'));
    try {
      await using plane = await startPlane(home);
      await delay(IDLE_MS);
      // The first round fills the compile cache, as the first start after an installation does.
      if (round === 0) continue;
      ready.push(plane.readyMs / 1000);
      resident.push(residentMiB(plane.pid));
      if (round === ROUNDS) creates.push(await createsPerSecond(plane.kubeconfig));
      say(`plane: round ${round} of ${ROUNDS}: ready in ${plane.readyMs} ms`);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }
  return [
    { name: 'plane ready on an empty directory', unit: 's', ours: median(ready), target: { atMost: 2 } },
    { name: 'idle plane, resident', unit: 'MiB', ours: median(resident), target: { atMost: 150 } },
    { name: `durable creates over HTTPS, ${WRITERS} writers`, unit: '/s', ours: median(creates) },
  ];
}

function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

async function createsPerSecond(kubeconfig: string): Promise<number> {
  await using client = createRemoteClient(await loadKubeconfig(kubeconfig));
  const startedMs = performance.now();
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < CREATES) {
      const name = `bench-${next++}`;
      await client.create(configMap, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: 'default' },
        data: { name },
      });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return CREATES / ((performance.now() - startedMs) / 1000);
}
