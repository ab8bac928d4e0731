import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { median } from '../bench-result.ts';
import { BENCH_GROUP, BENCH_PATH, benchCrd, benchName, RACK_SIZE } from './bench-objects.ts';
import { ask, type BenchServer, cpuSeconds, residentMiB, type StartServer } from './bench-servers.ts';
import type { LoadFigures } from './load-jobs.ts';
import { type LoadProcess, startLoadProcess } from './load-process.ts';
import type { WatchFigures } from './watchers.ts';

/** How much is done to a server in one run. */
export interface BenchSize {
  readonly objects: number;
  readonly writers: number;
  readonly patches: number;
  readonly gets: number;
  readonly watchers: number;
  readonly watchedPatches: number;
  readonly contended: number;
  readonly idleMs: number;
}

/** Issue 4's size. */
export const FULL_SIZE: BenchSize = {
  objects: 10_000,
  writers: 8,
  patches: 5000,
  gets: 10_000,
  watchers: 50,
  watchedPatches: 2000,
  contended: 300,
  idleMs: 10_000,
};

/** Figures of one server in one run, by name. */
export type Figures = Readonly<Record<string, number>>;

/** Measure a server from an empty store to a full one, over a restart, and back. */
export async function measureServer(
  startServer: StartServer,
  dir: string,
  size: BenchSize,
  say: (line: string) => void,
): Promise<Figures> {
  const figures: Record<string, number> = {};
  const load = startLoadProcess();
  const watchLoad = startLoadProcess();
  try {
    {
      await using server = await startServer(dir);
      figures['readyEmptyMs'] = server.readyMs;
      await install(server);
      await delay(3000);
      figures['emptyMiB'] = residentMiB(server.pids);
      await load.run({ do: 'connect', target: server.target, connections: size.writers });
      await measureLoad(server, load, watchLoad, size, figures);
    }
    await using server = await startServer(dir);
    figures['readyFullMs'] = server.readyMs;
    await delay(3000);
    const before = cpuSeconds(server.pids);
    await delay(size.idleMs);
    figures['idlePercent'] = ((cpuSeconds(server.pids) - before) / (size.idleMs / 1000)) * 100;
    await load.run({ do: 'connect', target: server.target, connections: 1 });
    figures['deleteAllS'] = await load.run<number>({ do: 'deleteAll' });
  } finally {
    load.end();
    watchLoad.end();
    rmSync(dir, { recursive: true, force: true });
  }
  say(
    Object.entries(figures)
      .map(([name, value]) => `${name} ${value >= 100 ? Math.round(value) : value.toPrecision(3)}`)
      .join(', '),
  );
  return figures;
}

async function measureLoad(
  server: BenchServer,
  load: LoadProcess,
  watchLoad: LoadProcess,
  size: BenchSize,
  figures: Record<string, number>,
): Promise<void> {
  const { objects } = size;
  const timed = async (name: string, job: Promise<LoadFigures>): Promise<void> => {
    const before = cpuSeconds(server.pids);
    const { perSecond, p50, p99, count } = await job;
    figures[`${name}PerS`] = perSecond;
    figures[`${name}P50Ms`] = p50;
    figures[`${name}P99Ms`] = p99;
    figures[`${name}CpuMicros`] = ((cpuSeconds(server.pids) - before) * 1e6) / count;
  };
  await timed('create', load.run({ do: 'create', count: objects, racks: Math.max(1, objects / RACK_SIZE) }));
  await timed('patch', load.run({ do: 'patch', count: size.patches, objects }));
  await timed('get', load.run({ do: 'get', count: size.gets, objects }));
  const times = async (count: number, run: () => Promise<number>): Promise<number> => {
    const found: number[] = [];
    for (let i = 0; i < count; i++) found.push(await run());
    return median(found);
  };
  figures['listMs'] = await times(7, () => load.run({ do: 'list', query: '' }));
  figures['listByLabelMs'] = await times(15, () => load.run({ do: 'list', query: '?labelSelector=rack%3Dr-7' }));
  figures['listPagedMs'] = await times(3, () => load.run({ do: 'pages', limit: 500 }));
  figures['loadedMiB'] = residentMiB(server.pids);
  await measureWatches(server, load, watchLoad, size, figures);
  await timed('contend', load.run({ do: 'contend', count: size.contended }));
  await load.run({ do: 'connect', target: server.target, connections: size.writers, http2: true });
  await timed('http2Patch', load.run({ do: 'patch', count: size.patches / 2, objects }));
  await timed('http2Get', load.run({ do: 'get', count: size.gets / 2, objects }));
  figures['endMiB'] = residentMiB(server.pids);
}

async function measureWatches(
  { target, pids }: BenchServer,
  load: LoadProcess,
  watchLoad: LoadProcess,
  { watchers, watchedPatches, objects }: BenchSize,
  figures: Record<string, number>,
): Promise<void> {
  const { text } = await ask(target, 'GET', `${BENCH_PATH}?limit=1`);
  const list: { metadata: { resourceVersion: string } } = JSON.parse(text);
  await watchLoad.run({ do: 'watch', target, watchers, resourceVersion: list.metadata.resourceVersion });
  const before = cpuSeconds(pids);
  const patched = await load.run<LoadFigures>({ do: 'patch', count: watchedPatches, objects });
  const seen = await watchLoad.run<WatchFigures>({ do: 'unwatch', events: watchers * watchedPatches });
  figures['watchEventsPerS'] = seen.perSecond;
  figures['watchP50Ms'] = seen.p50;
  figures['watchP99Ms'] = seen.p99;
  figures['watchPatchPerS'] = patched.perSecond;
  figures['watchCpuMicros'] = ((cpuSeconds(pids) - before) * 1e6) / seen.events;
}

/** The kind, and somebody who may use it. */
async function install({ target }: BenchServer): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const metadata = { name: 'bench' };
  const rules = [{ apiGroups: [BENCH_GROUP], resources: ['servers', 'servers/status'], verbs: ['*'] }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'bench' };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'bench-users' }];
  const objects: readonly (readonly [path: string, body: object])[] = [
    ['/apis/apiextensions.k8s.io/v1/customresourcedefinitions', benchCrd()],
    [`${rbac}/clusterroles`, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata, rules }],
    [
      `${rbac}/clusterrolebindings`,
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata, roleRef, subjects },
    ],
  ];
  for (const [path, body] of objects) {
    const { status, text } = await ask(target, 'POST', path, undefined, body);
    if (status !== 201) throw new Error(`${path}: ${status} ${text}`);
  }
  const untilMs = performance.now() + 30_000;
  const probe = `${BENCH_PATH}/${benchName(0)}`;
  for (;;) {
    const { status, text } = await ask(target, 'GET', probe, target.token);
    // A 404 about the object: the kind is served.
    if (status === 404 && text.includes('"name"')) return;
    if (performance.now() > untilMs) throw new Error(`the kind is not served: ${status} ${text}`);
    await delay(50);
  }
}
