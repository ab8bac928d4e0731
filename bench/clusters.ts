import { setTimeout as delay } from 'node:timers/promises';
import { ANNOTATION_FAULT, fakeMachine } from '@bloomery/lab';
import { cluster, type JsonObject, type KindRef, machine, machineDeployment, talosControlPlane } from '@bloomery/model';
import type { BenchResult } from './bench-result.ts';
import {
  allRunning,
  type ClusterLab,
  createCluster,
  nothingLeft,
  secondsUntil,
  startClusterLab,
} from './cluster-lab.ts';

const NEXT_VERSION = 'v1.34.0';
const CP = 'cluster.x-k8s.io/control-plane';
const MANY = 100;
const SETTLE_MS = 10_000;
const IDLE_MS = 30_000;
const NAME = 'one';
/** Upstream (Cluster API 1.10.9, CABPT 0.6.11, CACPPT 0.5.12 on a real kube-apiserver), on a 2-core machine as ours. */
const UPSTREAM = {
  made: 33.4,
  up: 2.7,
  down: 17.5,
  rolled: 42.1,
  workers: 7.5,
  replaced: 3.9,
  deleted: 5.1,
  memory: 827,
};

type Say = (line: string) => void;

/** A cluster's life on instant machines: what the plane alone needs for each change, and its memory with one and with 100. */
export async function benchClusters(say: Say): Promise<readonly BenchResult[]> {
  const results = await oneCluster(say);
  return [...results, ...(await manyClusters(say))];
}

async function oneCluster(say: Say): Promise<readonly BenchResult[]> {
  await using lab = await startClusterLab();
  const { client } = lab;
  const timed = async (what: string, run: () => Promise<unknown>, holds: () => Promise<boolean>): Promise<number> => {
    await run();
    const seconds = await secondsUntil(what, holds);
    say(`clusters: ${what}: ${seconds.toFixed(1)} s`);
    await quiet();
    return seconds;
  };
  const size = (replicas: number) => () => change(lab, talosControlPlane, `${NAME}-cp`, { spec: { replicas } });
  const running = (count: number, version?: string) => () =>
    allRunning(client, NAME, { count, ...(version === undefined ? {} : { version }) });
  const ofControlPlane = (count: number, version?: string) => () =>
    allRunning(client, NAME, { count, labels: CP, ...(version === undefined ? {} : { version }) });

  const made = await timed(
    '3 + 2 running',
    () => createCluster(client, { name: NAME, controlPlanes: 3, workers: 2 }),
    running(5),
  );
  const oneResident = lab.residentMiB();
  const idleFrom = lab.cpuSeconds();
  await delay(IDLE_MS);
  const idle = ((lab.cpuSeconds() - idleFrom) / IDLE_MS) * 1e5;
  const up = await timed('3 to 5', size(5), ofControlPlane(5));
  const down = await timed('5 to 3', size(3), ofControlPlane(3));
  const rolled = await timed(
    'roll of 3 control planes',
    () => change(lab, talosControlPlane, `${NAME}-cp`, { spec: { version: NEXT_VERSION } }),
    ofControlPlane(3, NEXT_VERSION),
  );
  const template = { spec: { template: { spec: { version: NEXT_VERSION } } } };
  const workers = await timed(
    'roll of 2 workers',
    () => change(lab, machineDeployment, `${NAME}-workers`, template),
    running(5, NEXT_VERSION),
  );
  const victim = await anyControlPlane(lab);
  const replaced = await timed(
    'replace a dead control plane',
    () => kill(lab, victim),
    async () => {
      const { items } = await client.list(machine, { namespace: 'default', labels: CP });
      return !items.some(({ metadata }) => metadata.name === victim) && (await ofControlPlane(3)());
    },
  );
  const deleted = await timed(
    'delete',
    () => client.delete(cluster, { name: NAME, namespace: 'default' }),
    () => nothingLeft(client),
  );
  const figure = (name: string, ours: number, upstream: number, atMostS: number): BenchResult => {
    const peer = { name: 'upstream', value: upstream };
    return {
      name: `clusters: ${name}`,
      unit: 's',
      ours,
      peer,
      target: { atMost: ratio(atMostS / upstream) },
      note: `goal ${atMostS} s`,
    };
  };
  return [
    figure('3 control planes and 2 workers running', made, UPSTREAM.made, 8),
    figure('control plane 3 to 5', up, UPSTREAM.up, UPSTREAM.up),
    figure('control plane 5 to 3', down, UPSTREAM.down, 6),
    figure('roll of 3 control planes', rolled, UPSTREAM.rolled, 15),
    figure('roll of 2 workers', workers, UPSTREAM.workers, UPSTREAM.workers),
    figure('a dead control plane replaced', replaced, UPSTREAM.replaced, UPSTREAM.replaced),
    figure('deletion', deleted, UPSTREAM.deleted, 3),
    {
      name: 'clusters: whole plane, resident, one cluster',
      unit: 'MiB',
      ours: oneResident,
      peer: { name: 'upstream', value: UPSTREAM.memory },
      target: { atMost: ratio(200 / UPSTREAM.memory) },
      note: 'goal 200 MiB',
    },
    { name: 'clusters: idle CPU, one cluster', unit: '%', ours: idle, target: { atMost: 5 } },
  ];
}

