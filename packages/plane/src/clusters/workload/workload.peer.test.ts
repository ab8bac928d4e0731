import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createObjectCache, createRemoteClient, loadKubeconfig, type RemoteClient } from '@bloomery/kube';
import { createMemoryClient } from '@bloomery/kube/testing';
import { type KubeApiserver, missingPeers, startKubeApiserver } from '@bloomery/kubeapi/testing';
import {
  type Cluster,
  cluster as clusterKind,
  type KindRef,
  type KubeObject,
  type Machine,
  type Node,
  node as nodeKind,
  type Pod,
  pod as podKind,
  secret,
} from '@bloomery/model';
import { errorText, silentLog, systemClock, until } from '@bloomery/ports';
import { setProviderIdOfNode } from '../../allocation/metal-machine/provider-set.ts';
import { createWorkloadClusters } from './create-workload-clusters.ts';
import { drainNode } from './drain.ts';
import { ensureKubeconfig } from './kubeconfig-secret.ts';
import { deleteNode, waitForVolumes } from './node-removal.ts';
import type { NodeStep } from './node-step.ts';
import { syncNode } from './node-sync.ts';
import type { WorkloadClusters, WorkloadState } from './workload-clusters.ts';

const KEY = { name: 'c', namespace: 'n' };
const CLUSTER: Cluster = {
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Cluster',
  metadata: { ...KEY, resourceVersion: '1' },
};
const OWNER: KubeObject = {
  apiVersion: 'x/v1',
  kind: 'TalosControlPlane',
  metadata: { name: 'cp', namespace: 'n', uid: 'u' },
};
const SERVER = '7dd2f3c9-0000-4000-8000-000000000001';
const budget: KindRef = {
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  scope: 'Namespaced',
};
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const missing = missingPeers();

const nodeOf = (name: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'metal.sidero.dev/uuid': SERVER } },
  spec: { taints: [{ key: 'node.cluster.x-k8s.io/uninitialized', effect: 'NoSchedule' }] },
});

/** A Pod that the scheduler has put on Node w; no kubelet runs it. */
function podOf(name: string, ownerKind?: string): Pod {
  const owner = { apiVersion: 'apps/v1', kind: ownerKind ?? '', name: 'x', uid: SERVER, controller: true };
  const metadata = {
    name,
    namespace: 'default',
    labels: { app: name },
    ...(ownerKind === undefined ? {} : { ownerReferences: [owner] }),
  };
  const spec = { nodeName: 'w', terminationGracePeriodSeconds: 30, containers: [{ name: 'c', image: 'i' }] };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec };
}

