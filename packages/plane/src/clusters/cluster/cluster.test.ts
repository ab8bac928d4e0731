import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findCondition } from '@bloomery/kube';
import { createMemoryClient, type MemoryClient } from '@bloomery/kube/testing';
import type { JsonObject, KubeObject } from '@bloomery/model';
import { cluster, machine, machineDeployment, machineSet } from '@bloomery/model';
import { createFakeClock } from '@bloomery/ports';
import { startWorld } from '../../allocation/testing/world.ts';
import { createMachineController } from '../machine/reconcile.ts';
import { at, definitionOf, fakeKind, fakeProvider, ownersOf, refTo, seed } from '../testing/fake-provider.ts';
import { createMemoryWorkloads } from '../workload/testing/memory-workloads.ts';
import { createClusterController } from './reconcile.ts';

const field = fakeKind('Field', 'fields');
const ox = fakeKind('Ox', 'oxen');
const barn = fakeKind('Barn', 'barns', 'controlplane.cluster.x-k8s.io');
const definitions = [definitionOf(field), definitionOf(ox), definitionOf(barn)];
const both = { infrastructureRef: refTo(field, 'c'), controlPlaneRef: refTo(barn, 'c') };
const endpoint = { host: '10.0.0.1', port: 6443 };
const clusterSeed = (spec: JsonObject = both, metadata: JsonObject = {}) => seed(cluster, 'c', { spec }, metadata);
const parts = [seed(field, 'c', { spec: { controlPlaneEndpoint: endpoint } }), seed(barn, 'c', { spec: {} })];
const CONTROL_PLANE = { labels: { 'cluster.x-k8s.io/control-plane': '' } };
const machineSeed = (name: string, metadata: JsonObject = {}) =>
  seed(
    machine,
    name,
    { spec: { clusterName: 'c', bootstrap: { dataSecretName: 'x' }, infrastructureRef: refTo(ox, name) } },
    metadata,
  );

interface Options {
  readonly seeds?: readonly ReturnType<typeof seed>[];
  readonly field?: JsonObject;
  readonly barn?: JsonObject;
  readonly client?: MemoryClient;
  readonly log?: string[];
}

async function start(options: Options = {}) {
  const workloads = createMemoryWorkloads();
  const log = options.log ?? [];
  const infrastructure = options.field ?? { ready: true };
  const control = options.barn ?? { ready: true, initialized: true };
  const world = await startWorld(
    (kinds) => [
      createClusterController(kinds),
      createMachineController({ ...kinds, workloads }),
      fakeProvider(field, { owner: 'Cluster', log, answer: () => ({ status: infrastructure }) }),
      fakeProvider(barn, { owner: 'Cluster', log, answer: () => ({ status: control }) }),
      fakeProvider(ox, {
        owner: 'Machine',
        log,
        answer: ({ metadata: { name } }) => ({ spec: { providerID: `ox://${name}` }, status: { ready: true } }),
      }),
    ],
    options.client === undefined ? [...definitions, ...(options.seeds ?? [clusterSeed(), ...parts])] : [],
    options.client,
  );
  await world.settle();
  const look = () => world.find(cluster, at('c'));
  const condition = async (type: string) => findCondition((await look())?.status?.conditions, type);
  return { ...world, workloads, log, look, condition };
}

