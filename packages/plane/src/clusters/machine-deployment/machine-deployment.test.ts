import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMemoryClient, type MemoryVerb } from '@bloomery/kube/testing';
import type { JsonObject, KindRef, KubeObject, Machine, MachineDeployment, MachineSet } from '@bloomery/model';
import {
  machine,
  machineDeployment,
  machineSet,
  metalMachine,
  metalMachineTemplate,
  talosConfig,
} from '@bloomery/model';
import { createFakeClock } from '@bloomery/ports';
import { startWorld, type World } from '../../allocation/testing/world.ts';
import { createMachineSetController } from '../machine-set/reconcile.ts';
import {
  at,
  clusterSeeds,
  countingBytes,
  createFakeNodes,
  type FakeNodes,
  machineDeploymentSeed,
  ref,
  seed,
} from '../testing/sets-world.ts';
import { createMachineDeploymentController } from './reconcile.ts';

type Seeds = readonly ReturnType<typeof seed>[];
type Shared = Parameters<typeof startWorld>[2];

/** A second infrastructure template, for a change that makes other machines. */
const second = seed(metalMachineTemplate, 't2', { spec: { template: { spec: { serverClassRef: { name: 'big' } } } } });

async function start(seeds: Seeds, fake?: FakeNodes, shared?: Shared, random = countingBytes()): Promise<World> {
  const controllers = (kinds: Parameters<typeof createMachineDeploymentController>[0]['kinds']) => [
    createMachineDeploymentController({ kinds }),
    createMachineSetController({ kinds, random }),
    createFakeNodes(fake),
  ];
  const world = await startWorld(controllers, seeds, shared);
  await world.settle();
  return world;
}

const all = [...clusterSeeds, second];
const md = async (w: World): Promise<MachineDeployment> => await w.client.get(machineDeployment, at('md'));
const edit = (w: World, body: JsonObject) => w.client.patch(machineDeployment, at('md'), { type: 'merge', body });
const setsOf = async (w: World): Promise<readonly MachineSet[]> => (await w.client.list(machineSet)).items;
const machinesOf = async (w: World): Promise<readonly Machine[]> => (await w.client.list(machine)).items;
const useTemplate = (name: string): JsonObject => ({
  spec: { template: { spec: { infrastructureRef: ref(metalMachineTemplate, name) } } },
});
/** Sizes by the template that the machines are made from. */
const sizes = async (w: World) =>
  Object.fromEntries(
    (await setsOf(w)).map((set) => [set.spec?.template?.spec?.infrastructureRef.name, set.spec?.replicas]),
  );
const conditionOf = ({ status }: MachineDeployment, type: string) => status?.conditions?.find((c) => c.type === type);

