import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMemoryClient } from '@bloomery/kube/testing';
import type { JsonObject, KubeObject, Machine, MachineSet } from '@bloomery/model';
import {
  machine,
  machineSet,
  metalMachine,
  metalMachineTemplate,
  talosConfig,
  talosConfigTemplate,
  talosControlPlane,
  WAIT_REASONS,
} from '@bloomery/model';
import { BloomeryError, createFakeClock } from '@bloomery/ports';
import { startWorld, type World } from '../../allocation/testing/world.ts';
import {
  at,
  clusterSeeds,
  countingBytes,
  createFakeNodes,
  type FakeNodes,
  machineSetSeed,
  ref,
  seed,
} from '../testing/sets-world.ts';
import { createMachineSetController } from './reconcile.ts';

type Seeds = readonly ReturnType<typeof seed>[];

async function start(seeds: Seeds, fake?: FakeNodes, shared?: Parameters<typeof startWorld>[2]): Promise<World> {
  const random = countingBytes();
  const world = await startWorld(
    (kinds) => [createMachineSetController({ kinds, random }), createFakeNodes(fake)],
    seeds,
    shared,
  );
  await world.settle();
  return world;
}

const names = async (w: World, kind: typeof machine | typeof metalMachine | typeof talosConfig = machine) =>
  (await w.client.list<KubeObject>(kind)).items.map(({ metadata }) => metadata.name);
const machinesOf = async (w: World): Promise<readonly Machine[]> => (await w.client.list(machine)).items;
const theSet = async (w: World): Promise<MachineSet> => await w.client.get(machineSet, at('ms'));
const conditionOf = ({ status }: MachineSet, type: string) => status?.conditions?.find((c) => c.type === type);
const edit = (w: World, body: JsonObject) => w.client.patch(machineSet, at('ms'), { type: 'merge', body });

