import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  createFollowedKinds,
  createKindResolver,
  createObjectCache,
  findObject,
  startControllers,
} from '@bloomery/kube';
import { openStore, startApiEngine } from '@bloomery/kubeapi';
import type { JsonObject, KindDefinition, KubeObject } from '@bloomery/model';
import {
  allKinds,
  apiVersionOf,
  cluster,
  clusterV1beta2,
  crdOf,
  isJsonObject,
  machine,
  machineV1beta2,
} from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import { createClusterController } from './cluster/reconcile.ts';
import { createMachineController } from './machine/reconcile.ts';
import { at, DEFINITIONS, fakeKind, ownersOf } from './testing/fake-provider.ts';
import { createMemoryWorkloads } from './workload/testing/memory-workloads.ts';

const DEADLINE_MS = 20_000;
const random = (length: number): Uint8Array => randomBytes(length);

/** The embedded API on a new directory, with the core on it and nothing else. */
async function startCore() {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-core-'));
  const store = openStore({ dir, clock: systemClock, log: silentLog, random });
  const engine = await startApiEngine({ store, kinds: allKinds, clock: systemClock, log: silentLog, random });
  const { client } = engine;
  const stop = new AbortController();
  const cache = createObjectCache();
  const deps = { client, cache, clock: systemClock, log: silentLog, random: Math.random };
  const resolver = createKindResolver(deps, stop.signal);
  const kinds = { resolver, cache, followed: createFollowedKinds({ ...deps, resolver }, stop.signal) };
  const workloads = createMemoryWorkloads();
  const controllers = [createClusterController(kinds), createMachineController({ ...kinds, workloads })];
  const running = startControllers({ ...deps, controllers, events: { record() {} } }, stop.signal);
  await running.ready;
  // The system clock's timers do not keep the process alive.
  const alive = setInterval(() => {}, 1000);
  return {
    client,
    workloads,
    create: (kind: KindDefinition, name: string, spec: JsonObject): Promise<KubeObject> => {
      const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: at(name), spec };
      return client.create<KubeObject>(kind, object);
    },
    status: (kind: KindDefinition, name: string, status: JsonObject) =>
      client.patch(kind, at(name), { type: 'merge', body: { status } }, { subresource: 'status' }),
    install: (kind: KindDefinition, labels: JsonObject = {}): Promise<KubeObject> => {
      const { metadata, ...rest } = crdOf([kind]);
      const definition = { ...rest, metadata: { ...(isJsonObject(metadata) ? metadata : {}), labels } };
      return client.create<KubeObject>(DEFINITIONS, definition as unknown as KubeObject);
    },
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

const sheep = fakeKind('Sheep', 'sheep');
const ox = fakeKind('Ox', 'oxen');
const mouse = fakeKind('Mouse', 'mice', 'bootstrap.cluster.x-k8s.io');
const goose = fakeKind('Goose', 'geese', 'controlplane.cluster.x-k8s.io');

interface Contract {
  readonly name: string;
  readonly ready: JsonObject;
  readonly data: JsonObject;
  readonly served: JsonObject;
  readonly domains: JsonObject;
}

const contracts: readonly Contract[] = [
  {
    name: 'v1beta1',
    ready: { ready: true },
    data: { ready: true, dataSecretName: 'data' },
    served: { ready: true, initialized: true },
    domains: { failureDomains: { north: { controlPlane: true } } },
  },
  {
    name: 'v1beta2',
    ready: { initialization: { provisioned: true } },
    data: { initialization: { dataSecretCreated: true }, dataSecretName: 'data' },
    served: { initialization: { controlPlaneInitialized: true } },
    domains: { failureDomains: [{ name: 'north', controlPlane: true }] },
  },
];

describe('on the embedded API, kinds that a user brings make a cluster', () => {
  for (const contract of contracts) {
    it(`with the fields of contract ${contract.name}, installed after they were asked for`, async () => {
      await using plane = await startCore();
      const { client } = plane;
      const isNew = contract.name === 'v1beta2';
      const ref = (kind: KindDefinition, name: string): JsonObject =>
        isNew
          ? { apiGroup: kind.group, kind: kind.kind, name }
          : { apiVersion: `${kind.group}/v1alpha9`, kind: kind.kind, name };
      await plane.create(isNew ? clusterV1beta2 : cluster, 'c', {
        infrastructureRef: ref(sheep, 'c'),
        controlPlaneRef: ref(goose, 'c'),
      });
      await plane.create(isNew ? machineV1beta2 : machine, 'm', {
        clusterName: 'c',
        bootstrap: { configRef: ref(mouse, 'm') },
        infrastructureRef: ref(ox, 'm'),
      });
      const reason = async () => (await client.get(cluster, at('c'))).status?.conditions?.[0]?.reason;
      await plane.until('the missing type is said', async () => (await reason()) === 'WaitingForInfrastructure');

      for (const kind of [sheep, ox, mouse, goose])
        await plane.install(kind, { [`cluster.x-k8s.io/${contract.name}`]: 'v1beta1' });
      await plane.create(sheep, 'c', { controlPlaneEndpoint: { host: '10.0.0.1', port: 6443 } });
      await plane.create(goose, 'c', {});
      await plane.create(ox, 'm', { providerID: 'ox://m' });
      await plane.create(mouse, 'm', {});
      await plane.status(sheep, 'c', { ...contract.ready, ...contract.domains });
      await plane.status(goose, 'c', contract.served);
      await plane.status(mouse, 'm', contract.data);
      await plane.status(ox, 'm', { ...contract.ready, addresses: [{ type: 'InternalIP', address: '10.0.0.2' }] });
      await plane.until('the Machine is provisioned', async () => {
        const found = await client.get(machine, at('m'));
        return found.status?.phase === 'Provisioned' && found.spec?.providerID === 'ox://m';
      });
      await plane.until('the Cluster is ready', async () => (await reason()) === undefined);
      const c = await client.get(cluster, at('c'));
      assert.equal(c.status?.phase, 'Provisioned');
      assert.deepEqual(c.status?.failureDomains, { north: { controlPlane: true } });
      assert.equal(
        c.spec?.infrastructureRef?.apiVersion,
        `${sheep.group}/v1beta1`,
        'the version is one that is served',
      );
      assert.deepEqual(ownersOf(await client.get(goose, at('c'))), ['Cluster/c!']);
      assert.deepEqual(ownersOf(await client.get(ox, at('m'))), ['Machine/m!']);

      const shown = await client.get(clusterV1beta2, at('c'));
      assert.deepEqual(shown.spec?.infrastructureRef, { apiGroup: sheep.group, kind: 'Sheep', name: 'c' });
      assert.deepEqual(shown.status?.initialization, {
        infrastructureProvisioned: true,
        controlPlaneInitialized: true,
      });

      await client.delete(cluster, at('c'));
      await plane.until('all of it is gone', async () => {
        const kinds: readonly KindDefinition[] = [cluster, machine, sheep, ox, mouse, goose];
        const lists = await Promise.all(kinds.map((kind) => client.list<KubeObject>(kind)));
        return lists.every(({ items }) => items.length === 0);
      });
    });
  }

  it('and a type that is taken away does not hold up a deletion', async () => {
    await using plane = await startCore();
    const { client } = plane;
    await plane.install(ox);
    await plane.create(cluster, 'c', {});
    await plane.create(ox, 'm', {});
    const infrastructureRef = { apiVersion: apiVersionOf(ox), kind: 'Ox', name: 'm' };
    await plane.create(machine, 'm', { clusterName: 'c', bootstrap: { dataSecretName: 'x' }, infrastructureRef });
    await plane.until('the Ox is claimed', async () => ownersOf(await client.get(ox, at('m'))).length > 0);
    await client.delete(DEFINITIONS, { name: `oxen.${ox.group}` });
    await client.delete(machine, at('m'));
    await plane.until('it is gone', async () => (await findObject(client, machine, at('m'))) === undefined);
  });

  it('and a Cluster with a topology is refused with what to do instead', async () => {
    await using plane = await startCore();
    await assert.rejects(
      plane.create(cluster, 'c', { topology: { class: 'x', version: 'v1.33.0' } }),
      (error: Error) => {
        assert.match(
          error.message,
          /spec.topology: Forbidden: ClusterClasses are not offered here; name spec.infrastructureRef/,
        );
        return true;
      },
    );
  });
});
