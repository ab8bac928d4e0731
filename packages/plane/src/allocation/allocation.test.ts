import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KindRef, KubeObject, MetalMachine, Server } from '@bloomery/model';
import {
  ANNOTATIONS,
  cluster,
  FINALIZERS,
  machine,
  metalMachine,
  namespace,
  server,
  serverBinding,
  serverClass,
} from '@bloomery/model';
import type { TimelineDraft } from '../insight/index.ts';
import { createMetalMachineController } from './metal-machine/reconcile.ts';
import { createServerBindingController } from './server-binding/reconcile.ts';
import { createServerClassController } from './server-class/reconcile.ts';
import { startWorld, type World } from './testing/world.ts';

type Seed = { readonly kind: KindRef; readonly object: KubeObject };
const NS = 'default';
const at = (name: string) => ({ name, namespace: NS });

const serverOf = (
  name: string,
  status: Server['status'] = { isClean: true },
  spec: Partial<Server['spec']> = {},
): Seed => ({
  kind: server,
  object: {
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Server',
    metadata: { name },
    spec: { accepted: true, ...spec },
    status,
  } as KubeObject,
});
const machineOf = (name: string, spec: MetalMachine['spec'] = { serverClassRef: { name: 'any' } }): readonly Seed[] => [
  {
    kind: machine,
    object: {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'Machine',
      metadata: { ...at(name), uid: `uid-${name}` },
      spec: {
        clusterName: 'c',
        bootstrap: { dataSecretName: `${name}-data` },
        infrastructureRef: { kind: 'MetalMachine', name },
      },
    } as KubeObject,
  },
  {
    kind: metalMachine,
    object: {
      apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
      kind: 'MetalMachine',
      metadata: {
        ...at(name),
        labels: { 'cluster.x-k8s.io/cluster-name': 'c' },
        ownerReferences: [{ apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine', name, uid: `uid-${name}` }],
      },
      spec,
    } as KubeObject,
  },
];
const base: readonly Seed[] = [
  { kind: namespace, object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS } } },
  {
    kind: cluster,
    object: {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'Cluster',
      metadata: at('c'),
      spec: {},
      status: { infrastructureReady: true },
    } as KubeObject,
  },
];
const controllers = () => [
  createServerClassController(),
  createMetalMachineController(),
  createServerBindingController(),
];
const world = async (...seeds: readonly Seed[]): Promise<World> => {
  const started = await startWorld(controllers(), [...base, ...seeds]);
  await started.settle();
  return started;
};
const ready = (object: MetalMachine | undefined): string | undefined =>
  object?.status?.conditions?.find((c) => c.type === 'Ready')?.reason;