describe('a Cluster of a provider that nobody knows', () => {
  const contracts: [name: string, field: JsonObject, barn: JsonObject][] = [
    [
      'v1beta1',
      { ready: true, failureDomains: { north: { controlPlane: true, attributes: { a: 'b' } }, south: {} } },
      { ready: true, initialized: true },
    ],
    [
      'v1beta2',
      {
        initialization: { provisioned: true },
        failureDomains: [{ name: 'north', controlPlane: true, attributes: { a: 'b' } }, { name: 'south' }],
      },
      { initialization: { controlPlaneInitialized: true } },
    ],
  ];
  for (const [name, infrastructure, control] of contracts) {
    it(`claims its parts and carries what they say by contract ${name}`, async () => {
      await using w = await start({ field: infrastructure, barn: control });
      const c = await w.look();
      assert.deepEqual(c?.spec?.controlPlaneEndpoint, endpoint);
      assert.equal(c?.status?.infrastructureReady, true);
      assert.equal(c?.status?.controlPlaneReady, true);
      assert.deepEqual(c?.status?.failureDomains, {
        north: { controlPlane: true, attributes: { a: 'b' } },
        south: {},
      });
      assert.equal(c?.status?.phase, 'Provisioned');
      assert.equal(c?.status?.waitingFor, undefined);
      assert.equal((await w.condition('ControlPlaneInitialized'))?.status, 'True');
      assert.equal((await w.condition('Ready'))?.status, 'True');
      assert.deepEqual(ownersOf(await w.find(field, at('c'))), ['Cluster/c!']);
      assert.deepEqual(ownersOf(await w.find(barn, at('c'))), ['Cluster/c!']);
      assert.equal((await w.find(barn, at('c')))?.metadata.labels?.['cluster.x-k8s.io/cluster-name'], 'c');
      for (const reason of ['InfrastructureReady', 'ControlPlaneReady', 'ControlPlaneInitialized', 'Ready']) {
        assert.ok(w.events.includes(`Cluster default/c: ${reason}`), reason);
      }
    });
  }

  it('takes the endpoint of the control plane where the infrastructure has none', async () => {
    const seeds = [clusterSeed(), seed(field, 'c'), seed(barn, 'c', { spec: { controlPlaneEndpoint: endpoint } })];
    await using w = await start({ seeds });
    assert.deepEqual((await w.look())?.spec?.controlPlaneEndpoint, endpoint);
  });

  it('waits for the deepest cause, by its words', async () => {
    const conditions = [
      { type: 'Ready', status: 'False', reason: 'NoServerAvailable', message: '0 of 3 oxen are free' },
    ];
    await using w = await start({ barn: { ready: false, conditions, waitingFor: 'a free, clean server' } });
    const c = await w.look();
    assert.equal(c?.status?.phase, 'Provisioned');
    assert.equal(c?.status?.waitingFor, 'a free, clean server');
    const ready = await w.condition('Ready');
    assert.equal(ready?.reason, 'NoServerAvailable');
    assert.equal(ready?.message, 'Barn default/c: 0 of 3 oxen are free');
    assert.equal((await w.condition('ControlPlaneReady'))?.reason, 'NoServerAvailable');
    assert.ok(w.events.includes('Cluster default/c: NoServerAvailable'));
  });

  const waits: [
    name: string,
    seeds: readonly ReturnType<typeof seed>[],
    reason: string,
    message: RegExp,
    phase: string,
  ][] = [
    [
      'without its infrastructure',
      [clusterSeed(), seed(barn, 'c')],
      'WaitingForInfrastructure',
      /Field default\/c does not exist/,
      'Provisioning',
    ],
    [
      'with infrastructure of a kind that is not installed',
      [clusterSeed({ infrastructureRef: { ...refTo(field, 'c'), kind: 'Meadow' } })],
      'WaitingForInfrastructure',
      /no kind of Meadow default\/c is installed/,
      'Provisioning',
    ],
    [
      'without its control plane',
      [clusterSeed(), ...parts.slice(0, 1)],
      'WaitingForControlPlane',
      /Barn default\/c does not exist/,
      'Provisioned',
    ],
    [
      'of nothing',
      [clusterSeed({})],
      'WaitingForControlPlane',
      /neither a spec.controlPlaneRef nor a control plane Machine/,
      'Pending',
    ],
  ];
  for (const [name, seeds, reason, message, phase] of waits) {
    it(`${name} it waits and says so`, async () => {
      await using w = await start({ seeds });
      const ready = await w.condition('Ready');
      assert.equal(ready?.reason, reason);
      assert.match(ready?.message ?? '', message);
      assert.equal((await w.look())?.status?.phase, phase);
    });
  }

  it('of stand-alone Machines is initialized with the first control plane Node', async () => {
    const seeds = [clusterSeed({ infrastructureRef: both.infrastructureRef }), parts[0] ?? clusterSeed()];
    await using w = await start({ seeds: [...seeds, machineSeed('cp', CONTROL_PLANE), seed(ox, 'cp')] });
    assert.equal((await w.condition('ControlPlaneInitialized'))?.reason, 'MissingNodeRef');
    await w.workloads.join({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n' },
      spec: { providerID: 'ox://cp' },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
    await w.settle();
    assert.equal((await w.condition('ControlPlaneInitialized'))?.status, 'True');
    assert.equal((await w.condition('Ready'))?.status, 'True');
  });

  it('takes nothing from the infrastructure of another Cluster', async () => {
    const other = {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'Cluster',
      name: 'other',
      uid: 'u',
      controller: true,
    };
    const taken = seed(
      field,
      'c',
      { spec: { controlPlaneEndpoint: endpoint }, status: { ready: true } },
      { ownerReferences: [other] },
    );
    await using w = await start({ seeds: [clusterSeed(), taken, seed(barn, 'c')] });
    assert.equal((await w.condition('Ready'))?.reason, 'ReferenceTaken');
    assert.equal((await w.look())?.status?.infrastructureReady, false);
    await w.client.delete(cluster, at('c'));
    await w.settle();
    assert.equal(await w.look(), undefined);
    assert.notEqual(await w.find(field, at('c')), undefined);
  });

  it('that somebody else’s finalizer keeps says so when all of it is gone', async () => {
    await using w = await start();
    const finalizers = ['cluster.cluster.x-k8s.io', 'example.com/mine'];
    await w.client.patch(cluster, at('c'), { type: 'merge', body: { metadata: { finalizers } } });
    await w.client.delete(cluster, at('c'));
    await w.settle();
    assert.deepEqual((await w.look())?.metadata.finalizers, ['example.com/mine']);
    assert.match((await w.condition('Ready'))?.message ?? '', /until its finalizers example\.com\/mine are taken away/);
  });

  it('fails with its parts', async () => {
    await using w = await start({ field: { failureReason: 'CreateError', failureMessage: 'flooded' } });
    const c = await w.look();
    assert.equal(c?.status?.phase, 'Failed');
    assert.equal(c?.status?.failureReason, 'CreateError');
    assert.equal(c?.status?.failureMessage, 'Field default/c failed: flooded');
    assert.ok(w.events.includes('Cluster default/c: Failed'));
  });

  it('says when its infrastructure is gone after it was ready, and keeps its flags', async () => {
    await using w = await start();
    await w.client.patch(field, at('c'), { type: 'merge', body: { metadata: { finalizers: null } } });
    await w.client.delete(field, at('c'));
    await w.settle();
    assert.match((await w.condition('Ready'))?.message ?? '', /gone after it was ready/);
    assert.equal((await w.look())?.status?.infrastructureReady, true);
  });

  it('a paused Cluster says only that', async () => {
    await using w = await start({ seeds: [clusterSeed({ ...both, paused: true }), ...parts] });
    assert.deepEqual(ownersOf(await w.find(field, at('c'))), []);
    assert.equal((await w.condition('Paused'))?.status, 'True');
    assert.deepEqual(
      w.events.filter((e) => e.startsWith('Cluster')),
      ['Cluster default/c: Paused'],
    );
    await w.client.patch(cluster, at('c'), { type: 'merge', body: { spec: { paused: false } } });
    await w.settle();
    assert.equal((await w.condition('Ready'))?.status, 'True');
    assert.equal(await w.condition('Paused'), undefined);
  });
});

const owned = (kind: string, name: string) => ({
  ownerReferences: [{ apiVersion: 'x/v1', kind, name, uid: 'u', controller: true }],
});
const whole = [
  clusterSeed(),
  ...parts,
  seed(machineDeployment, 'md', { spec: { clusterName: 'c' } }),
  seed(machineSet, 'ms', { spec: { clusterName: 'c' } }),
  machineSeed('worker'),
  seed(ox, 'worker'),
  machineSeed('cp', { ...CONTROL_PLANE, ...owned('Barn', 'c') }),
  seed(ox, 'cp'),
  machineSeed('stranger-cp', CONTROL_PLANE),
  seed(ox, 'stranger-cp'),
  seed(cluster, 'other', { spec: {} }),
  seed(machine, 'others', {
    spec: { clusterName: 'other', bootstrap: { dataSecretName: 'x' }, infrastructureRef: refTo(ox, 'others') },
  }),
  seed(ox, 'others'),
];
const ORDER = ['Ox worker gone', 'Barn c gone', 'Ox cp gone', 'Ox stranger-cp gone', 'Field c gone'];

const remaining = async (client: MemoryClient): Promise<readonly string[]> => {
  const kinds = [cluster, machine, machineSet, machineDeployment, field, barn, ox];
  const lists = await Promise.all(kinds.map((kind) => client.list<KubeObject>(kind)));
  return lists.flatMap(({ items }) => items.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
};

describe('a Cluster that is deleted', () => {
  it('takes the workers, then the control plane, then the infrastructure with it', async () => {
    await using w = await start({ seeds: whole });
    await w.client.delete(cluster, at('c'));
    await w.settle();
    assert.deepEqual(w.log, ORDER);
    assert.deepEqual(await remaining(w.client), ['Cluster other', 'Machine others', 'Ox others']);
    assert.ok(w.events.includes('Cluster default/c: WaitingForWorkersToGo'));
    assert.ok(w.events.includes('Cluster default/c: Deleted'));
  });

  it('says what it waits for', async () => {
    const held = machineSeed('worker', { annotations: { 'pre-terminate.delete.hook.machine.cluster.x-k8s.io/x': '' } });
    await using w = await start({ seeds: [clusterSeed(), ...parts, held, seed(ox, 'worker')] });
    await w.client.delete(cluster, at('c'));
    await w.settle();
    const c = await w.look();
    assert.equal(c?.status?.phase, 'Deleting');
    assert.equal(c?.status?.waitingFor, 'workers to go');
    assert.equal((await w.condition('Ready'))?.message, 'waiting for Machine worker to go');
    assert.deepEqual(w.log, []);
  });

  it('comes to the same end when it is killed at any write', async () => {
    // How many writes there are is found out by the first run, which is never killed.
    for (let killAt = Number.POSITIVE_INFINITY, last = 0; ; ) {
      let writes = 0;
      let armed = false;
      const clock = createFakeClock(1_700_000_000_000);
      const client = createMemoryClient({
        clock,
        objects: [...definitions, ...whole],
        intercept(verb, _kind, _key, applied) {
          if (!armed || verb === 'get' || verb === 'list' || verb === 'watch') return;
          // Each write dies once before and once after it took effect, and so does everything after it.
          if (++writes >= killAt) throw new Error(`killed ${applied ? 'after' : 'before'} a ${verb}`);
        },
      });
      const log: string[] = [];
      {
        await using first = await start({ client, log });
        await first.settle();
        armed = true;
        await client.delete(cluster, at('c')).catch(() => {});
        await first.settle();
      }
      armed = false;
      if (killAt === Number.POSITIVE_INFINITY) {
        last = writes;
        killAt = 0;
      } else {
        await client.delete(cluster, at('c')).catch(() => {});
        await using second = await start({ client, log });
        await second.settle();
        assert.deepEqual([...new Set(log)], ORDER, `killed at write ${killAt}`);
        assert.deepEqual(await remaining(client), ['Cluster other', 'Machine others', 'Ox others']);
      }
      if (++killAt > last) break;
    }
  });
});
