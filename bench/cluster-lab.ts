import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteClient, loadKubeconfig, type RemoteClient } from '@bloomery/kube';
import { fakeCluster, fakeMachine, fakeMachineTemplate } from '@bloomery/lab';
import type { Json, KindRef, KubeObject } from '@bloomery/model';
import { cluster, machine, machineDeployment, talosConfigTemplate, talosControlPlane } from '@bloomery/model';
import { startPlane } from './plane-process.ts';

/** A real plane with instant machines beside it, each a process of its own. */
export interface ClusterLab extends AsyncDisposable {
  readonly client: RemoteClient;
  /** Of the plane. */
  readonly pid: number;
  /** MiB that the plane holds in memory. */
  residentMiB(): number;
  /** CPU seconds of the plane so far. */
  cpuSeconds(): number;
}

const READY_WITHIN_MS = 30_000;
const DEADLINE_MS = 900_000;
/** Ticks of /proc/PID/stat in a second. */
const TICKS = 100;

/** Start both. */
export async function startClusterLab(): Promise<ClusterLab> {
  await using cleanup = new AsyncDisposableStack();
  const home = mkdtempSync(join(tmpdir(), 'bench-clusters-'));
  cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
  const plane = cleanup.use(await startPlane(home));
  const client = cleanup.use(createRemoteClient(await loadKubeconfig(plane.kubeconfig)));
  await startInstant(plane.kubeconfig, cleanup);
  const owned = cleanup.move();
  return {
    client,
    pid: plane.pid,
    residentMiB: () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(read(plane.pid, 'status'))?.[1]) / 1024,
    cpuSeconds: () => {
      const fields = read(plane.pid, 'stat').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / TICKS;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const read = (pid: number, file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');

async function startInstant(kubeconfig: string, cleanup: AsyncDisposableStack): Promise<void> {
  const main = join(import.meta.dirname, '../packages/lab/src/instant/main.ts');
  const child = spawn(process.execPath, [main, '--kubeconfig', kubeconfig], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  cleanup.defer(async () => {
    child.kill('SIGTERM');
    await gone;
  });
  const ready = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  await Promise.race([ready, delay(READY_WITHIN_MS).then(() => Promise.reject(new Error('no instant machines')))]);
}

/** What a cluster is made with. */
export interface BenchCluster {
  readonly name: string;
  readonly controlPlanes: number;
  readonly workers: number;
}

const VERSION = 'v1.33.0';
const TALOS_VERSION = 'v1.11';

/** Apply everything that a user would. */
export async function createCluster(client: RemoteClient, source: BenchCluster): Promise<void> {
  for (const [kind, spec, suffix] of manifests(source)) {
    const object = {
      apiVersion: `${kind.group}/${kind.version}`,
      kind: kind.kind,
      metadata: { name: `${source.name}${suffix}`, namespace: 'default' },
      spec,
    };
    await client.create(kind, object as unknown as KubeObject);
  }
}

function manifests({ name, controlPlanes, workers }: BenchCluster): readonly (readonly [KindRef, Json, string])[] {
  const ref = (kind: KindRef, suffix: string) => ({
    apiVersion: `${kind.group}/${kind.version}`,
    kind: kind.kind,
    name: `${name}${suffix}`,
    namespace: 'default',
  });
  const config = (generateType: string) => ({ generateType, talosVersion: TALOS_VERSION });
  const template = {
    clusterName: name,
    version: VERSION,
    bootstrap: { configRef: ref(talosConfigTemplate, '-workers') },
    infrastructureRef: ref(fakeMachineTemplate, ''),
  };
  const deployment = {
    clusterName: name,
    replicas: workers,
    selector: {},
    template: { spec: template },
  };
  const controlPlane = {
    replicas: controlPlanes,
    version: VERSION,
    infrastructureTemplate: ref(fakeMachineTemplate, ''),
    controlPlaneConfig: { controlplane: config('controlplane') },
  };
  return [
    [cluster, { infrastructureRef: ref(fakeCluster, ''), controlPlaneRef: ref(talosControlPlane, '-cp') }, ''],
    [fakeCluster, {}, ''],
    [fakeMachineTemplate, { template: { spec: {} } }, ''],
    [talosControlPlane, controlPlane, '-cp'],
    ...(workers === 0
      ? []
      : ([
          [talosConfigTemplate, { template: { spec: config('worker') } }, '-workers'],
          [machineDeployment, deployment, '-workers'],
        ] as const)),
  ];
}

/** Seconds until this holds. @throws Error after a quarter of an hour */
export async function secondsUntil(what: string, holds: () => Promise<boolean>): Promise<number> {
  const startedMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedMs > DEADLINE_MS)
      throw new Error(`after ${DEADLINE_MS / 1000} s still not: ${what}`);
    await delay(50);
  }
  return (performance.now() - startedMs) / 1000;
}

/** Exactly so many Machines of a cluster are there, all Running, all of this version when one is given. */
export async function allRunning(
  client: RemoteClient,
  name: string,
  wanted: { readonly count: number; readonly version?: string; readonly labels?: string },
): Promise<boolean> {
  const labels = `cluster.x-k8s.io/cluster-name=${name}${wanted.labels === undefined ? '' : `,${wanted.labels}`}`;
  const { items } = await client.list(machine, { namespace: 'default', labels });
  const isDone = (one: (typeof items)[number]): boolean =>
    one.status?.phase === 'Running' && (wanted.version === undefined || one.spec?.version === wanted.version);
  return items.length === wanted.count && items.every(isDone);
}

/** Nothing of any cluster is left. */
export async function nothingLeft(client: RemoteClient): Promise<boolean> {
  const kinds: readonly KindRef[] = [cluster, machine, fakeMachine, fakeCluster];
  for (const kind of kinds) {
    if ((await client.list(kind, { namespace: 'default' })).items.length > 0) return false;
  }
  return true;
}