describe('allocation', () => {
  it('the class any is made at start, and again when it is deleted', async () => {
    await using w = await world(serverOf('s1'));
    assert.deepEqual((await w.find(serverClass, { name: 'any' }))?.status?.serversAvailable, ['s1']);
    await w.client.delete(serverClass, { name: 'any' });
    await w.settle();
    assert.deepEqual((await w.find(serverClass, { name: 'any' }))?.status?.serversAvailable, ['s1']);
  });

  it('the first clean Server by name is bound, marked, and named by the MetalMachine', async () => {
    await using w = await world(serverOf('b'), serverOf('a', { isClean: false }), serverOf('c'), ...machineOf('m'));
    const found = await w.find(metalMachine, at('m'));
    assert.equal(found?.spec?.serverRef?.name, 'b');
    assert.equal(found?.spec?.providerID, 'sidero://b');
    assert.equal(found?.status?.ready, true);
    assert.equal(found?.status?.phase, 'Assigned');
    assert.deepEqual(found?.metadata.finalizers, [FINALIZERS.metalMachine]);
    const binding = await w.find(serverBinding, { name: 'b' });
    assert.equal(binding?.spec?.serverClassRef?.name, 'any');
    assert.equal(binding?.metadata.labels?.['cluster.x-k8s.io/cluster-name'], 'c');
    assert.equal(binding?.status?.ready, true);
    assert.equal(
      (await w.find(server, { name: 'b' }))?.metadata.annotations?.[ANNOTATIONS.boundTo],
      binding?.metadata.uid,
    );
    assert.ok(w.events.includes('Server b: Allocated'));
  });

  it('is marked on the timelines of Server, MetalMachine, Machine and Cluster', async () => {
    const marks: TimelineDraft[] = [];
    const metalMachines = createMetalMachineController({ timeline: { record: (draft) => marks.push(draft) } });
    await using w = await startWorld(
      [createServerClassController(), metalMachines],
      [...base, serverOf('a'), ...machineOf('m')],
    );
    await w.settle();
    assert.deepEqual(
      marks.map(({ event, about }) => ({ event, about })),
      [
        {
          event: 'Allocated',
          about: { server: 'a', metalMachine: 'default/m', machine: 'default/m', cluster: 'default/c' },
        },
      ],
    );
  });

  it('of two MetalMachines and one Server one gets it; the other gets the next that becomes clean, at once', async () => {
    await using w = await world(
      serverOf('a'),
      serverOf('b', { isClean: false }),
      ...machineOf('m1'),
      ...machineOf('m2'),
    );
    const names = async () =>
      [
        (await w.find(metalMachine, at('m1')))?.spec?.serverRef?.name,
        (await w.find(metalMachine, at('m2')))?.spec?.serverRef?.name,
      ].sort();
    assert.deepEqual(await names(), ['a', undefined]);
    await w.status(server, { name: 'b' }, { isClean: true });
    await w.settle();
    assert.deepEqual(await names(), ['a', 'b']);
    assert.equal((await w.client.list(serverBinding)).items.length, 2);
  });

  it('why nothing fits is said with counts, and once as an Event', async () => {
    await using w = await world(
      serverOf('a', { isClean: false }),
      serverOf('b', {}, { accepted: false }),
      serverOf('c', { isClean: true }, { cordoned: true }),
      ...machineOf('m'),
    );
    const condition = (await w.find(metalMachine, at('m')))?.status?.conditions?.[0];
    assert.equal(condition?.reason, 'NoServerAvailable');
    assert.equal(
      condition?.message,
      '0/3 servers of ServerClass "any" can be allocated: 1 cordoned, 1 not accepted, 1 not clean; next: the first that becomes free and clean is taken',
    );
    const events = w.events.length;
    await w.status(server, { name: 'b' }, { power: 'on' });
    await w.put(server, serverOf('d', { isClean: false }).object);
    await w.settle();
    assert.equal(w.events.length, events);
  });

  it('a lost serverRef is found again through the ServerBinding', async () => {
    await using w = await world(serverOf('a'), serverOf('b'), ...machineOf('m'));
    await w.client.patch(metalMachine, at('m'), { type: 'merge', body: { spec: { serverRef: null } } });
    await w.settle();
    assert.equal((await w.find(metalMachine, at('m')))?.spec?.serverRef?.name, 'a');
    assert.equal((await w.client.list(serverBinding)).items.length, 1);
  });

  it('a named Server is bound without a class, also when it is not clean', async () => {
    await using w = await world(serverOf('a', { isClean: false }), ...machineOf('m', { serverRef: { name: 'a' } }));
    assert.equal((await w.find(serverBinding, { name: 'a' }))?.spec?.serverClassRef, undefined);
    assert.equal((await w.find(metalMachine, at('m')))?.status?.ready, true);
  });

  const blocked: [name: string, spec: MetalMachine['spec'], want: string][] = [
    ['names nothing', {}, 'NoServerReference'],
    ['names a class that is not there', { serverClassRef: { name: 'x' } }, 'ServerClassMissing'],
    ['names a Server that is not there', { serverRef: { name: 'x' } }, 'ServerMissing'],
    ['names a Server that is not accepted', { serverRef: { name: 'new' } }, 'ServerNotAccepted'],
  ];
  for (const [name, spec, want] of blocked) {
    it(`a MetalMachine that ${name} waits and says so`, async () => {
      await using w = await world(serverOf('new', {}, { accepted: false }), ...machineOf('m', spec));
      assert.equal(ready(await w.find(metalMachine, at('m'))), want);
    });
  }

  it('a Server bound elsewhere is waited for', async () => {
    await using w = await world(serverOf('a'), ...machineOf('m1', { serverRef: { name: 'a' } }));
    for (const { kind, object } of machineOf('m2', { serverRef: { name: 'a' } })) await w.put(kind, object);
    await w.settle();
    assert.equal(ready(await w.find(metalMachine, at('m2'))), 'ServerTaken');
  });

  it('what the machine reports is carried over, and stale reports of an earlier binding are not', async () => {
    await using w = await world(serverOf('a', { isClean: true, power: 'on' }), ...machineOf('m'));
    await w.status(metalMachine, at('m'), {
      conditions: [{ type: 'TalosConfigLoaded', status: 'True', lastTransitionTime: '2020-01-01T00:00:00Z' }],
    });
    await w.client.patch(
      serverBinding,
      { name: 'a' },
      { type: 'merge', body: { spec: { addresses: ['10.0.0.1'], hostname: 'h' } } },
    );
    await w.settle();
    let found = await w.find(metalMachine, at('m'));
    assert.equal(found?.status?.phase, 'Booting');
    assert.deepEqual(found?.status?.addresses, [
      { type: 'InternalIP', address: '10.0.0.1' },
      { type: 'Hostname', address: 'h' },
    ]);
    assert.deepEqual(
      found?.status?.conditions?.map((c) => c.type),
      ['Ready'],
    );
    await w.status(
      serverBinding,
      { name: 'a' },
      {
        conditions: [{ type: 'TalosInstalled', status: 'True', lastTransitionTime: '2021-01-01T00:00:00Z' }],
      },
    );
    await w.settle();
    found = await w.find(metalMachine, at('m'));
    assert.equal(found?.status?.phase, 'Running');
    assert.equal(found?.status?.waitingFor, undefined);
    assert.deepEqual(
      found?.status?.conditions?.map(({ type, status }) => [type, status]),
      [
        ['Ready', 'True'],
        ['TalosInstalled', 'True'],
      ],
    );
  });
});