async function manyClusters(say: Say): Promise<readonly BenchResult[]> {
  await using lab = await startClusterLab();
  const names = Array.from({ length: MANY }, (_, i) => `many-${i}`);
  const startedMs = performance.now();
  for (const name of names) await createCluster(lab.client, { name, controlPlanes: 3, workers: 2 });
  say(`clusters: ${MANY} created in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  await secondsUntil(`${MANY} clusters running`, async () => {
    const { items } = await lab.client.list(machine, { namespace: 'default' });
    const done = items.filter(({ status }) => status?.phase === 'Running').length;
    await delay(1_000);
    return done === 5 * MANY;
  });
  const tookS = (performance.now() - startedMs) / 1000;
  say(`clusters: ${MANY} running after ${tookS.toFixed(1)} s, ${lab.cpuSeconds().toFixed(1)} CPU seconds`);
  await delay(SETTLE_MS);
  const resident = lab.residentMiB();
  const idleFrom = lab.cpuSeconds();
  await delay(IDLE_MS);
  const idle = ((lab.cpuSeconds() - idleFrom) / IDLE_MS) * 1e5;
  return [
    { name: `clusters: ${MANY} of 3 + 2 running`, unit: 's', ours: tookS },
    {
      name: `clusters: whole plane, resident, ${MANY} clusters of 5`,
      unit: 'MiB',
      ours: resident,
      target: { atMost: 400 },
    },
    { name: `clusters: idle CPU, ${MANY} clusters of 5`, unit: '%', ours: idle },
  ];
}

/** For the table: three digits are enough. */
const ratio = (value: number): number => Math.round(value * 1_000) / 1_000;

/** The change before has come to rest: what it left behind is no part of the next figure. */
const quiet = (): Promise<void> => delay(3_000);

async function change({ client }: ClusterLab, kind: KindRef, name: string, body: JsonObject): Promise<void> {
  await client.patch(kind, { name, namespace: 'default' }, { type: 'merge', body });
}

async function anyControlPlane({ client }: ClusterLab): Promise<string> {
  const { items } = await client.list(machine, { namespace: 'default', labels: CP });
  const found = items[0]?.metadata.name;
  if (found === undefined) throw new Error('no control plane machine');
  return found;
}

/** The machine goes dark, and somebody deletes its Machine: upstream was measured so. */
async function kill(lab: ClusterLab, name: string): Promise<void> {
  await change(lab, fakeMachine, name, { metadata: { annotations: { [ANNOTATION_FAULT]: 'dead' } } });
  await lab.client.delete(machine, { name, namespace: 'default' });
}
