import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject, KindDefinition, KubeObject, OwnerReference } from '@bloomery/model';
import {
  apiVersionOf,
  cluster,
  machine,
  metalCluster,
  metalMachine,
  namespace,
  server,
  serverBinding,
  talosConfig,
} from '@bloomery/model';
import {
  createMetalMachineController,
  createServerBindingController,
  createServerClassController,
} from '../allocation/index.ts';
import { startWorld, type World } from '../allocation/testing/world.ts';
import { createClusterController } from './cluster/reconcile.ts';
import { createMachineController } from './machine/reconcile.ts';
import { createMetalClusterController } from './metal-cluster/reconcile.ts';
import { noWorkloads } from './workload/testing/no-workloads.ts';

const at = (name: string) => ({ name, namespace: 'default' });
const seed = (kind: KindDefinition, name: string, body: JsonObject = {}, metadata: JsonObject = {}) => ({
  kind,
  object: {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { ...(kind.scope === 'Cluster' ? { name } : at(name)), ...metadata },
    ...body,
  } as KubeObject,
});
const ref = (kind: KindDefinition, name: string) => ({ apiVersion: apiVersionOf(kind), kind: kind.kind, name });

const clusterSeed = seed(cluster, 'c', { spec: { infrastructureRef: ref(metalCluster, 'mc') } });
const metalClusterSeed = seed(metalCluster, 'mc', { spec: { controlPlaneEndpoint: { host: '10.0.0.1', port: 6443 } } });
const machineSeed = seed(machine, 'm', {
  spec: {
    clusterName: 'c',
    bootstrap: { configRef: ref(talosConfig, 'tc') },
    infrastructureRef: ref(metalMachine, 'mm'),
  },
});
const configSeed = seed(talosConfig, 'tc', { spec: { generateType: 'none' } });
const metalMachineSeed = seed(metalMachine, 'mm', { spec: { serverClassRef: { name: 'any' } } });
const serverSeed = seed(server, 's', { spec: { accepted: true }, status: { isClean: true } });
const all = [clusterSeed, metalClusterSeed, machineSeed, configSeed, metalMachineSeed, serverSeed];

const start = async (seeds: readonly ReturnType<typeof seed>[]): Promise<World> => {
  const w = await startWorld(
    (kinds) => [
      createClusterController(kinds),
      createMetalClusterController(),
      createMachineController({ ...kinds, workloads: noWorkloads }),
      createServerClassController(),
      createMetalMachineController(),
      createServerBindingController(),
    ],
    [seed(namespace, 'default'), ...seeds],
  );
  await w.settle();
  return w;
};
const owners = (object: KubeObject | undefined): readonly string[] =>
  object?.metadata.ownerReferences?.map((o) => `${o.kind}/${o.name}${o.controller === true ? '!' : ''}`) ?? [];

describe('the core opens the gates', () => {
  it('a Cluster claims its MetalCluster, takes its endpoint and becomes Provisioned', async () => {
    await using w = await start([clusterSeed, metalClusterSeed]);
    const mc = await w.find(metalCluster, at('mc'));
    assert.deepEqual(owners(mc), ['Cluster/c!']);
    assert.equal(mc?.metadata.labels?.['cluster.x-k8s.io/cluster-name'], 'c');
    assert.equal(mc?.status?.ready, true);
    const c = await w.find(cluster, at('c'));
    assert.equal(c?.status?.infrastructureReady, true);
    assert.deepEqual(c?.spec?.controlPlaneEndpoint, { host: '10.0.0.1', port: 6443 });
    assert.equal(c?.status?.phase, 'Provisioned');
  });

  it('a Machine goes from Pending to Provisioned as its config and its Server come', async () => {
    await using w = await start(all);
    let m = await w.find(machine, at('m'));
    assert.equal(m?.status?.phase, 'Pending');
    assert.equal(m?.status?.conditions?.[0]?.reason, 'WaitingForBootstrapData');
    assert.deepEqual(owners(await w.find(talosConfig, at('tc'))), ['Machine/m!']);
    assert.deepEqual(owners(await w.find(metalMachine, at('mm'))), ['Machine/m!']);
    assert.deepEqual(owners(m), ['Cluster/c']);

    await w.status(talosConfig, at('tc'), { initialization: { dataSecretCreated: true }, dataSecretName: 'm-data' });
    await w.settle();
    m = await w.find(machine, at('m'));
    assert.equal(m?.spec?.bootstrap.dataSecretName, 'm-data');
    assert.equal(m?.spec?.providerID, 'sidero://s');
    assert.equal(m?.status?.phase, 'Provisioned');
    assert.equal(m?.status?.infrastructureReady, true);
    assert.equal(m?.status?.conditions?.[0]?.reason, 'WaitingForPowerOn', 'the deepest cause');

    await w.client.patch(serverBinding, { name: 's' }, { type: 'merge', body: { spec: { addresses: ['10.0.0.9'] } } });
    await w.status(
      serverBinding,
      { name: 's' },
      {
        conditions: [{ type: 'TalosInstalled', status: 'True', lastTransitionTime: '2024-01-01T00:00:00Z' }],
      },
    );
    await w.settle();
    m = await w.find(machine, at('m'));
    assert.deepEqual(m?.status?.addresses, [{ type: 'InternalIP', address: '10.0.0.9' }]);
    assert.equal(m?.status?.conditions?.find((c) => c.type === 'InfrastructureReady')?.status, 'True');
    assert.equal(m?.status?.conditions?.[0]?.reason, 'WaitingForNode', 'only its Node is missing');
  });

  it('deleting the Cluster takes the Machine, the MetalMachine and the infrastructure with it, in order', async () => {
    await using w = await start(all);
    await w.status(talosConfig, at('tc'), { initialization: { dataSecretCreated: true }, dataSecretName: 'm-data' });
    await w.settle();
    await w.client.delete(cluster, at('c'));
    await w.settle();
    for (const kind of [cluster, machine, metalMachine, metalCluster, talosConfig, serverBinding] as const) {
      assert.deepEqual((await w.client.list<KubeObject>(kind)).items, [], kind.kind);
    }
    assert.notEqual((await w.find(server, { name: 's' }))?.status?.released, undefined);
  });
});

