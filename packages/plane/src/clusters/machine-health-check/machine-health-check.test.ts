import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject, KubeObject, Machine, MachineHealthCheck, Node } from '@bloomery/model';
import { machine, machineHealthCheck, machineSet, metalMachine, metalMachineTemplate, timeText } from '@bloomery/model';
import { startWorld, type World } from '../../allocation/testing/world.ts';
import { createMachineSetController } from '../machine-set/reconcile.ts';
import { at, clusterSeeds, countingBytes, createFakeNodes, machineSetSeed, ref, seed } from '../testing/sets-world.ts';
import type { WorkloadState } from '../workload/workload-clusters.ts';
import { createMachineHealthCheckController, type MachineHealthCheckDeps } from './reconcile.ts';

const START_MS = 1_700_000_000_000;

/** The Nodes of the Cluster `c`, as a test wants them to be. */
function fakeWorkload() {
  const nodes = new Map<string, Node>();
  const listeners = new Set<() => void>();
  let state: WorkloadState = { state: 'reachable' };
  const workload: MachineHealthCheckDeps['workload'] = {
    state: () => state,
    nodes: () => [...nodes.values()],
    wake: (map) => ({
      listen(wake) {
        const tell = (): void => {
          for (const key of map(at('c'), undefined)) wake(key);
        };
        listeners.add(tell);
        return () => listeners.delete(tell);
      },
    }),
  };
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    workload,
    set(name: string, ready: 'True' | 'False' | 'Unknown', sinceMs = START_MS): void {
      const conditions = [{ type: 'Ready', status: ready, lastTransitionTime: timeText(sinceMs) }];
      nodes.set(name, { apiVersion: 'v1', kind: 'Node', metadata: { name }, status: { conditions } });
      tell();
    },
    remove(name: string): void {
      nodes.delete(name);
      tell();
    },
    be(next: WorkloadState): void {
      state = next;
      tell();
    },
  };
}

const checkSeed = (spec: JsonObject = {}) =>
  seed(
    machineHealthCheck,
    'hc',
    {
      spec: {
        clusterName: 'c',
        selector: { matchLabels: { 'cluster.x-k8s.io/set-name': 'ms' } },
        maxUnhealthy: '100%',
        nodeStartupTimeout: '10m0s',
        unhealthyConditions: [{ type: 'Ready', status: 'Unknown', timeout: '60s' }],
        ...spec,
      },
    },
    { uid: 'uid-hc' },
  );

/** Two workers of a set; with `owner` false nobody replaces them. */
async function start(spec: JsonObject = {}, owner = true) {
  const fake = fakeWorkload();
  for (const last of 'bcdfgh') fake.set(`node-ms-bbbb${last}`, 'True');
  const random = countingBytes();
  const both = (kinds: MachineHealthCheckDeps['kinds']) => [
    createMachineHealthCheckController({ kinds, workload: fake.workload }),
    createMachineSetController({ kinds, random }),
    createFakeNodes(),
  ];
  const seeds = [...clusterSeeds, machineSetSeed(2), checkSeed(spec)];
  const world = await startWorld(both, seeds);
  await world.settle();
  if (!owner) {
    const body = { metadata: { annotations: { 'cluster.x-k8s.io/paused': '' } } };
    await world.client.patch(machineSet, at('ms'), { type: 'merge', body });
  }
  return { fake, world };
}

const names = async (w: World) => (await w.client.list(machine)).items.map(({ metadata }) => metadata.name);
const conditionsOf = async (w: World, name: string) =>
  Object.fromEntries(
    ((await w.find(machine, at(name)))?.status?.conditions ?? [])
      .filter(({ type }) => type === 'HealthCheckSucceeded' || type === 'OwnerRemediated')
      .map(({ type, status, reason }) => [type, [status, ...(reason === undefined ? [] : [reason])].join(' ')]),
  );
const theCheck = async (w: World): Promise<MachineHealthCheck> => await w.client.get(machineHealthCheck, at('hc'));

