import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apiError, findCondition } from '@bloomery/kube';
import { createMemoryClient, type MemoryClient } from '@bloomery/kube/testing';
import type { JsonObject, Node } from '@bloomery/model';
import { cluster, machine, node as nodeKind } from '@bloomery/model';
import { createFakeClock } from '@bloomery/ports';
import { startWorld } from '../../allocation/testing/world.ts';
import { at, definitionOf, fakeKind, fakeProvider, ownersOf, refTo, seed } from '../testing/fake-provider.ts';
import { createMemoryWorkloads, type MemoryWorkloads } from '../workload/testing/memory-workloads.ts';
import { createMachineController } from './reconcile.ts';

const ox = fakeKind('Ox', 'oxen');
const yoke = fakeKind('Yoke', 'yokes', 'bootstrap.cluster.x-k8s.io');
const barn = fakeKind('Barn', 'barns', 'controlplane.cluster.x-k8s.io');
const definitions = [definitionOf(ox), definitionOf(yoke), definitionOf(barn)];

const clusterSeed = (body: JsonObject = {}, metadata: JsonObject = {}) => seed(cluster, 'c', { spec: body }, metadata);
const machineSpec = {
  clusterName: 'c',
  version: 'v1.33.0',
  bootstrap: { configRef: refTo(yoke, 'm') },
  infrastructureRef: refTo(ox, 'm'),
};
const machineSeed = (name = 'm', spec: JsonObject = {}, metadata: JsonObject = {}) =>
  seed(machine, name, { spec: { ...machineSpec, ...spec } }, metadata);
const parts = [seed(ox, 'm', { spec: {} }), seed(yoke, 'm', { spec: {} })];
const controlPlane = (name = 'cp') =>
  machineSeed(name, { bootstrap: { dataSecretName: 'x' }, infrastructureRef: refTo(ox, name) }, CONTROL_PLANE);
const CONTROL_PLANE = { labels: { 'cluster.x-k8s.io/control-plane': '' } };

const ready = [
  { type: 'Ready', status: 'True' },
  { type: 'MemoryPressure', status: 'False' },
];
const workerNode = (conditions: JsonObject[] = ready, providerID = 'ox://m'): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node-m' },
  spec: { providerID },
  status: { conditions: conditions as never, nodeInfo: { kubeletVersion: 'v1.33.0' } },
});

interface Options {
  readonly seeds?: readonly ReturnType<typeof seed>[];
  readonly answers?: boolean;
  readonly mayGo?: () => boolean;
  readonly client?: MemoryClient;
}