describe('a MachineSet', () => {
  it('makes Machines with their infrastructure and config, all under one name', async () => {
    await using w = await start([...clusterSeeds, machineSetSeed(3)]);
    const made = ['ms-bbbbb', 'ms-bbbbc', 'ms-bbbbd'];
    assert.deepEqual(await names(w), made);
    assert.deepEqual(await names(w, metalMachine), made);
    assert.deepEqual(await names(w, talosConfig), made);

    const [first] = await machinesOf(w);
    assert.deepEqual(first?.spec, {
      clusterName: 'c',
      version: 'v1.32.0',
      bootstrap: { configRef: { ...ref(talosConfig, 'ms-bbbbb') } },
      infrastructureRef: { ...ref(metalMachine, 'ms-bbbbb') },
    });
    assert.deepEqual(first.metadata.labels, {
      'cluster.x-k8s.io/cluster-name': 'c',
      'cluster.x-k8s.io/set-name': 'ms',
    });
    assert.deepEqual(
      first.metadata.ownerReferences?.map(({ kind, name, controller }) => [kind, name, controller]),
      [['MachineSet', 'ms', true]],
    );
    const infra = await w.client.get<KubeObject>(metalMachine, at('ms-bbbbb'));
    assert.equal(infra.metadata.labels?.['rack'], 'one');
    assert.deepEqual(
      infra.metadata.ownerReferences?.map(({ kind, name, controller }) => [kind, name, controller]),
      [['Machine', 'ms-bbbbb', true]],
    );
    assert.equal(infra.metadata.annotations?.['cluster.x-k8s.io/cloned-from-name'], 't');

    const set = await theSet(w);
    assert.deepEqual(set.metadata.finalizers, ['cluster.x-k8s.io/machineset']);
    assert.deepEqual(
      set.metadata.ownerReferences?.map(({ kind, name }) => `${kind}/${name}`),
      ['Cluster/c'],
    );
    const { conditions, ...status } = set.status ?? {};
    assert.deepEqual(status, {
      selector: 'cluster.x-k8s.io/set-name=ms',
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      observedGeneration: 1,
    });
    assert.deepEqual(
      conditions?.map(({ type, status: is }) => `${type} ${is}`),
      ['Ready True', 'MachinesCreated True', 'MachinesReady True', 'Resized True'],
    );
    const template = await w.client.get<KubeObject>(metalMachineTemplate, at('t'));
    assert.deepEqual(
      template.metadata.ownerReferences?.map(({ kind }) => kind),
      ['Cluster'],
    );
  });

  it('follows its size up, down and to nothing, and goes with all its Machines', async () => {
    await using w = await start([...clusterSeeds, machineSetSeed(1)]);
    for (const replicas of [4, 2, 0, 3]) {
      await edit(w, { spec: { replicas } });
      await w.settle();
      assert.equal((await names(w)).length, replicas);
      assert.equal((await theSet(w)).status?.readyReplicas, replicas);
    }
    await w.client.delete(machineSet, at('ms'));
    await w.settle();
    assert.equal(await w.find(machineSet, at('ms')), undefined);
    for (const kind of [machine, metalMachine, talosConfig] as const) assert.deepEqual(await names(w, kind), []);
  });

  it('waits for its last Machine when it is deleted, and says so', async () => {
    const fake = { broken: new Set<string>(), stuck: new Set(['ms-bbbbb']) };
    await using w = await start([...clusterSeeds, machineSetSeed(2)], fake);
    await w.client.delete(machineSet, at('ms'));
    await w.settle();
    const set = await theSet(w);
    assert.equal(set.status?.replicas, 1);
    assert.equal(conditionOf(set, 'Ready')?.message, 'waiting for 1 machines to go, Machine ms-bbbbb first');
    assert.equal(set.status?.waitingFor, 'dependent objects to go');
  });

  it('replaces a Machine only when its place is free', async () => {
    const fake = { broken: new Set<string>(), stuck: new Set(['ms-bbbbb']) };
    await using w = await start([...clusterSeeds, machineSetSeed(2)], fake);
    await w.client.delete(machine, at('ms-bbbbb'));
    await w.settle();
    assert.deepEqual(await names(w), ['ms-bbbbb', 'ms-bbbbc']);
    const set = await theSet(w);
    assert.deepEqual([set.status?.replicas, set.status?.readyReplicas], [2, 1]);
    assert.equal(conditionOf(set, 'Ready')?.message, '1 of 2 machines are being deleted, Machine ms-bbbbb first');
    fake.stuck.clear();
    await w.client.patch(machine, at('ms-bbbbb'), { type: 'merge', body: { metadata: { labels: { poke: '1' } } } });
    await w.settle();
    assert.deepEqual(await names(w), ['ms-bbbbc', 'ms-bbbbd']);
  });

  it('names the deepest cause of a Machine that is not ready', async () => {
    await using w = await start([...clusterSeeds, machineSetSeed(2)], {
      broken: new Set(['ms-bbbbc']),
      stuck: new Set(),
    });
    const set = await theSet(w);
    assert.equal(set.status?.waitingFor, 'a free, clean server');
    const { reason, message } = conditionOf(set, 'Ready') ?? {};
    assert.deepEqual([reason, message], ['NoServerAvailable', 'Machine ms-bbbbc: no Server is free']);
    assert.equal(conditionOf(set, 'Resized')?.reason, 'ScalingUp');
    assert.deepEqual([set.status?.replicas, set.status?.readyReplicas], [2, 1]);
  });

  it('counts a Machine as available when it has been ready for minReadySeconds', async () => {
    await using w = await start([...clusterSeeds, machineSetSeed(1, { minReadySeconds: 30 })]);
    assert.deepEqual([(await theSet(w)).status?.readyReplicas, (await theSet(w)).status?.availableReplicas], [1, 0]);
    await w.settle(31_000);
    assert.equal((await theSet(w)).status?.availableReplicas, 1);
  });

  it('adopts selected Machines that nobody owns, and lets go of those that are no longer selected', async () => {
    const labels = { 'cluster.x-k8s.io/set-name': 'ms', 'cluster.x-k8s.io/cluster-name': 'c' };
    const spec = { clusterName: 'c', bootstrap: { dataSecretName: 'd' }, infrastructureRef: ref(metalMachine, 'own') };
    const others = { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u', controller: true }] };
    await using w = await start([
      ...clusterSeeds,
      machineSetSeed(2),
      seed(machine, 'orphan', { spec }, { labels }),
      seed(machine, 'taken', { spec }, { labels, ...others }),
    ]);
    assert.deepEqual(await names(w), ['ms-bbbbb', 'orphan', 'taken']);
    const owner = async (name: string) => (await w.find(machine, at(name)))?.metadata.ownerReferences?.[0]?.name;
    assert.deepEqual([await owner('orphan'), await owner('taken')], ['ms', 'x']);

    const body = { metadata: { labels: { 'cluster.x-k8s.io/set-name': null } } };
    await w.client.patch(machine, at('orphan'), { type: 'merge', body });
    await w.settle();
    assert.equal(await owner('orphan'), undefined);
    assert.deepEqual(await names(w), ['ms-bbbbb', 'ms-bbbbc', 'orphan', 'taken']);
    assert.ok(w.events.includes('MachineSet default/ms: SuccessfulAdopt'));
    assert.ok(w.events.includes('MachineSet default/ms: SuccessfulRelease'));
  });

  it('brings labels, annotations and time spans to Machines without making them anew', async () => {
    await using w = await start([...clusterSeeds, machineSetSeed(1)]);
    await edit(w, {
      spec: {
        template: {
          metadata: { labels: { zone: 'a' }, annotations: { note: 'n' } },
          spec: { nodeDrainTimeout: '90s', nodeDeletionTimeout: '1m' },
        },
      },
    });
    await w.settle();
    const [one] = await machinesOf(w);
    assert.equal(one?.metadata.name, 'ms-bbbbb');
    assert.equal(one.metadata.labels?.['zone'], 'a');
    assert.equal(one.metadata.annotations?.['note'], 'n');
    assert.deepEqual([one.spec?.nodeDrainTimeout, one.spec?.nodeDeletionTimeout], ['90s', '1m']);
    for (const kind of [metalMachine, talosConfig] as const) {
      const part = await w.client.get<KubeObject>(kind, at('ms-bbbbb'));
      assert.deepEqual([part.metadata.labels?.['zone'], part.metadata.annotations?.['note']], ['a', 'n']);
    }
  });

  it('does not own what clones have from their templates, or it would take that away again as no longer wanted', async () => {
    const memory = createMemoryClient({
      clock: createFakeClock(1_700_000_000_000),
      objects: [...clusterSeeds, machineSetSeed(1)],
    });
    const managers: string[] = [];
    const create: typeof memory.create = (kind, made, options) => {
      managers.push(`${kind.kind} ${options?.fieldManager}`);
      return memory.create(kind, made, options);
    };
    await using w = await start([], undefined, { ...memory, create });
    assert.deepEqual(managers, ['Machine capi-machineset', 'MetalMachine undefined', 'TalosConfig undefined']);
    const infra = await w.client.get<KubeObject>(metalMachine, at('ms-bbbbb'));
    assert.ok(infra.metadata.annotations?.['cluster.x-k8s.io/cloned-from-name']);
    assert.equal(infra.metadata.labels?.['cluster.x-k8s.io/set-name'], 'ms');
  });

  it('is left alone while it or its Cluster is paused, says so, and goes on then', async () => {
    await using w = await start([
      ...clusterSeeds,
      machineSetSeed(2, {}, { annotations: { 'cluster.x-k8s.io/paused': '' } }),
    ]);
    assert.deepEqual(await names(w), []);
    const paused = (await w.client.get(machineSet, at('ms'))).status;
    assert.equal(paused?.waitingFor, 'cluster or object to be unpaused');
    assert.deepEqual(
      paused?.conditions?.map(({ type, message }) => `${type}: ${message}`),
      ['Paused: nothing is done for the MachineSet; unpause it or its Cluster to go on'],
    );
    await edit(w, { metadata: { annotations: { 'cluster.x-k8s.io/paused': null } } });
    await w.settle();
    assert.equal((await names(w)).length, 2);
    const { conditions } = (await w.client.get(machineSet, at('ms'))).status ?? {};
    assert.equal(
      conditions?.some(({ type }) => type === 'Paused'),
      false,
    );
  });

  it('makes nothing when it is deleted while it is paused', async () => {
    await using w = await start([
      ...clusterSeeds,
      machineSetSeed(2, {}, { annotations: { 'cluster.x-k8s.io/paused': '' } }),
    ]);
    await w.client.delete(machineSet, at('ms'));
    await edit(w, { metadata: { annotations: { 'cluster.x-k8s.io/paused': null } } }).catch(() => undefined);
    await w.settle();
    assert.deepEqual(await names(w), []);
  });

  it('says what the API refuses when a Machine is to go', async () => {
    const shared = createMemoryClient({
      clock: createFakeClock(1_700_000_000_000),
      objects: [...clusterSeeds, machineSetSeed(2)],
      intercept: (verb, kind) => {
        if (verb !== 'delete' || kind.kind !== machine.kind) return;
        throw new BloomeryError('BLM_API_FORBIDDEN', 'admission webhook "guard" denied the request');
      },
    });
    await using w = await start([], undefined, shared);
    await edit(w, { spec: { replicas: 1 } });
    await w.settle();
    const { status } = await w.client.get(machineSet, at('ms'));
    assert.match(JSON.stringify(status?.conditions), /admission webhook .{1,3}guard.{1,3} denied the request/);
    assert.equal(status?.waitingFor, WAIT_REASONS.StepRefused.short);
  });

  it('deletes marked Machines first, then unhealthy ones', async () => {
    const fake = { broken: new Set(['ms-bbbbd']), stuck: new Set<string>() };
    await using w = await start([...clusterSeeds, machineSetSeed(4)], fake);
    const body = { metadata: { annotations: { 'cluster.x-k8s.io/delete-machine': '' } } };
    await w.client.patch(machine, at('ms-bbbbf'), { type: 'merge', body });
    await edit(w, { spec: { replicas: 3 } });
    await w.settle();
    assert.deepEqual(await names(w), ['ms-bbbbb', 'ms-bbbbc', 'ms-bbbbd']);
    await edit(w, { spec: { replicas: 2 } });
    await w.settle();
    assert.deepEqual(await names(w), ['ms-bbbbb', 'ms-bbbbc']);
  });

  it('replaces a Machine that a MachineHealthCheck marked', async () => {
    await using w = await start([...clusterSeeds, machineSetSeed(2)]);
    const marks = ['HealthCheckSucceeded', 'OwnerRemediated'].map((type) => ({
      type,
      status: 'False',
      lastTransitionTime: '2023-01-01T00:00:00Z',
    }));
    await w.status(machine, at('ms-bbbbb'), { conditions: marks });
    await w.settle();
    assert.deepEqual(await names(w), ['ms-bbbbc', 'ms-bbbbd']);
  });
});

describe('a MachineSet makes no Machines', () => {
  const held: [why: string, change: (w: Seeds) => Seeds, reason: string, waitingFor: string, message: RegExp][] = [
    [
      'while the control plane is missing',
      (seeds) => seeds.filter(({ kind }) => kind !== talosControlPlane),
      'PreflightCheckFailed',
      'control plane',
      /^TalosControlPlane default\/cp does not exist; create it$/,
    ],
    [
      'while the control plane is being created',
      (seeds) => withStatus(seeds, {}),
      'PreflightCheckFailed',
      'control plane upgrade',
      /^TalosControlPlane default\/cp is being created: none of its machines has a version yet$/,
    ],
    [
      'while the control plane is being upgraded',
      (seeds) => withStatus(seeds, { version: 'v1.31.9' }),
      'PreflightCheckFailed',
      'control plane upgrade',
      /^TalosControlPlane default\/cp is being upgraded from v1.31.9 to v1.32.0$/,
    ],
    [
      'without its infrastructure template',
      (seeds) => seeds.filter(({ kind }) => kind !== metalMachineTemplate),
      'InfrastructureTemplateCloningFailed',
      'machine template to exist',
      /^spec.template.spec.infrastructureRef: MetalMachineTemplate default\/t does not exist; create it$/,
    ],
    [
      'without its bootstrap template',
      (seeds) => seeds.filter(({ kind }) => kind !== talosConfigTemplate),
      'BootstrapTemplateCloningFailed',
      'machine template to exist',
      /^spec.template.spec.bootstrap.configRef: TalosConfigTemplate default\/t does not exist; create it$/,
    ],
  ];
  const withStatus = (seeds: Seeds, status: JsonObject): Seeds =>
    seeds.map((one) =>
      one.kind === talosControlPlane ? { ...one, object: { ...one.object, status } as unknown as KubeObject } : one,
    );

  for (const [why, change, reason, waitingFor, message] of held) {
    it(`${why}, says so, and goes on as soon as that changed`, async () => {
      await using w = await start([...change(clusterSeeds), machineSetSeed(2)]);
      assert.deepEqual(await names(w), []);
      const set = await theSet(w);
      assert.equal(conditionOf(set, 'MachinesCreated')?.reason, reason);
      assert.match(conditionOf(set, 'Ready')?.message ?? '', message);
      assert.equal(set.status?.waitingFor, waitingFor);
      assert.equal(w.events.filter((event) => event.startsWith('MachineSet')).length, 1);

      for (const { kind, object } of clusterSeeds) {
        if ((await w.find(kind, object.metadata)) === undefined) await w.put(kind, object);
      }
      await w.status(talosControlPlane, at('cp'), { version: 'v1.32.0' });
      await w.settle(0);
      assert.equal((await names(w)).length, 2);
      assert.equal(conditionOf(await theSet(w), 'Ready')?.status, 'True');
    });
  }

  it('of a version that the control plane does not allow, unless told to', async () => {
    const set = machineSetSeed(1);
    await using w = await start([...clusterSeeds, set]);
    await edit(w, { spec: { replicas: 2, template: { spec: { version: 'v1.33.0' } } } });
    await w.settle();
    assert.equal((await names(w)).length, 1);
    assert.equal((await theSet(w)).status?.waitingFor, 'version the control plane allows');
    const annotations = { 'machineset.cluster.x-k8s.io/skip-preflight-checks': 'KubernetesVersionSkew' };
    await edit(w, { metadata: { annotations } });
    await w.settle();
    assert.equal((await names(w)).length, 2);
  });

  it('of a kind that is no template', async () => {
    const set = machineSetSeed(1);
    await using w = await start([...clusterSeeds, set]);
    await edit(w, { spec: { replicas: 2, template: { spec: { infrastructureRef: ref(metalMachine, 'ms-bbbbb') } } } });
    await w.settle();
    assert.deepEqual(await names(w), ['ms-bbbbb']);
    assert.equal(conditionOf(await theSet(w), 'MachinesCreated')?.reason, 'InfrastructureTemplateCloningFailed');
    assert.equal(
      conditionOf(await theSet(w), 'Ready')?.message,
      'spec.template.spec.infrastructureRef: MetalMachine default/ms-bbbbb is no template: its kind does not end in Template; name one that does',
    );
  });

  it('that the API refuses, and tries again by itself', async () => {
    let isRefused = true;
    const client = createMemoryClient({
      clock: createFakeClock(1_700_000_000_000),
      objects: [...clusterSeeds, machineSetSeed(1)],
      intercept: (verb, kind) => {
        if (verb !== 'create' || kind.kind !== 'Machine' || !isRefused) return;
        throw new BloomeryError('BLM_API_INVALID', 'machines is invalid: spec.version: too old');
      },
    });
    const random = countingBytes();
    await using w = await startWorld((kinds) => [createMachineSetController({ kinds, random })], [], client);
    await w.settle();
    const set = await theSet(w);
    assert.equal(conditionOf(set, 'MachinesCreated')?.reason, 'MachineCreationFailed');
    assert.deepEqual(
      [set.status?.failureReason, set.status?.failureMessage, set.status?.waitingFor],
      ['CreateError', 'machines is invalid: spec.version: too old', 'a machine template that can be used'],
    );
    isRefused = false;
    await w.settle(31_000);
    assert.equal((await names(w)).length, 1);
    assert.equal((await theSet(w)).status?.failureReason, undefined);
  });

  it('while it is told not to', async () => {
    const annotations = { 'cluster.x-k8s.io/disable-machine-create': 'true' };
    await using w = await start([...clusterSeeds, machineSetSeed(2, {}, { annotations })]);
    assert.deepEqual(await names(w), []);
  });
});