describe('a MachineDeployment', () => {
  it('has one MachineSet named after its template, and says how it stands', async () => {
    await using w = await start([...all, machineDeploymentSeed(2)]);
    const [set, ...others] = await setsOf(w);
    assert.equal(others.length, 0);
    const hash = set?.metadata.labels?.['machine-template-hash'] ?? '';
    assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{7}$/);
    assert.equal(set?.metadata.name, `md-${hash}`);
    assert.deepEqual(set.spec?.selector.matchLabels, {
      'cluster.x-k8s.io/cluster-name': 'c',
      'cluster.x-k8s.io/deployment-name': 'md',
      'machine-template-hash': hash,
    });
    assert.deepEqual(set.metadata.annotations, {
      'machinedeployment.clusters.x-k8s.io/desired-replicas': '2',
      'machinedeployment.clusters.x-k8s.io/max-replicas': '3',
      'machinedeployment.clusters.x-k8s.io/revision': '1',
    });
    const [one] = await machinesOf(w);
    assert.equal(one?.metadata.labels?.['cluster.x-k8s.io/deployment-name'], 'md');
    assert.match(one?.metadata.name ?? '', new RegExp(`^md-${hash}-.{5}$`));

    const found = await md(w);
    assert.equal(found.metadata.annotations?.['machinedeployment.clusters.x-k8s.io/revision'], '1');
    const { conditions, ...status } = found.status ?? {};
    assert.deepEqual(status, {
      selector: 'cluster.x-k8s.io/cluster-name=c,cluster.x-k8s.io/deployment-name=md',
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      unavailableReplicas: 0,
      phase: 'Running',
      observedGeneration: 1,
    });
    assert.deepEqual(
      conditions?.map(({ type, status: is }) => `${type} ${is}`),
      ['Ready True', 'Available True', 'MachineSetReady True', 'Progressing True'],
    );
  });

  it('replaces its Machines when the template changes, and keeps the old set at 0', async () => {
    await using w = await start([...all, machineDeploymentSeed(3)]);
    const before = (await machinesOf(w)).map(({ metadata }) => metadata.name);
    await edit(w, useTemplate('t2'));
    await w.settle();
    assert.deepEqual(await sizes(w), { t: 0, t2: 3 });
    const after = (await machinesOf(w)).map(({ metadata }) => metadata.name);
    assert.equal(after.length, 3);
    assert.ok(after.every((name) => !before.includes(name)));
    const found = await md(w);
    assert.equal(found.metadata.annotations?.['machinedeployment.clusters.x-k8s.io/revision'], '2');
    assert.deepEqual([found.status?.phase, found.status?.updatedReplicas], ['Running', 3]);
  });

  it('goes back to the set that it had, when the template goes back', async () => {
    await using w = await start([...all, machineDeploymentSeed(1)]);
    const [first] = await setsOf(w);
    await edit(w, useTemplate('t2'));
    await w.settle();
    await edit(w, useTemplate('t'));
    await w.settle();
    assert.deepEqual(await sizes(w), { t: 1, t2: 0 });
    const again = await w.client.get(machineSet, at(first?.metadata.name ?? ''));
    assert.equal(again.metadata.annotations?.['machinedeployment.clusters.x-k8s.io/revision'], '3');
    assert.equal(again.metadata.annotations?.['machinedeployment.clusters.x-k8s.io/revision-history'], '1');
  });

  it('forgets old sets but for revisionHistoryLimit', async () => {
    const third = seed(metalMachineTemplate, 't3', { spec: { template: { spec: {} } } });
    await using w = await start([...all, third, machineDeploymentSeed(1)]);
    for (const name of ['t2', 't3']) {
      await edit(w, useTemplate(name));
      await w.settle();
    }
    assert.deepEqual(await sizes(w), { t2: 0, t3: 1 });
    await edit(w, { spec: { revisionHistoryLimit: 0 } });
    await w.settle();
    assert.deepEqual(await sizes(w), { t3: 1 });
  });

  it('stops at a template whose machines do not come up, names the cause, and goes back unharmed', async () => {
    const fake: FakeNodes = { broken: new Set(), stuck: new Set() };
    await using w = await start([...all, machineDeploymentSeed(3, { progressDeadlineSeconds: 60 })], fake);
    fake.broken.add('md-'.concat('x'));
    const names = new Set((await machinesOf(w)).map(({ metadata }) => metadata.name));
    fake.broken.has = (name) => !names.has(name);
    await edit(w, useTemplate('t2'));
    await w.settle();
    assert.deepEqual(await sizes(w), { t: 3, t2: 1 });
    let found = await md(w);
    assert.equal(conditionOf(found, 'Available')?.status, 'True');
    assert.equal(found.status?.waitingFor, 'a free, clean server');
    assert.match(conditionOf(found, 'MachineSetReady')?.message ?? '', /^Machine md-.*: no Server is free$/);
    await w.settle(61_000);
    found = await md(w);
    assert.equal(found.status?.waitingFor, 'rollout to make progress');
    assert.equal(conditionOf(found, 'Progressing')?.reason, 'ProgressDeadlineExceeded');
    assert.match(conditionOf(found, 'Progressing')?.message ?? '', /1 of 3 machines are up to date, 3 available$/);

    await edit(w, useTemplate('t'));
    await w.settle();
    assert.deepEqual(await sizes(w), { t: 3, t2: 0 });
    assert.deepEqual(
      new Set((await machinesOf(w)).map(({ metadata }) => metadata.name)),
      names,
      'no Machine was replaced',
    );
    assert.equal((await md(w)).status?.waitingFor, undefined);
  });

  it('brings labels, time spans and the delete policy to its Machines without replacing them', async () => {
    await using w = await start([...all, machineDeploymentSeed(1)]);
    const [before] = await machinesOf(w);
    await edit(w, {
      spec: {
        minReadySeconds: 3,
        strategy: { rollingUpdate: { deletePolicy: 'Oldest' } },
        template: { metadata: { labels: { zone: 'a' } }, spec: { nodeDrainTimeout: '90s' } },
      },
    });
    await w.settle(5000);
    const [set, ...others] = await setsOf(w);
    assert.equal(others.length, 0);
    assert.deepEqual([set?.spec?.minReadySeconds, set?.spec?.deletePolicy], [3, 'Oldest']);
    const [after] = await machinesOf(w);
    assert.equal(after?.metadata.name, before?.metadata.name);
    assert.deepEqual([after?.metadata.labels?.['zone'], after?.spec?.nodeDrainTimeout], ['a', '90s']);
    await edit(w, { spec: { template: { metadata: { labels: { zone: null } }, spec: { nodeDrainTimeout: null } } } });
    await w.settle();
    const template = (await setsOf(w))[0]?.spec?.template;
    assert.deepEqual([template?.metadata?.labels?.['zone'], template?.spec?.nodeDrainTimeout], [undefined, undefined]);
  });

  it('leaves Machines to whoever deletes them under the strategy OnDelete', async () => {
    await using w = await start([...all, machineDeploymentSeed(2, { strategy: { type: 'OnDelete' } })]);
    await edit(w, useTemplate('t2'));
    await w.settle();
    assert.deepEqual(await sizes(w), { t: 2, t2: 0 });
    assert.equal((await md(w)).status?.waitingFor, 'rollout of machines');
    const [first] = await machinesOf(w);
    await w.client.delete(machine, at(first?.metadata.name ?? ''));
    await w.settle();
    assert.deepEqual(await sizes(w), { t: 1, t2: 1 });
    assert.equal((await machinesOf(w)).length, 2);
  });

  it('replaces Machines that are older than rolloutAfter, when that time has come', async () => {
    const rolloutAfter = new Date(1_700_000_000_000 + 30_000).toISOString();
    await using w = await start([...all, machineDeploymentSeed(1)]);
    await edit(w, { spec: { rolloutAfter } });
    await w.settle();
    assert.equal((await setsOf(w)).length, 1);
    const [before] = await machinesOf(w);
    await w.settle(40_000);
    assert.equal((await setsOf(w)).length, 2);
    const after = await machinesOf(w);
    assert.equal(after.length, 1);
    assert.notEqual(after[0]?.metadata.name, before?.metadata.name);
    await w.settle(40_000);
    assert.equal((await setsOf(w)).length, 2);
  });

  it('only changes its size while it is paused', async () => {
    await using w = await start([...all, machineDeploymentSeed(1)]);
    await edit(w, { spec: { paused: true } });
    await edit(w, useTemplate('t2'));
    await edit(w, { spec: { replicas: 3 } });
    await w.settle();
    assert.deepEqual(await sizes(w), { t: 3 });
    await edit(w, { spec: { paused: false } });
    await w.settle();
    assert.deepEqual(await sizes(w), { t: 0, t2: 3 });
  });

  it('waits for a template that is not there before it touches anything', async () => {
    await using w = await start([...clusterSeeds, machineDeploymentSeed(2)]);
    await edit(w, useTemplate('t2'));
    await w.settle();
    assert.deepEqual(await sizes(w), { t: 2 });
    const found = await md(w);
    assert.equal(found.status?.waitingFor, 'machine template to exist');
    await w.put(second.kind, second.object);
    await w.settle();
    assert.deepEqual(await sizes(w), { t: 0, t2: 2 });
  });

  it('goes with all that it made', async () => {
    await using w = await start([...all, machineDeploymentSeed(2)]);
    await edit(w, useTemplate('t2'));
    await w.settle();
    await w.client.delete(machineDeployment, at('md'));
    await w.settle();
    for (const kind of [machineDeployment, machineSet, machine, metalMachine, talosConfig] as const) {
      assert.deepEqual((await w.client.list<KubeObject>(kind)).items, [], kind.kind);
    }
  });

  it('adopts a set that it selects and nobody owns', async () => {
    const seeds = machineDeploymentSeed(2);
    const { spec } = seeds.object as unknown as { readonly spec: JsonObject };
    const labels = { 'cluster.x-k8s.io/cluster-name': 'c', 'cluster.x-k8s.io/deployment-name': 'md' };
    const { selector, template } = spec;
    const own = { clusterName: 'c', replicas: 1, selector: selector ?? {}, template: template ?? {} };
    await using w = await start([...all, seed(machineSet, 'old', { spec: own }, { labels }), seeds]);
    assert.deepEqual(
      (await setsOf(w)).map(({ metadata, spec: s }) => [
        metadata.name,
        metadata.ownerReferences?.find(({ controller }) => controller)?.name,
        s?.replicas,
      ]),
      [['old', 'md', 2]],
    );
  });
});