describe('a workload cluster with a real kube-apiserver', { skip: missing ?? false }, () => {
  let api: KubeApiserver;
  let admin: RemoteClient;
  let clusters: WorkloadClusters;
  let management: ReturnType<typeof createMemoryClient>;
  const stop = new AbortController();

  const explain = { explain: () => JSON.stringify(clusters.state(KEY)) };
  const becomes = (state: WorkloadState['state'], deadlineMs = 60_000) =>
    until(`state ${state}`, () => clusters.state(KEY).state === state, { ...explain, deadlineMs });
  const deps = () => ({ clusters, clock: systemClock });
  const step = (timeoutMs = 0) => ({ cluster: KEY, nodeName: 'w', startedMs: Date.now(), timeoutMs });
  const messageOf = (done: NodeStep): string => (done.done ? `done ${done.skipped ?? ''}`.trim() : done.message);
  const ensure = async (port = Number(new URL(api.url).port)) => {
    const endpoint = { host: '127.0.0.1', port };
    return ensureKubeconfig(
      { client: management, clock: systemClock, random },
      { cluster: CLUSTER, owner: OWNER, endpoint },
    );
  };

  before(async () => {
    api = await startKubeApiserver();
    admin = createRemoteClient(await loadKubeconfig(api.kubeconfig));
    const encoded = (text: string): string => Buffer.from(text).toString('base64');
    const data = { 'tls.crt': encoded(api.caPem), 'tls.key': encoded(api.caKeyPem) };
    const authority = { apiVersion: 'v1', kind: 'Secret', metadata: { ...KEY, name: 'c-ca' }, data };
    management = createMemoryClient({ objects: [{ kind: secret, object: authority }] });
    const cache = createObjectCache();
    cache.put(clusterKind, CLUSTER);
    clusters = createWorkloadClusters(
      { client: management, cache, clock: systemClock, log: silentLog, random: Math.random },
      stop.signal,
    );
  });
  after(async () => {
    stop.abort();
    await clusters?.[Symbol.asyncDispose]();
    await admin?.[Symbol.asyncDispose]();
    await api?.[Symbol.asyncDispose]();
  });

  it('is reached with the kubeconfig that is made from its authority', async () => {
    clusters.state(KEY);
    await becomes('noKubeconfig');
    assert.equal((await ensure()).state, 'ready');
    await becomes('reachable');
    assert.deepEqual(clusters.nodes(KEY), []);
    await admin.create(nodeKind, nodeOf('w'));
    await until('Node w', () => clusters.nodes(KEY)?.length === 1, explain);
  });

  it('gets the provider id of a Node, which is seen by watch and cannot be changed', async () => {
    const outcome = await setProviderIdOfNode(clusters, KEY, SERVER, undefined);
    assert.deepEqual(outcome.condition, { type: 'ProviderSet', status: 'True' });
    await until('the provider id', () => clusters.nodeByProviderId(KEY, `sidero://${SERVER}`) !== undefined, explain);
    const refused = await clusters
      .client(KEY)
      .patch(nodeKind, { name: 'w' }, { type: 'merge', body: { spec: { providerID: 'other://x' } } })
      .then(() => 'nothing', errorText);
    assert.match(refused, /providerID/);
  });

  it('gets labels and annotations of the Machine on its Node, which loses its taint', async () => {
    const machine: Machine = {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'Machine',
      metadata: { name: 'm', namespace: 'n', labels: { 'node-role.kubernetes.io/gpu': '' } },
      spec: { clusterName: 'c', bootstrap: {}, infrastructureRef: {} },
    };
    const [found] = clusters.nodes(KEY) ?? [];
    assert.ok(found !== undefined);
    await syncNode(clusters.client(KEY), found, machine);
    const now = await admin.get(nodeKind, { name: 'w' });
    assert.equal(now.metadata.labels?.['node-role.kubernetes.io/gpu'], '');
    assert.equal(now.metadata.annotations?.['cluster.x-k8s.io/machine'], 'm');
    const keys = now.spec?.taints?.map(({ key }) => key) ?? [];
    assert.ok(!keys.includes('node.cluster.x-k8s.io/uninitialized'), keys.join());
  });

  it('has a Node drained: budgets hold, DaemonSets stay, what terminates is waited for', async () => {
    for (const pod of [podOf('web'), podOf('job', 'ReplicaSet'), podOf('ds', 'DaemonSet')])
      await admin.create(podKind, pod);
    // A Pod that never ran may always be evicted.
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    const web = { name: 'web', namespace: 'default' };
    await admin.patch(podKind, web, { type: 'merge', body: { status } }, { subresource: 'status' });
    const selector = { matchLabels: { app: 'web' } };
    const held = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web', namespace: 'default' },
    };
    await admin.create(budget, { ...held, spec: { minAvailable: 1, selector } } as KubeObject);
    assert.equal(
      messageOf(await drainNode(deps(), step())),
      'draining Node w: 1 Pod held by a PodDisruptionBudget (default/web), 1 Pod terminating (default/job)',
    );
    assert.equal((await admin.get(nodeKind, { name: 'w' })).spec?.unschedulable, true);
    await admin.delete(budget, web);
    assert.equal(
      messageOf(await drainNode(deps(), step())),
      'draining Node w: 2 Pods terminating (default/job, default/web)',
    );
    // What a kubelet does when the containers have ended.
    for (const name of ['web', 'job']) {
      const path = `/api/v1/namespaces/default/pods/${name}?gracePeriodSeconds=0`;
      await admin.transport.send({ method: 'DELETE', path });
    }
    assert.deepEqual(await drainNode(deps(), step()), { done: true });
    assert.deepEqual(
      (await admin.list(podKind)).items.map(({ metadata }) => metadata.name),
      ['ds'],
    );
    assert.deepEqual(await waitForVolumes(deps(), step()), { done: true });
  });

  it('is unreachable when its API is killed, and followed again when it is back', async () => {
    await api.kill();
    await becomes('unreachable');
    const state = clusters.state(KEY);
    assert.match(state.state === 'unreachable' ? state.why : '', /refuses connections/);
    assert.match(
      messageOf(await drainNode(deps(), step())),
      /^draining Node w waits: .* refuses connections: .*; it is skipped/,
    );
    await api.restart();
    await becomes('reachable');
    await admin.create(nodeKind, nodeOf('v'));
    await until('Node v', () => clusters.nodes(KEY)?.length === 2, explain);
  });

  it('is unreachable within half a minute when its API hangs, and followed again when it goes on', async () => {
    api.pause();
    await becomes('unreachable', 35_000);
    const state = clusters.state(KEY);
    assert.match(state.state === 'unreachable' ? state.why : '', /gives no answer in 10 s/);
    api.resume();
    await becomes('reachable');
  });

  it('is reached anew when its kubeconfig is renewed, and says when another authority made it', async () => {
    const text = async () => (await management.get(secret, { ...KEY, name: 'c-kubeconfig' })).data?.['value'];
    const first = await text();
    const clock = { ...systemClock, nowMs: () => Date.now() + 200 * 86_400_000 };
    const endpoint = { host: '127.0.0.1', port: Number(new URL(api.url).port) };
    const renewed = await ensureKubeconfig(
      { client: management, clock, random },
      { cluster: CLUSTER, owner: OWNER, endpoint },
    );
    assert.match(renewed.state === 'ready' ? (renewed.written ?? '') : '', /half of the life/);
    assert.notEqual(await text(), first);
    // The renewed certificate is valid only from then on, for the real API: it refuses it.
    await becomes('unreachable');
    const state = clusters.state(KEY);
    assert.match(
      state.state === 'unreachable' ? state.why : '',
      /does not accept the credentials of the kubeconfig \(401\)/,
    );
    await management.delete(secret, { ...KEY, name: 'c-kubeconfig' });
    await becomes('noKubeconfig');
    await ensure();
    await becomes('reachable');
  });

  it('loses its Node', async () => {
    assert.deepEqual(await deleteNode(deps(), step(10_000)), { done: true });
    await until('one Node', () => clusters.nodes(KEY)?.length === 1, explain);
  });
});
