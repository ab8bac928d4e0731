import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  createFollowedKinds,
  createKindResolver,
  createObjectCache,
  findObject,
  startControllers,
} from '@bloomery/kube';
import { openStore, startApiEngine } from '@bloomery/kubeapi';
import type { JsonObject, KindDefinition, KubeObject, ObjectKey } from '@bloomery/model';
import {
  allKinds,
  apiVersionOf,
  cluster,
  machine,
  metalCluster,
  metalMachine,
  metalMachineV1alpha2,
  server,
  serverBinding,
  serverClass,
  serverV1alpha1,
  talosConfig,
} from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import {
  createMetalMachineController,
  createServerBindingController,
  createServerClassController,
} from '../allocation/index.ts';
import { createClusterController } from './cluster/reconcile.ts';
import { createMachineController } from './machine/reconcile.ts';
import { createMetalClusterController } from './metal-cluster/reconcile.ts';
import { noWorkloads } from './workload/testing/no-workloads.ts';

const DEADLINE_MS = 20_000;
const random = (length: number): Uint8Array => randomBytes(length);
const at = (name: string): ObjectKey => ({ name, namespace: 'default' });
const ref = (kind: KindDefinition, name: string) => ({ apiVersion: apiVersionOf(kind), kind: kind.kind, name });

/** The embedded API on a new directory with the controllers of allocation and clusters on it. */
async function startPlane() {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-clusters-'));
  const store = openStore({ dir, clock: systemClock, log: silentLog, random });
  const engine = await startApiEngine({ store, kinds: allKinds, clock: systemClock, log: silentLog, random });
  const { client } = engine;
  const stop = new AbortController();
  const cache = createObjectCache();
  const deps = { client, cache, clock: systemClock, log: silentLog, random: Math.random };
  const resolver = createKindResolver(deps, stop.signal);
  const kinds = { resolver, cache, followed: createFollowedKinds({ ...deps, resolver }, stop.signal) };
  const controllers = [
    createClusterController(kinds),
    createMetalClusterController(),
    createMachineController({ ...kinds, workloads: noWorkloads }),
    createServerClassController(),
    createMetalMachineController(),
    createServerBindingController(),
  ];
  const running = startControllers({ ...deps, controllers, events: { record() {} } }, stop.signal);
  await running.ready;
  // The system clock's timers do not keep the process alive.
  const alive = setInterval(() => {}, 1000);
  return {
    client,
    async create(kind: KindDefinition, name: string, spec: JsonObject): Promise<void> {
      const metadata = kind.scope === 'Cluster' ? { name } : at(name);
      const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, spec };
      await client.create<KubeObject>(kind, object);
    },
    status: (kind: KindDefinition, key: ObjectKey, status: JsonObject) =>
      client.patch(kind, key, { type: 'merge', body: { status } }, { subresource: 'status' }),
    async until(what: string, holds: () => Promise<boolean>): Promise<void> {
      const deadline = performance.now() + DEADLINE_MS;
      while (!(await holds())) {
        if (performance.now() > deadline) assert.fail(`not within ${DEADLINE_MS} ms: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(alive);
      stop.abort();
      await running[Symbol.asyncDispose]();
      engine.stop();
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

it('on the embedded API, a cluster of one machine comes up through its gates and goes without a trace', async () => {
  await using plane = await startPlane();
  const { client } = plane;
  await plane.create(cluster, 'c', { infrastructureRef: ref(metalCluster, 'mc') });
  await plane.create(metalCluster, 'mc', { controlPlaneEndpoint: { host: '10.0.0.1', port: 6443 } });
  await plane.create(talosConfig, 'tc', { generateType: 'none', data: 'version: v1alpha1' });
  await plane.create(metalMachine, 'mm', { serverClassRef: ref(serverClass, 'any') });
  await plane.create(machine, 'm', {
    clusterName: 'c',
    bootstrap: { configRef: ref(talosConfig, 'tc') },
    infrastructureRef: ref(metalMachine, 'mm'),
  });
  await plane.create(server, 's', { accepted: true, hardware: { memory: { totalSize: '8 GB' } } });

  const reason = async (): Promise<string | undefined> =>
    (await findObject(client, metalMachine, at('mm')))?.status?.conditions?.find((c) => c.type === 'Ready')?.reason;
  await plane.until('bootstrap data is awaited', async () => (await reason()) === 'WaitingForBootstrapData');
  await plane.status(talosConfig, at('tc'), { initialization: { dataSecretCreated: true }, dataSecretName: 'm-data' });
  await plane.until('a clean Server is awaited', async () => (await reason()) === 'NoServerAvailable');
  await plane.status(server, { name: 's' }, { isClean: true });
  await plane.until('the Machine has its provider id', async () => {
    const found = await client.get(machine, at('m'));
    return found.spec?.providerID === 'sidero://s' && found.status?.phase === 'Provisioned';
  });
  assert.equal((await client.get(cluster, at('c'))).status?.phase, 'Provisioned');
  assert.equal((await client.get(serverClass, { name: 'any' })).status?.totalCount, 1);

  // An old manifest tool reads and writes through the old versions; nothing is lost by it.
  for (const [kind, old, key] of [
    [server, serverV1alpha1, { name: 's' }],
    [metalMachine, metalMachineV1alpha2, at('mm')],
  ] as const) {
    const before = await client.get<KubeObject>(kind, key);
    await client.update<KubeObject>(old, await client.get<KubeObject>(old, key));
    const {
      resourceVersion: _new,
      managedFields: _after,
      ...metadata
    } = (await client.get<KubeObject>(kind, key)).metadata;
    const { resourceVersion: _old, managedFields: _before, ...wanted } = before.metadata;
    assert.deepEqual(metadata, wanted);
    assert.deepEqual({ ...(await client.get<KubeObject>(kind, key)), metadata }, { ...before, metadata });
  }

  await client.delete(cluster, at('c'));
  await plane.until('everything is gone', async () => {
    const lists = await Promise.all(
      [cluster, machine, metalMachine, metalCluster, talosConfig, serverBinding].map((kind) =>
        client.list<KubeObject>(kind),
      ),
    );
    return lists.every(({ items }) => items.length === 0);
  });
  assert.equal((await client.get(server, { name: 's' })).status?.released?.metalMachine, 'default/mm');
});