describe('a MachineHealthCheck', () => {
  it('says of healthy Machines that they are, and counts them', async () => {
    const { world } = await start();
    await using w = world;
    assert.deepEqual(await conditionsOf(w, 'ms-bbbbb'), { HealthCheckSucceeded: 'True' });
    const { conditions, ...status } = (await theCheck(w)).status ?? {};
    assert.deepEqual(status, {
      expectedMachines: 2,
      currentHealthy: 2,
      remediationsAllowed: 2,
      targets: ['ms-bbbbb', 'ms-bbbbc'],
      observedGeneration: 1,
    });
    assert.deepEqual(
      conditions?.map(({ type, status: is }) => `${type} ${is}`),
      ['Ready True', 'RemediationAllowed True'],
    );
    assert.deepEqual(
      (await theCheck(w)).metadata.ownerReferences?.map(({ kind }) => kind),
      ['Cluster'],
    );
  });

  it('has a Machine replaced whose Node is bad for too long, at that moment and not before', async () => {
    const { fake, world } = await start();
    await using w = world;
    fake.set('node-ms-bbbbb', 'Unknown', START_MS + 1000);
    await w.settle(50_000);
    assert.deepEqual(await names(w), ['ms-bbbbb', 'ms-bbbbc']);
    assert.equal((await theCheck(w)).status?.currentHealthy, 1);
    await w.settle(12_000);
    assert.deepEqual(await names(w), ['ms-bbbbc', 'ms-bbbbd']);
    assert.ok(w.events.includes('Machine default/ms-bbbbb: MachineMarkedUnhealthy'));
  });

  it('has a Machine replaced whose Node is gone, at once', async () => {
    const { fake, world } = await start();
    await using w = world;
    fake.remove('node-ms-bbbbc');
    await w.settle(0);
    assert.deepEqual(await names(w), ['ms-bbbbb', 'ms-bbbbd']);
  });

  it('has a Machine replaced that a user marked', async () => {
    const { world } = await start();
    await using w = world;
    const body = { metadata: { annotations: { 'cluster.x-k8s.io/remediate-machine': '' } } };
    await w.client.patch(machine, at('ms-bbbbb'), { type: 'merge', body });
    await w.settle(0);
    assert.deepEqual(await names(w), ['ms-bbbbc', 'ms-bbbbd']);
  });

  it('takes its mark back when the Machine is healthy again before it was replaced', async () => {
    const { fake, world } = await start({}, false);
    await using w = world;
    fake.set('node-ms-bbbbb', 'Unknown', START_MS - 60_000);
    await w.settle();
    assert.deepEqual(await conditionsOf(w, 'ms-bbbbb'), {
      HealthCheckSucceeded: 'False UnhealthyNode',
      OwnerRemediated: 'False WaitingForRemediation',
    });
    fake.set('node-ms-bbbbb', 'True');
    await w.settle();
    assert.deepEqual(await conditionsOf(w, 'ms-bbbbb'), { HealthCheckSucceeded: 'True' });
  });

  it('replaces none when too many are unhealthy, and says so once', async () => {
    const { fake, world } = await start({ maxUnhealthy: 1 });
    await using w = world;
    fake.be({ state: 'connecting' });
    for (const name of ['node-ms-bbbbb', 'node-ms-bbbbc']) fake.set(name, 'Unknown', START_MS - 60_000);
    fake.be({ state: 'reachable' });
    await w.settle();
    assert.deepEqual(await names(w), ['ms-bbbbb', 'ms-bbbbc']);
    assert.deepEqual(await conditionsOf(w, 'ms-bbbbb'), { HealthCheckSucceeded: 'False UnhealthyNode' });
    const found = await theCheck(w);
    assert.equal(found.status?.waitingFor, 'fewer unhealthy machines');
    assert.equal(found.status?.remediationsAllowed, 0);
    assert.equal(
      w.events.filter((event) => event === 'MachineHealthCheck default/hc: RemediationRestricted').length,
      1,
    );

    fake.set('node-ms-bbbbc', 'True');
    await w.settle();
    assert.deepEqual(await names(w), ['ms-bbbbc', 'ms-bbbbd']);
  });

  it('judges no Node while the cluster does not answer', async () => {
    const { fake, world } = await start();
    await using w = world;
    fake.set('node-ms-bbbbb', 'Unknown', START_MS + 1000);
    fake.be({ state: 'unreachable', sinceMs: START_MS, why: 'connection refused' });
    await w.settle(600_000);
    assert.deepEqual(await names(w), ['ms-bbbbb', 'ms-bbbbc']);
    assert.equal((await theCheck(w)).status?.waitingFor, "cluster's Kubernetes API");
    fake.be({ state: 'reachable' });
    await w.settle(0);
    assert.deepEqual(await names(w), ['ms-bbbbc', 'ms-bbbbd']);
  });

  it('leaves replacing to an external remediation, and withdraws its request', async () => {
    const fake = fakeWorkload();
    fake.set('node-m', 'Unknown', START_MS - 60_000);
    const labels = { 'cluster.x-k8s.io/set-name': 'ms' };
    const spec = {
      clusterName: 'c',
      bootstrap: { dataSecretName: 'd' },
      infrastructureRef: ref(metalMachine, 'other'),
    };
    await using w = await startWorld(
      (kinds) => [createMachineHealthCheckController({ kinds, workload: fake.workload })],
      [
        ...clusterSeeds,
        seed(machine, 'm', { spec, status: { nodeRef: { name: 'node-m' } } }, { labels }),
        checkSeed({ remediationTemplate: ref(metalMachineTemplate, 'r') }),
      ],
    );
    await w.settle();
    const found = await theCheck(w);
    assert.equal(found.status?.waitingFor, 'machine template to exist');
    assert.equal(
      found.status?.conditions?.find(({ type }) => type === 'ExternalRemediationTemplateAvailable')?.reason,
      'ExternalRemediationTemplateNotFound',
    );
    const { kind, object } = seed(metalMachineTemplate, 'r', { spec: { template: { spec: {} } } });
    await w.put(kind, object);
    await w.settle();
    assert.equal((await theCheck(w)).status?.waitingFor, undefined);
    assert.deepEqual(await conditionsOf(w, 'm'), { HealthCheckSucceeded: 'False UnhealthyNode' });
    const request = await w.client.get<KubeObject>(metalMachine, at('m'));
    assert.equal(request.metadata.annotations?.['cluster.x-k8s.io/cloned-from-name'], 'r');
    assert.deepEqual(
      request.metadata.ownerReferences?.map(({ name }) => name),
      ['m'],
    );
    fake.set('node-m', 'True');
    await w.settle();
    assert.equal(await w.find<KubeObject>(metalMachine, at('m')), undefined);
  });

  it('marks Machines of the control plane too', async () => {
    const { fake, world } = await start({ selector: { matchLabels: { 'cluster.x-k8s.io/cluster-name': 'c' } } });
    await using w = world;
    const labels = { 'cluster.x-k8s.io/cluster-name': 'c', 'cluster.x-k8s.io/control-plane': '' };
    const owners = {
      ownerReferences: [{ apiVersion: 'v1', kind: 'TalosControlPlane', name: 'cp', uid: 'u', controller: true }],
    };
    const spec = { clusterName: 'c', bootstrap: { dataSecretName: 'd' }, infrastructureRef: ref(metalMachine, 'cp-0') };
    const one = seed(machine, 'cp-0', { spec, status: { nodeRef: { name: 'node-cp-0' } } }, { labels, ...owners });
    fake.set('node-cp-0', 'Unknown', START_MS - 60_000);
    await w.put(one.kind, one.object as Machine);
    await w.settle();
    assert.deepEqual(await conditionsOf(w, 'cp-0'), {
      HealthCheckSucceeded: 'False UnhealthyNode',
      OwnerRemediated: 'False WaitingForRemediation',
    });
  });

  it('says that its Cluster is missing', async () => {
    await using w = await startWorld(
      (kinds) => [createMachineHealthCheckController({ kinds, workload: fakeWorkload().workload })],
      [checkSeed()],
    );
    await w.settle();
    assert.equal((await theCheck(w)).status?.waitingFor, 'Cluster');
  });
});