describe('release', () => {
  it('deleting a MetalMachine frees its Server, marks it as released, and everything goes', async () => {
    await using w = await world(serverOf('a'), ...machineOf('m'));
    const uid = (await w.find(serverBinding, { name: 'a' }))?.metadata.uid;
    await w.client.delete(metalMachine, at('m'));
    await w.settle();
    assert.equal(await w.find(metalMachine, at('m')), undefined);
    assert.equal(await w.find(serverBinding, { name: 'a' }), undefined);
    const freed = await w.find(server, { name: 'a' });
    assert.equal(freed?.status?.released?.binding, uid);
    assert.equal(freed?.metadata.annotations?.[ANNOTATIONS.boundTo], undefined);
    assert.ok(w.events.includes('Server a: Released'));
  });

  it('deletion needs none of the gates: Machine, Cluster and secret may be gone', async () => {
    await using w = await world(serverOf('a'), ...machineOf('m'));
    await w.client.delete(machine, at('m'));
    await w.client.delete(cluster, at('c'));
    await w.client.delete(metalMachine, at('m'));
    await w.settle();
    assert.equal(await w.find(metalMachine, at('m')), undefined);
    assert.equal(await w.find(serverBinding, { name: 'a' }), undefined);
  });

  it('a ServerBinding deleted under a living MetalMachine is held until the MetalMachine goes', async () => {
    await using w = await world(serverOf('a'), ...machineOf('m'));
    await w.client.delete(serverBinding, { name: 'a' });
    await w.settle();
    const held = await w.find(serverBinding, { name: 'a' });
    assert.equal(held?.status?.conditions?.find((c) => c.type === 'Ready')?.reason, 'HeldByMetalMachine');
    assert.equal((await w.find(server, { name: 'a' }))?.status?.released, undefined);
    await w.client.delete(metalMachine, at('m'));
    await w.settle();
    assert.equal(await w.find(serverBinding, { name: 'a' }), undefined);
    assert.notEqual((await w.find(server, { name: 'a' }))?.status?.released, undefined);
  });

  const handMade = {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'ServerBinding',
    metadata: { name: 'a' },
    spec: { metalMachineRef: { kind: 'MetalMachine', name: 'nobody', namespace: NS } },
  };
  it('a ServerBinding made by hand for a MetalMachine that is not there stays, and its deletion frees the Server', async () => {
    await using w = await world(serverOf('a'));
    await w.client.create(serverBinding, handMade);
    await w.settle();
    assert.deepEqual((await w.find(serverBinding, { name: 'a' }))?.metadata.finalizers, [FINALIZERS.serverBinding]);
    await w.client.delete(serverBinding, { name: 'a' });
    await w.settle();
    assert.equal(await w.find(serverBinding, { name: 'a' }), undefined);
    assert.equal((await w.find(server, { name: 'a' }))?.status?.released?.metalMachine, 'default/nobody');
  });

  it('a protected Server is not released until the protection is lifted', async () => {
    await using w = await world(serverOf('a'));
    await w.client.create(serverBinding, handMade);
    await w.client.patch(
      server,
      { name: 'a' },
      { type: 'merge', body: { metadata: { annotations: { [ANNOTATIONS.protect]: '' } } } },
    );
    await w.settle();
    await w.client.delete(serverBinding, { name: 'a' });
    await w.settle();
    assert.notEqual(await w.find(serverBinding, { name: 'a' }), undefined);
    await w.client.patch(
      server,
      { name: 'a' },
      { type: 'merge', body: { metadata: { annotations: { [ANNOTATIONS.protect]: null } } } },
    );
    await w.settle();
    assert.equal(await w.find(serverBinding, { name: 'a' }), undefined);
  });

  it('a binding that vanishes without a deletion leaves its mark on the Server', async () => {
    await using w = await world(serverOf('a'), ...machineOf('m'));
    await w.client.patch(metalMachine, at('m'), {
      type: 'merge',
      body: { metadata: { annotations: { [ANNOTATIONS.pause]: '' } } },
    });
    await w.settle();
    await w.client.delete(serverBinding, { name: 'a' });
    await w.client.patch(serverBinding, { name: 'a' }, { type: 'merge', body: { metadata: { finalizers: null } } });
    await w.settle();
    assert.equal(await w.find(serverBinding, { name: 'a' }), undefined);
    const left = await w.find(server, { name: 'a' });
    assert.notEqual(left?.metadata.annotations?.[ANNOTATIONS.boundTo], undefined);
    assert.equal(left?.status?.released, undefined);
  });

  it('a Server whose MetalMachine was moved to another plane is never released here, until it comes back', async () => {
    await using w = await world(serverOf('a'), ...machineOf('m'));
    const copied = await w.find(metalMachine, at('m'));
    await w.client.patch(cluster, at('c'), { type: 'merge', body: { spec: { paused: true } } });
    // As clusterctl does it: annotated, deleted, its finalizers taken away.
    const annotations = { [ANNOTATIONS.deleteForMove]: '' };
    await w.client.patch(metalMachine, at('m'), { type: 'merge', body: { metadata: { annotations } } });
    await w.client.delete(metalMachine, at('m'));
    await w.client.patch(metalMachine, at('m'), { type: 'merge', body: { metadata: { finalizers: null } } });
    await w.settle();
    const isNoted = async (): Promise<boolean> =>
      (await w.find(serverBinding, { name: 'a' }))?.metadata.annotations?.[ANNOTATIONS.movedAway] !== undefined;
    assert.equal(await isNoted(), true);
    await w.put(metalMachine, {
      ...copied,
      metadata: { ...at('m'), labels: copied?.metadata.labels ?? {} },
    } as KubeObject);
    await w.settle();
    assert.equal(await isNoted(), false);
    await w.client.patch(metalMachine, at('m'), { type: 'merge', body: { metadata: { annotations } } });
    await w.client.delete(metalMachine, at('m'));
    await w.settle();
    await w.client.delete(serverBinding, { name: 'a' });
    await w.settle();
    assert.equal(await w.find(serverBinding, { name: 'a' }), undefined);
    const left = await w.find(server, { name: 'a' });
    assert.notEqual(left?.metadata.annotations?.[ANNOTATIONS.boundTo], undefined);
    assert.equal(left?.status?.released, undefined);
  });

  it('a paused Cluster stops allocation and release alike', async () => {
    await using w = await world(serverOf('a'), ...machineOf('m'));
    await w.client.patch(cluster, at('c'), { type: 'merge', body: { spec: { paused: true } } });
    for (const { kind, object } of machineOf('m2')) await w.put(kind, object);
    await w.put(server, serverOf('b').object);
    await w.client.delete(metalMachine, at('m'));
    await w.settle();
    assert.notEqual(await w.find(serverBinding, { name: 'a' }), undefined);
    assert.equal((await w.find(metalMachine, at('m2')))?.spec?.serverRef, undefined);
    assert.equal(ready(await w.find(metalMachine, at('m2'))), 'Paused');
    await w.client.patch(cluster, at('c'), { type: 'merge', body: { spec: { paused: false } } });
    await w.settle();
    assert.equal(await w.find(metalMachine, at('m')), undefined);
    assert.equal((await w.find(metalMachine, at('m2')))?.spec?.serverRef?.name, 'b');
  });
});

describe('allocation survives', () => {
  it('a failure after any write: one MetalMachine never gets two Servers', async () => {
    for (let failAt = 1; failAt <= 12; failAt++) {
      let writes = 0;
      const { createMemoryClient } = await import('@bloomery/kube/testing');
      const client = createMemoryClient({
        objects: [...base, serverOf('a'), serverOf('b'), ...machineOf('m')],
        intercept: (verb, _kind, _key, applied) => {
          if (!['create', 'patch', 'update', 'delete'].includes(verb) || !applied) return;
          if (++writes === failAt) throw new Error('the answer was lost');
        },
      });
      await using w = await startWorld(controllers(), [], client);
      await w.settle(5000);
      assert.equal((await w.client.list(serverBinding)).items.length, 1, `failing at write ${failAt}`);
      const found = await w.find(metalMachine, at('m'));
      assert.equal(found?.status?.ready, true, `failing at write ${failAt}`);
    }
  });
});