describe('the core steps aside', () => {
  const foreign: OwnerReference = { apiVersion: 'v1', kind: 'Machine', name: 'other', uid: 'u' };
  it('owner references, labels and the endpoint that a user has set stay', async () => {
    const owned = {
      ownerReferences: [foreign] as unknown as JsonObject[],
      labels: { 'cluster.x-k8s.io/cluster-name': 'mine' },
    };
    await using w = await start([
      seed(cluster, 'c', {
        spec: { infrastructureRef: ref(metalCluster, 'mc'), controlPlaneEndpoint: { host: 'own', port: 1 } },
      }),
      metalClusterSeed,
      machineSeed,
      seed(metalMachine, 'mm', { spec: { serverClassRef: { name: 'any' } } }, owned),
    ]);
    const mm = await w.find(metalMachine, at('mm'));
    assert.deepEqual(owners(mm), ['Machine/other']);
    assert.equal(mm?.metadata.labels?.['cluster.x-k8s.io/cluster-name'], 'mine');
    assert.equal((await w.find(cluster, at('c')))?.spec?.controlPlaneEndpoint?.host, 'own');
  });

  it('a Machine that is deleted leaves what another Machine owns', async () => {
    const owned = { ownerReferences: [foreign] as unknown as JsonObject[] };
    await using w = await start([
      clusterSeed,
      metalClusterSeed,
      machineSeed,
      seed(metalMachine, 'mm', { spec: { serverClassRef: { name: 'any' } } }, owned),
    ]);
    await w.client.delete(machine, at('m'));
    await w.settle();
    assert.equal(await w.find(machine, at('m')), undefined);
    assert.equal((await w.find(metalMachine, at('mm')))?.metadata.deletionTimestamp, undefined);
    assert.notEqual(await w.find(metalMachine, at('mm')), undefined);
  });

  it('a secret, a provider id and a ready flag that a user has set stay', async () => {
    const spec = { ...(machineSeed.object as unknown as { spec: JsonObject }).spec };
    await using w = await start([
      seed(cluster, 'c', { spec: {}, status: { infrastructureReady: true } }),
      seed(machine, 'm', { spec: { ...spec, bootstrap: { dataSecretName: 'own' }, providerID: 'own://x' } }),
      metalMachineSeed,
      serverSeed,
    ]);
    const m = await w.find(machine, at('m'));
    assert.equal(m?.spec?.bootstrap.dataSecretName, 'own');
    assert.equal(m?.spec?.providerID, 'own://x');
    assert.equal((await w.find(cluster, at('c')))?.status?.infrastructureReady, true);
    assert.equal((await w.find(metalMachine, at('mm')))?.spec?.serverRef?.name, 's');
  });

  it('a paused Cluster is left alone', async () => {
    await using w = await start([
      seed(cluster, 'c', { spec: { paused: true, infrastructureRef: ref(metalCluster, 'mc') } }),
      metalClusterSeed,
      machineSeed,
      metalMachineSeed,
    ]);
    assert.deepEqual(owners(await w.find(metalCluster, at('mc'))), []);
    assert.deepEqual(owners(await w.find(metalMachine, at('mm'))), []);
  });

  it('a MetalCluster whose Cluster is gone can be deleted', async () => {
    const lost = {
      ownerReferences: [{ ...foreign, kind: 'Cluster' }] as unknown as JsonObject[],
      finalizers: ['metalcluster.infrastructure.cluster.x-k8s.io'],
    };
    await using w = await start([seed(metalCluster, 'mc', {}, lost)]);
    await w.client.delete(metalCluster, at('mc'));
    await w.settle();
    assert.equal(await w.find(metalCluster, at('mc')), undefined);
  });
});
