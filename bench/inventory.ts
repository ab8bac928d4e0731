import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteClient, loadKubeconfig, type RemoteClient } from '@bloomery/kube';
import { server, serverClass } from '@bloomery/model';
import type { BenchResult } from './bench-result.ts';
import { startPlane } from './plane-process.ts';

const SERVERS = 1_000;
const CLASSES = 10;
const WRITERS = 16;
const DEADLINE_MS = 120_000;
const TICKS_PER_SECOND = 100;

/**
 * A rack that appears at once: Servers created over HTTPS until each has its finalizer, phase and place in ten ServerClasses.
 * Sidero Metal's figures on a machine of this size: 199 s for the Servers, 191 CPU seconds for the classes.
 */
export async function benchInventory(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const home = mkdtempSync(join(tmpdir(), 'bench-inventory-'));
  try {
    await using plane = await startPlane(home);
    await using client = createRemoteClient(await loadKubeconfig(plane.kubeconfig));
    const withoutClassesS = await timeServers(client, 'a');
    say(`inventory: ${SERVERS} Servers reconciled in ${withoutClassesS.toFixed(1)} s`);
    await createClasses(client);
    const before = cpuSeconds(plane.pid);
    const withClassesS = await timeServers(client, 'b');
    await classesHold(client, 2 * SERVERS);
    const cpu = cpuSeconds(plane.pid) - before;
    say(
      `inventory: ${SERVERS} more with ${CLASSES} ServerClasses in ${withClassesS.toFixed(1)} s, ${cpu.toFixed(1)} CPU s`,
    );
    return [
      {
        name: `${SERVERS} Servers created and reconciled`,
        unit: 's',
        ours: withoutClassesS,
        target: { atMost: 10 },
        note: 'Sidero Metal: 199 s',
      },
      {
        name: `${SERVERS} Servers into ${CLASSES} ServerClasses, CPU`,
        unit: 's',
        ours: cpu,
        target: { atMost: 20 },
        note: 'Sidero Metal: 191 s',
      },
    ];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Seconds from the first create until every Server of this batch has its phase. */
async function timeServers(client: RemoteClient, batch: string): Promise<number> {
  const startedMs = performance.now();
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < SERVERS) await client.create(server, serverObject(batch, next++));
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  await until(async () => {
    const { items } = await client.list(server, { labels: `batch=${batch}` });
    return items.every(({ metadata, status }) => (metadata.finalizers?.length ?? 0) > 0 && status?.phase !== undefined);
  });
  return (performance.now() - startedMs) / 1000;
}

function serverObject(batch: string, index: number) {
  const digits = index.toString(16).padStart(12, '0');
  return {
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Server',
    metadata: {
      name: `${batch.padStart(8, '0')}-0000-4000-8000-${digits}`,
      labels: { batch, rack: `r${index % CLASSES}` },
    },
    spec: { accepted: true, hardware: { system: { manufacturer: 'Bench', productName: `P${index % CLASSES}` } } },
  };
}

async function createClasses(client: RemoteClient): Promise<void> {
  for (let i = 0; i < CLASSES; i++) {
    const half = i % 2 === 0;
    await client.create(serverClass, {
      apiVersion: 'metal.sidero.dev/v1alpha2',
      kind: 'ServerClass',
      metadata: { name: `class-${i}` },
      spec: half
        ? { qualifiers: { hardware: [{ system: { manufacturer: 'Bench', productName: `P${i}` } }] } }
        : { qualifiers: {}, selector: { matchLabels: { rack: `r${i}` } } },
    });
  }
}

/** Every class holds its tenth of all Servers. */
function classesHold(client: RemoteClient, servers: number): Promise<void> {
  return until(async () => {
    const { items } = await client.list(serverClass);
    const ours = items.filter(({ metadata }) => metadata.name.startsWith('class-'));
    return ours.length === CLASSES && ours.every(({ status }) => status?.totalCount === servers / CLASSES);
  });
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  const startedMs = performance.now();
  while (!(await isDone())) {
    if (performance.now() - startedMs > DEADLINE_MS) throw new Error('the plane did not come to rest');
    await delay(200);
  }
}

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