async function start(options: Options = {}) {
  const workloads: MemoryWorkloads = createMemoryWorkloads();
  const log: string[] = [];
  const { answers = true, mayGo = () => true } = options;
  const world = await startWorld(
    (kinds) => [
      createMachineController({ ...kinds, workloads }),
      fakeProvider(ox, {
        owner: 'Machine',
        mayGo,
        log,
        answer: ({ metadata: { name } }) =>
          answers
            ? {
                spec: { providerID: `ox://${name}`, failureDomain: 'north' },
                status: { ready: true, addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
              }
            : undefined,
      }),
      fakeProvider(yoke, {
        owner: 'Machine',
        log,
        answer: () => (answers ? { status: { ready: true, dataSecretName: 'm-data' } } : undefined),
      }),
    ],
    options.client === undefined
      ? [...definitions, ...(options.seeds ?? [clusterSeed(), machineSeed(), ...parts])]
      : [],
    options.client,
  );
  await world.settle();
  const look = (name = 'm') => world.find(machine, at(name));
  const condition = async (type: string, name = 'm') => findCondition((await look(name))?.status?.conditions, type);
  return { ...world, workloads, log, look, condition };
}

describe('a Machine of a provider that nobody knows', () => {
  it('claims its parts, carries what they say, finds its Node and is Running', async () => {
    await using w = await start();
    let m = await w.look();
    assert.deepEqual(ownersOf(m), ['Cluster/c']);
    assert.equal(m?.metadata.labels?.['cluster.x-k8s.io/cluster-name'], 'c');
    assert.deepEqual(ownersOf(await w.find(ox, at('m'))), ['Machine/m!']);
    assert.deepEqual(ownersOf(await w.find(yoke, at('m'))), ['Machine/m!']);
    assert.equal(m?.spec?.bootstrap.dataSecretName, 'm-data');
    assert.equal(m?.spec?.providerID, 'ox://m');
    assert.equal(m?.spec?.failureDomain, 'north');
    assert.equal(m?.status?.phase, 'Provisioned');
    assert.equal(m?.status?.waitingFor, 'node to join');
    assert.equal((await w.condition('NodeHealthy'))?.reason, 'NodeProvisioning');

    await w.workloads.join(workerNode());
    await w.settle();
    m = await w.look();
    assert.equal(m?.status?.phase, 'Running');
    assert.equal(m?.status?.nodeRef?.name, 'node-m');
    assert.deepEqual(m?.status?.nodeInfo, { kubeletVersion: 'v1.33.0' });
    assert.equal(m?.status?.waitingFor, undefined);
    assert.equal((await w.condition('Ready'))?.status, 'True');
    const node = await w.workloads.api.get(nodeKind, { name: 'node-m' });
    assert.equal(node.metadata.annotations?.['cluster.x-k8s.io/machine'], 'm');
    assert.ok(w.events.includes('Machine default/m: SuccessfulSetNodeRef'));
    assert.ok(w.events.includes('Machine default/m: NodeHealthy'));
  });

  it('waits for the deepest cause, by its words', async () => {
    await using w = await start({ answers: false });
    await w.status(yoke, at('m'), {
      conditions: [
        { type: 'Ready', status: 'False', reason: 'WaitingForClusterInfrastructure', message: 'the oxen are tired' },
      ],
      waitingFor: 'oxen',
    });
    await w.settle();
    const m = await w.look();
    assert.equal(m?.status?.phase, 'Pending');
    assert.equal(m?.status?.waitingFor, 'oxen');
    const { reason, message } = (await w.condition('Ready')) ?? {};
    assert.equal(reason, 'WaitingForClusterInfrastructure');
    assert.equal(message, 'Yoke default/m: the oxen are tired');
  });

  const waits: [name: string, seeds: readonly ReturnType<typeof seed>[], reason: string, message: RegExp][] = [
    ['without its Cluster', [machineSeed(), ...parts], 'WaitingForCluster', /Cluster c does not exist/],
    [
      'without its bootstrap config',
      [clusterSeed(), machineSeed()],
      'WaitingForBootstrapData',
      /Yoke default\/m does not exist/,
    ],
    [
      'with a config of a kind that is not installed',
      [
        clusterSeed(),
        machineSeed('m', { bootstrap: { configRef: { ...refTo(yoke, 'm'), kind: 'Halter' } } }),
        ...parts,
      ],
      'WaitingForBootstrapData',
      /no kind of Halter default\/m is installed/,
    ],
    [
      'with neither config nor secret',
      [clusterSeed(), machineSeed('m', { bootstrap: {} }), ...parts],
      'WaitingForBootstrapData',
      /neither a dataSecretName nor a configRef/,
    ],
  ];
  for (const [name, seeds, reason, message] of waits) {
    it(`${name} it waits and says so`, async () => {
      await using w = await start({ seeds });
      const ready = await w.condition('Ready');
      assert.equal(ready?.reason, reason);
      assert.match(ready?.message ?? '', message);
      assert.ok(w.events.some((event) => event === `Machine default/m: ${reason}`));
    });
  }

  it('goes on at once when the type of its infrastructure is installed', async () => {
    const seeds = [
      clusterSeed(),
      machineSeed('m', { infrastructureRef: { ...refTo(ox, 'm'), kind: 'Cow' } }),
      ...parts,
    ];
    await using w = await start({ seeds });
    assert.match((await w.condition('Ready'))?.message ?? '', /no kind of Cow default\/m is installed/);
    const cow = fakeKind('Cow', 'kine');
    await w.put(
      cow,
      seed(cow, 'm', { spec: { providerID: 'cow://m' }, status: { initialization: { provisioned: true } } }).object,
    );
    const { kind, object } = definitionOf(cow);
    await w.put(kind, object);
    await w.settle();
    assert.equal((await w.look())?.spec?.providerID, 'cow://m');
    assert.deepEqual(ownersOf(await w.find(cow, at('m'))), ['Machine/m!']);
  });

  it('takes nothing from the object of another Machine, and says whose it is not', async () => {
    await using w = await start();
    await w.put(machine, machineSeed('thief', { bootstrap: { dataSecretName: 'x' } }).object);
    await w.settle();
    await w.client.delete(machine, at('thief'));
    await w.settle();
    assert.equal(await w.look('thief'), undefined);
    assert.notEqual(await w.find(ox, at('m')), undefined, 'a machine lives on it');
    await w.put(machine, machineSeed('again', { bootstrap: { dataSecretName: 'x' } }).object);
    await w.settle();
    const again = await w.look('again');
    assert.equal(again?.spec?.providerID, undefined);
    assert.equal(again?.status?.addresses, undefined);
    assert.equal((await w.condition('Ready', 'again'))?.reason, 'ReferenceTaken');
  });

  it('is judged by its Node: unhealthy, gone, or not to be told', async () => {
    await using w = await start();
    await w.workloads.join(workerNode([{ type: 'Ready', status: 'False', message: 'no network' }]));
    await w.settle();
    assert.equal((await w.condition('NodeHealthy'))?.reason, 'NodeConditionsFailed');
    assert.equal((await w.look())?.status?.phase, 'Running');
    assert.equal((await w.condition('Ready'))?.reason, 'NodeUnhealthy');

    w.workloads.become({ state: 'unreachable', sinceMs: 0, why: 'connection refused' });
    await w.settle();
    assert.equal((await w.condition('NodeHealthy'))?.status, 'Unknown');
    assert.equal((await w.condition('Ready'))?.status, 'True', 'a dead API says nothing against a machine');

    w.workloads.become({ state: 'reachable' });
    await w.workloads.lose('node-m');
    await w.settle();
    assert.equal((await w.condition('NodeHealthy'))?.reason, 'NodeNotFound');
    assert.match((await w.condition('Ready'))?.message ?? '', /Node node-m is gone/);
  });

  it('two Nodes with one provider id are never guessed between', async () => {
    await using w = await start();
    await w.workloads.join(workerNode());
    await w.workloads.join({ ...workerNode(), metadata: { name: 'twin' } });
    await w.settle();
    assert.equal((await w.condition('NodeHealthy'))?.reason, 'NodeInspectionFailed');
  });

  it('fails with its infrastructure, and when that is gone after it was ready', async () => {
    await using w = await start();
    await w.client.patch(ox, at('m'), { type: 'merge', body: { metadata: { finalizers: null } } });
    await w.client.delete(ox, at('m'));
    await w.settle();
    const m = await w.look();
    assert.equal(m?.status?.phase, 'Failed');
    assert.equal(m?.status?.failureReason, 'InvalidConfiguration');
    assert.equal((await w.condition('Ready'))?.reason, 'MachineFailed');
  });

  it('a failure that the provider reports is the Machine’s', async () => {
    await using w = await start({ answers: false });
    await w.status(ox, at('m'), { failureReason: 'CreateError', failureMessage: 'no grass' });
    await w.settle();
    const m = await w.look();
    assert.equal(m?.status?.phase, 'Failed');
    assert.equal(m?.status?.failureMessage, 'Ox default/m failed: no grass');
  });

  it('an unhealthy mark of a health check shows in Ready', async () => {
    await using w = await start();
    await w.workloads.join(workerNode());
    await w.settle();
    const had = (await w.look())?.status?.conditions ?? [];
    const lastTransitionTime = '2024-01-01T00:00:00Z';
    const mark = {
      type: 'HealthCheckSucceeded',
      status: 'False',
      reason: 'UnhealthyNode',
      message: 'sick',
      lastTransitionTime,
    };
    await w.status(machine, at('m'), { conditions: [...had, mark] as unknown as JsonObject[] });
    await w.settle();
    assert.equal((await w.condition('Ready'))?.reason, 'MachineUnhealthy');
    assert.equal((await w.condition('HealthCheckSucceeded'))?.message, 'sick', 'the condition of another is kept');
  });

  it('what the API refuses is said, and tried again', async () => {
    let isDown = true;
    const client = createMemoryClient({
      clock: createFakeClock(1_700_000_000_000),
      objects: [...definitions, clusterSeed(), machineSeed(), ...parts],
      intercept(verb, kind) {
        if (!isDown || verb !== 'get' || kind.kind !== 'Ox') return;
        throw apiError({ code: 500, reason: 'InternalError', message: 'conversion webhook for oxen failed: no route' });
      },
    });
    await using w = await start({ client });
    assert.equal((await w.condition('Ready'))?.reason, 'StepRefused');
    assert.match((await w.condition('Ready'))?.message ?? '', /conversion webhook for oxen failed/);
    await w.client.delete(machine, at('m'));
    await w.settle(60_000);
    assert.notEqual(await w.look(), undefined, 'it is not taken for gone');
    isDown = false;
    await w.settle(60_000);
    assert.equal(await w.look(), undefined);
  });

  it('a Node that may not be labelled is said, and its Machine is not written over and over', async () => {
    await using w = await start();
    await w.workloads.join(workerNode());
    w.workloads.refusePatches('labels of Nodes are forbidden');
    await w.settle();
    assert.equal((await w.look())?.status?.phase, 'Running');
    assert.equal((await w.condition('Ready'))?.reason, 'StepRefused');
    assert.match((await w.condition('Ready'))?.message ?? '', /labels of Nodes are forbidden/);
    const before = w.client.revision();
    await w.settle(60_000);
    assert.equal(w.client.revision(), before);
    w.workloads.refusePatches(undefined);
    await w.settle(60_000);
    assert.equal((await w.condition('Ready'))?.status, 'True');
  });

  it('a paused Machine is left alone, its deletion too, and goes on when unpaused', async () => {
    const paused = { annotations: { 'cluster.x-k8s.io/paused': '' } };
    await using w = await start({ seeds: [clusterSeed(), machineSeed('m', {}, paused), ...parts] });
    assert.deepEqual(ownersOf(await w.find(ox, at('m'))), []);
    assert.equal((await w.condition('Paused'))?.status, 'True');
    assert.equal((await w.look())?.status?.waitingFor, 'cluster or object to be unpaused');
    await w.client.patch(machine, at('m'), { type: 'merge', body: { metadata: { annotations: null } } });
    await w.settle();
    assert.equal(await w.condition('Paused'), undefined);
    await w.client.patch(cluster, at('c'), { type: 'merge', body: { spec: { paused: true } } });
    await w.client.delete(machine, at('m'));
    await w.settle(60_000);
    assert.notEqual(await w.look(), undefined);
    await w.client.patch(cluster, at('c'), { type: 'merge', body: { spec: { paused: false } } });
    await w.settle();
    assert.equal(await w.look(), undefined);
  });

  it('an owner of a restored Machine is mended, so that nobody takes its parts for orphans', async () => {
    const stale = {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'Machine',
      name: 'm',
      uid: 'before',
      controller: true,
    };
    await using w = await start({
      seeds: [
        clusterSeed(),
        machineSeed(),
        seed(ox, 'm', { spec: {} }, { ownerReferences: [stale] }),
        parts[1] ?? machineSeed(),
      ],
    });
    const uid = (await w.look())?.metadata.uid;
    assert.equal((await w.find(ox, at('m')))?.metadata.ownerReferences?.[0]?.uid, uid);
  });
});

describe('a Machine that is deleted', () => {
  const running = async (options: Options & { readonly metadata?: JsonObject; readonly spec?: JsonObject } = {}) => {
    const w = await start({
      seeds: [clusterSeed(), machineSeed('m', options.spec, options.metadata), controlPlane(), ...parts],
      ...options,
    });
    await w.workloads.join(workerNode());
    await w.settle();
    assert.equal((await w.look())?.status?.phase, 'Running');
    return w;
  };
  const cordoned = async (w: Awaited<ReturnType<typeof start>>): Promise<boolean | undefined> =>
    (await w.workloads.api.get(nodeKind, { name: 'node-m' })).spec?.unschedulable;

  it('drains, then takes the infrastructure, the config and the Node with it, in this order', async () => {
    await using w = await running();
    await w.client.delete(machine, at('m'));
    await w.settle();
    assert.equal(await w.look(), undefined);
    assert.deepEqual(w.log, ['Ox m gone', 'Yoke m gone']);
    assert.deepEqual((await w.workloads.api.list(nodeKind)).items, []);
    assert.ok(w.events.includes('Machine default/m: SuccessfulDrainNode'));
    assert.ok(w.events.includes('Machine default/m: Deleted'));
  });

  it('is held by its hooks at their points', async () => {
    const preDrain = 'pre-drain.delete.hook.machine.cluster.x-k8s.io/x';
    const preTerminate = 'pre-terminate.delete.hook.machine.cluster.x-k8s.io/y';
    await using w = await running({ metadata: { annotations: { [preDrain]: '', [preTerminate]: '' } } });
    await w.client.delete(machine, at('m'));
    await w.settle(60_000);
    assert.equal((await w.look())?.status?.phase, 'Deleting');
    assert.match((await w.condition('Ready'))?.message ?? '', /held by pre-drain.delete.hook/);
    assert.equal(await cordoned(w), undefined);
    await w.client.patch(machine, at('m'), {
      type: 'merge',
      body: { metadata: { annotations: { [preDrain]: null } } },
    });
    await w.settle(60_000);
    assert.equal(await cordoned(w), true);
    assert.equal((await w.condition('PreDrainDeleteHookSucceeded'))?.status, 'True');
    assert.match((await w.condition('Ready'))?.message ?? '', /held by pre-terminate.delete.hook/);
    assert.deepEqual(w.log, []);
    await w.client.patch(machine, at('m'), {
      type: 'merge',
      body: { metadata: { annotations: { [preTerminate]: null } } },
    });
    await w.settle();
    assert.equal(await w.look(), undefined);
  });

  it('with a dead workload API it goes too, after two minutes, and says what was left out', async () => {
    await using w = await running({ mayGo: () => false });
    w.workloads.become({ state: 'unreachable', sinceMs: 1_700_000_000_000, why: 'connection refused' });
    await w.client.delete(machine, at('m'));
    await w.settle(100_000);
    assert.equal((await w.condition('Ready'))?.reason, 'DrainingNode');
    assert.match((await w.condition('Ready'))?.message ?? '', /connection refused/);
    await w.settle(30_000);
    assert.equal((await w.condition('DrainingSucceeded'))?.reason, 'DrainingSkipped');
    assert.equal(
      (await w.condition('VolumeDetachSucceeded'))?.reason,
      'VolumeDetachSkipped',
      'not another two minutes',
    );
    assert.equal((await w.condition('Ready'))?.reason, 'WaitingForInfrastructureToGo');
  });

  it('with a dead workload API its Node is left behind', async () => {
    await using w = await running();
    w.workloads.become({ state: 'unreachable', sinceMs: 1_700_000_000_000, why: 'connection refused' });
    await w.client.delete(machine, at('m'));
    await w.settle(140_000);
    assert.equal(await w.look(), undefined);
    assert.ok(w.events.includes('Machine default/m: NodeLeftBehind'));
  });

  const left: [name: string, change: (w: Awaited<ReturnType<typeof start>>) => Promise<unknown>][] = [
    ['the Cluster is being deleted', (w) => w.client.delete(cluster, at('c'))],
    ['the last control plane Machine goes', (w) => w.client.delete(machine, at('cp'))],
  ];
  for (const [name, change] of left) {
    it(`leaves its Node alone when ${name}`, async () => {
      const held = { finalizers: ['cluster.cluster.x-k8s.io'] };
      await using w = await start({
        seeds: [clusterSeed({}, held), machineSeed(), controlPlane(), ...parts],
      });
      await w.workloads.join(workerNode());
      await w.settle();
      await change(w);
      await w.settle();
      await w.client.delete(machine, at('m'));
      await w.settle();
      assert.equal(await w.look(), undefined);
      assert.equal(await cordoned(w), undefined);
    });
  }

  it('goes when the type of its infrastructure is gone', async () => {
    await using w = await running();
    await w.client.patch(ox, at('m'), { type: 'merge', body: { metadata: { finalizers: null } } });
    await w.client.delete(ox, at('m'));
    await w.client.delete(definitionOf(ox).kind, { name: 'oxen.infrastructure.cluster.x-k8s.io' });
    await w.settle();
    await w.client.delete(machine, at('m'));
    await w.settle();
    assert.equal(await w.look(), undefined);
  });

  it('goes without a Cluster', async () => {
    await using w = await running();
    await w.client.delete(cluster, at('c'));
    await w.settle();
    await w.client.delete(machine, at('m'));
    await w.settle();
    assert.equal(await w.look(), undefined);
  });

  it('that somebody else’s finalizer keeps says so, once, when all of it is gone', async () => {
    await using w = await running();
    const finalizers = ['machine.cluster.x-k8s.io', 'example.com/mine'];
    await w.client.patch(machine, at('m'), { type: 'merge', body: { metadata: { finalizers } } });
    await w.client.delete(machine, at('m'));
    await w.settle();
    assert.deepEqual((await w.look())?.metadata.finalizers, ['example.com/mine']);
    const ready = await w.condition('Ready');
    assert.equal(ready?.reason, 'WaitingForFinalizers');
    assert.match(ready.message ?? '', /until its finalizers example\.com\/mine are taken away/);
    assert.equal(w.events.filter((e) => e === 'Machine default/m: Deleted').length, 1);
    await w.client.patch(machine, at('m'), { type: 'merge', body: { metadata: { finalizers: null } } });
    await w.settle();
    assert.equal(await w.look(), undefined);
  });

  it('waits for its infrastructure, by that one’s words or its finalizers', async () => {
    let may = false;
    await using w = await running({ mayGo: () => may });
    await w.client.delete(machine, at('m'));
    await w.settle();
    assert.match(
      (await w.condition('Ready'))?.message ?? '',
      /waiting for Ox default\/m to go: held by its finalizers \S+, which its controller takes away when it is done$/,
    );
    await w.status(ox, at('m'), {
      conditions: [{ type: 'Ready', status: 'False', reason: 'Wiping', message: 'wiping the stable' }],
    });
    await w.settle();
    assert.match((await w.condition('Ready'))?.message ?? '', /waiting for Ox default\/m to go: wiping the stable/);
    may = true;
    await w.settle();
    assert.equal(await w.look(), undefined);
  });
});