/** A client that fails for good at its nth write, before or after it took effect. */
function killedAt(nth: number, applied: boolean, objects: Seeds) {
  let writes = 0;
  let isDead = false;
  let isArmed = false;
  const intercept = (verb: MemoryVerb, _kind: KindRef, _key: string, isApplied: boolean): void => {
    if (!isArmed) return;
    if (isDead) throw new Error('killed');
    if (verb === 'get' || verb === 'list' || verb === 'watch' || isApplied !== applied) return;
    if (++writes === nth) {
      isDead = true;
      throw new Error('killed');
    }
  };
  const client = createMemoryClient({ clock: createFakeClock(1_700_000_000_000), objects, intercept });
  return {
    client,
    arm: () => {
      isArmed = true;
    },
    revive: () => {
      isArmed = false;
      return isDead;
    },
  };
}

for (const applied of [false, true]) {
  it(`converges from a kill at each write of a rollout, ${applied ? 'after' : 'before'} it took effect`, async () => {
    for (let nth = 1, wasKilled = true; wasKilled; nth++) {
      assert.ok(nth < 400, 'the rollout ends');
      const { client, arm, revive } = killedAt(nth, applied, [...all, machineDeploymentSeed(2)]);
      const random = countingBytes();
      {
        await using w = await start([], undefined, client, random);
        assert.deepEqual(await sizes(w), { t: 2 });
        arm();
        await w.settle(0);
        await client
          .patch(machineDeployment, at('md'), { type: 'merge', body: useTemplate('t2') })
          .catch(() => undefined);
        await w.settle(0);
      }
      wasKilled = revive();
      await client.patch(machineDeployment, at('md'), { type: 'merge', body: useTemplate('t2') });
      await using w = await start([], undefined, client, random);
      await w.settle();
      assert.deepEqual(await sizes(w), { t: 0, t2: 2 }, `killed at write ${nth}`);
      const names = (await machinesOf(w)).map(({ metadata }) => metadata.name);
      for (const kind of [metalMachine, talosConfig] as const) {
        const there = (await client.list<KubeObject>(kind)).items.map(({ metadata }) => metadata.name);
        assert.deepEqual(there, names, `${kind.kind}s after a kill at write ${nth}`);
      }
      assert.equal(names.length, 2);
      assert.equal((await md(w)).status?.phase, 'Running');
    }
  });
}
