import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createObjectCache, type ObjectClient } from '@bloomery/kube';
import { createMemoryClient, type MemoryClient } from '@bloomery/kube/testing';
import {
  type Cluster,
  cluster as clusterKind,
  type KindRef,
  type KubeObject,
  type Node,
  node as nodeKind,
  type ObjectKey,
  secret,
} from '@bloomery/model';
import { createFakeClock, silentLog, systemClock, until } from '@bloomery/ports';
import type { CertificateAuthority } from '@bloomery/talos';
import { createAdminKubeconfig } from './admin-kubeconfig.ts';
import { createWorkloadClusters } from './create-workload-clusters.ts';
import { createFakeAuthority, type FakeWorkloadApi, startFakeWorkloadApi } from './testing/fake-workload-api.ts';
import type { WorkloadState } from './workload-clusters.ts';

const KEY: ObjectKey = { name: 'c', namespace: 'n' };
const SECRET: ObjectKey = { name: 'c-kubeconfig', namespace: 'n' };
const CLUSTER: Cluster = {
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Cluster',
  metadata: { ...KEY, resourceVersion: '1' },
};
const nodeOf = (name: string, providerID = `sidero://${name}`): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: { providerID },
});
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

async function kubeconfigOf(api: Pick<FakeWorkloadApi, 'endpoint'>, authority: CertificateAuthority): Promise<string> {
  return createAdminKubeconfig({ clusterName: 'c', endpoint: api.endpoint, authority, nowMs: Date.now() }, random);
}

async function putKubeconfig(management: MemoryClient, text: string, type = 'cluster.x-k8s.io/secret'): Promise<void> {
  const data = { value: Buffer.from(text).toString('base64') };
  const found = await management.list(secret);
  if (found.items.length > 0) await management.patch(secret, SECRET, { type: 'merge', body: { data } });
  else await management.create(secret, { apiVersion: 'v1', kind: 'Secret', metadata: SECRET, type, data });
}

/** A management cluster with Cluster c, and the access to its workload cluster. */
function world(clock = systemClock, client?: ObjectClient) {
  const management = createMemoryClient({});
  const cache = createObjectCache();
  cache.put(clusterKind, CLUSTER);
  const stop = new AbortController();
  const clusters = createWorkloadClusters(
    { client: client ?? management, cache, clock, log: silentLog, random: () => 0.5 },
    stop.signal,
  );
  // The system clock's timers do not keep the process alive.
  const alive = setInterval(() => {}, 1000);
  return {
    management,
    cache,
    clusters,
    until: (what: string, holds: () => boolean) =>
      until(what, holds, { explain: () => JSON.stringify(clusters.state(KEY)) }),
    becomes: (state: WorkloadState['state']) =>
      until(`state ${state}`, () => clusters.state(KEY).state === state, {
        explain: () => JSON.stringify(clusters.state(KEY)),
      }),
    async [Symbol.asyncDispose]() {
      clearInterval(alive);
      stop.abort();
      await clusters[Symbol.asyncDispose]();
    },
  };
}

const why = (state: WorkloadState): string => (state.state === 'unreachable' ? state.why : state.state);

describe('access to workload clusters', () => {
  it('follows the Nodes of a cluster from the moment its kubeconfig is there', async () => {
    await using api = await startFakeWorkloadApi([nodeOf('a')]);
    await using t = world();
    const woken: string[] = [];
    const source = t.clusters.wake((cluster, node) => [{ ...cluster, name: node?.metadata.name ?? 'state' }]);
    source.listen(({ name }) => void woken.push(name));
    assert.deepEqual(t.clusters.state(KEY), { state: 'connecting' });
    await t.becomes('noKubeconfig');
    assert.equal(t.clusters.nodes(KEY), undefined);
    await putKubeconfig(t.management, await kubeconfigOf(api, api.authority));
    await t.becomes('reachable');
    assert.deepEqual(
      t.clusters.nodes(KEY)?.map(({ metadata }) => metadata.name),
      ['a'],
    );
    await api.objects.create(nodeKind, nodeOf('b'));
    await t.until('Node b', () => t.clusters.nodeByProviderId(KEY, 'sidero://b') !== undefined);
    await api.objects.delete(nodeKind, { name: 'a' });
    await t.until('one Node', () => t.clusters.nodes(KEY)?.length === 1);
    assert.deepEqual(
      woken.filter((name) => name !== 'state'),
      ['a', 'b', 'a'],
    );
    assert.ok(woken.includes('state'));
  });

  it('asks nothing of a cluster that nobody asks about, and nothing for one that does not exist', async () => {
    await using t = world();
    assert.deepEqual(t.clusters.state({ name: 'other', namespace: 'n' }), { state: 'noKubeconfig' });
    assert.equal(t.clusters.nodes({ name: 'other', namespace: 'n' }), undefined);
    await assert.rejects(t.clusters.client({ name: 'other', namespace: 'n' }).list(nodeKind), {
      code: 'BLM_WORKLOAD_UNREACHABLE',
    });
  });

  it('keeps what is needed of a Node, and is woken by what says something', async () => {
    const fat = {
      ...nodeOf('a'),
      status: { images: [{ names: ['x'] }], conditions: [{ type: 'Ready', status: 'True' }] },
    };
    await using api = await startFakeWorkloadApi([fat]);
    await using t = world();
    await putKubeconfig(t.management, await kubeconfigOf(api, api.authority));
    t.clusters.state(KEY);
    await t.becomes('reachable');
    assert.deepEqual(t.clusters.nodes(KEY)?.[0]?.status, { conditions: [{ type: 'Ready', status: 'True' }] });
    const woken: (string | undefined)[] = [];
    t.clusters
      .wake((cluster, node) => [{ ...cluster, name: node?.metadata.name ?? 'state' }])
      .listen(({ name }) => void woken.push(name));
    const beat = (status: object) =>
      api.objects.patch(
        nodeKind,
        { name: 'a' },
        { type: 'merge', body: { status } as never },
        { subresource: 'status' },
      );
    await beat({ conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z' }] });
    await beat({ conditions: [{ type: 'Ready', status: 'Unknown' }] });
    await t.until('Ready is Unknown', () => t.clusters.nodes(KEY)?.[0]?.status?.conditions?.[0]?.status === 'Unknown');
    assert.deepEqual(woken, ['a']);
  });

  it('names both Nodes when two carry one provider id', async () => {
    await using api = await startFakeWorkloadApi([nodeOf('a', 'sidero://x'), nodeOf('b', 'sidero://x')]);
    await using t = world();
    await putKubeconfig(t.management, await kubeconfigOf(api, api.authority));
    t.clusters.state(KEY);
    await t.becomes('reachable');
    assert.throws(
      () => t.clusters.nodeByProviderId(KEY, 'sidero://x'),
      /sidero:\/\/x in Cluster n\/c: a and b both carry/,
    );
    assert.equal(t.clusters.nodeByProviderId(KEY, ''), undefined);
  });

  it('reads through a client that can be kept over a restart of the API', async () => {
    await using api = await startFakeWorkloadApi([nodeOf('a')]);
    await using t = world();
    await putKubeconfig(t.management, await kubeconfigOf(api, api.authority));
    const client = t.clusters.client(KEY);
    await assert.rejects(client.list(nodeKind), { code: 'BLM_WORKLOAD_UNREACHABLE' });
    await t.becomes('reachable');
    assert.equal((await client.list(nodeKind)).items.length, 1);
    await api.stop();
    await t.becomes('unreachable');
    const state = t.clusters.state(KEY);
    assert.equal(why(state), `127.0.0.1:${api.endpoint.port} refuses connections: nothing listens there`);
    assert.equal(t.clusters.nodes(KEY)?.length, 1);
    await assert.rejects(client.list(nodeKind), /reaching the Kubernetes API of Cluster n\/c: .* refuses connections/);
    await api.objects.create(nodeKind, nodeOf('b'));
    await api.start();
    await t.becomes('reachable');
    await t.until('two Nodes', () => t.clusters.nodes(KEY)?.length === 2);
    assert.equal((await client.list(nodeKind)).items.length, 2);
  });

  it('is not unreachable because its connections were cut once', async () => {
    await using api = await startFakeWorkloadApi([nodeOf('a')]);
    await using t = world();
    await putKubeconfig(t.management, await kubeconfigOf(api, api.authority));
    t.clusters.state(KEY);
    await t.becomes('reachable');
    const states: string[] = [];
    t.clusters
      .wake((cluster, node) => (node === undefined ? [cluster] : []))
      .listen(() => {
        states.push(t.clusters.state(KEY).state);
      });
    api.cut();
    await api.objects.create(nodeKind, nodeOf('b'));
    await t.until('Node b', () => t.clusters.nodes(KEY)?.length === 2);
    assert.deepEqual(states, []);
  });

  it('follows a changed kubeconfig, and forgets the cluster when it goes', async () => {
    await using first = await startFakeWorkloadApi([nodeOf('a')]);
    await using second = await startFakeWorkloadApi([nodeOf('b')]);
    await using t = world();
    await putKubeconfig(t.management, await kubeconfigOf(first, first.authority));
    t.clusters.state(KEY);
    await t.until('Node a', () => t.clusters.nodes(KEY)?.[0]?.metadata.name === 'a');
    await putKubeconfig(t.management, await kubeconfigOf(second, second.authority));
    await t.until('Node b', () => t.clusters.nodes(KEY)?.[0]?.metadata.name === 'b');
    await t.management.delete(secret, SECRET);
    await t.becomes('noKubeconfig');
    assert.equal(t.clusters.nodes(KEY), undefined);
    await putKubeconfig(t.management, await kubeconfigOf(first, first.authority));
    await t.until('Node a again', () => t.clusters.nodes(KEY)?.[0]?.metadata.name === 'a');
    t.cache.remove(clusterKind, CLUSTER);
    assert.deepEqual(t.clusters.state(KEY), { state: 'noKubeconfig' });
  });

  it('does not stay with a kubeconfig that changed while it was being read', async () => {
    await using first = await startFakeWorkloadApi([nodeOf('a')]);
    await using second = await startFakeWorkloadApi([nodeOf('b')]);
    const management = createMemoryClient({});
    await putKubeconfig(management, await kubeconfigOf(first, first.authority));
    const old = await management.get(secret, SECRET);
    let answer: (() => void) | undefined;
    let reads = 0;
    const slow: ObjectClient = {
      ...management,
      async get<T extends KubeObject>(kind: KindRef<T>, key: ObjectKey): Promise<T> {
        if (++reads > 1) return management.get(kind, key);
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return old as unknown as T;
      },
    };
    await using t = world(systemClock, slow);
    t.clusters.state(KEY);
    await putKubeconfig(management, await kubeconfigOf(second, second.authority));
    // The watch has told the change by now.
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    answer?.();
    await t.until('Node b', () => t.clusters.nodes(KEY)?.[0]?.metadata.name === 'b');
  });

  const refusals: [name: string, want: RegExp, prepare: (api: FakeWorkloadApi) => Promise<string>][] = [
    [
      'a certificate of another authority',
      /^127\.0\.0\.1:\d+ shows a certificate of another authority than the kubeconfig names: another cluster may answer/,
      async (api) => kubeconfigOf(api, await createFakeAuthority()),
    ],
    [
      'credentials that are not accepted',
      /does not accept the credentials of the kubeconfig \(401\)$/,
      async (api) => {
        api.behave({ status: 401 });
        return kubeconfigOf(api, api.authority);
      },
    ],
    [
      'missing permissions',
      /does not let the user of the kubeconfig list Nodes \(403\)$/,
      async (api) => {
        api.behave({ status: 403 });
        return kubeconfigOf(api, api.authority);
      },
    ],
    [
      'an API that is not ready',
      /answers with an error: GET \/api\/v1\/nodes.*HTTP 503$/,
      async (api) => {
        api.behave({ status: 503 });
        return kubeconfigOf(api, api.authority);
      },
    ],
    ['what is no kubeconfig', /^reading kubeconfig in Secret c-kubeconfig: not a kubeconfig$/, async () => 'x'],
    [
      'a kubeconfig with a plugin',
      /credential plugin/,
      async (api) =>
        (await kubeconfigOf(api, api.authority)).replace(/^( +)client-key-data:/m, '$1exec: {command: sh}\n$1x:'),
    ],
    [
      'a kubeconfig that names files of ours',
      /names a file \(client-key\)/,
      async (api) =>
        (await kubeconfigOf(api, api.authority)).replace(/^( +)client-key-data:/m, '$1client-key: /etc/passwd\n$1x:'),
    ],
    [
      'a kubeconfig that skips verification',
      /sets insecure-skip-tls-verify/,
      async (api) =>
        (await kubeconfigOf(api, api.authority)).replace(
          /^( +)server:/m,
          '$1insecure-skip-tls-verify: true\n$1server:',
        ),
    ],
    [
      'a key that is damaged',
      /its certificates or key cannot be used/,
      async (api) => (await kubeconfigOf(api, api.authority)).replace(/client-key-data: .*/, 'client-key-data: AAAA'),
    ],
  ];
  for (const [name, want, prepare] of refusals) {
    it(`says in plain words: ${name}`, async () => {
      await using api = await startFakeWorkloadApi();
      await using t = world();
      await putKubeconfig(t.management, await prepare(api));
      t.clusters.state(KEY);
      await t.becomes('unreachable');
      assert.match(why(t.clusters.state(KEY)), want);
    });
  }

  it('notices an API that hangs by asking it for a sign of life, and only then', async () => {
    const clock = createFakeClock();
    await using api = await startFakeWorkloadApi([nodeOf('a')]);
    await using t = world(clock);
    await putKubeconfig(t.management, await kubeconfigOf(api, api.authority));
    t.clusters.state(KEY);
    await t.becomes('reachable');
    const asked = () => api.asked.filter((path) => path === '/livez').length;
    await clock.advance(14_000);
    assert.equal(asked(), 0);
    const passUntilAsked = (times: number) =>
      until(`asked ${times} times for a sign of life`, async () => {
        await clock.advance(1000);
        return asked() === times;
      });
    await passUntilAsked(2);
    assert.equal(t.clusters.state(KEY).state, 'reachable');
    api.behave('hang');
    // The call itself times out in real time, which a test does not wait for.
    await passUntilAsked(3);
    api.cut();
    await t.becomes('unreachable');
    assert.match(why(t.clusters.state(KEY)), /closed the connection$/);
  });

  it('ends without waiting for an API that hangs before it has listed its Nodes', async () => {
    await using api = await startFakeWorkloadApi([nodeOf('a')]);
    api.behave('hang');
    const t = world();
    await putKubeconfig(t.management, await kubeconfigOf(api, api.authority));
    t.clusters.state(KEY);
    await t.until('it was asked for its Nodes', () => api.asked.includes('/api/v1/nodes'));
    let isOver = false;
    t.clusters[Symbol.asyncDispose]().then(() => {
      isOver = true;
    });
    // The list itself would take ten seconds to be given up.
    await until('everything is closed', () => isOver, { deadlineMs: 5000 });
    await t[Symbol.asyncDispose]();
  });

  it('comes and goes fifty times without leaving anything open', async () => {
    await using api = await startFakeWorkloadApi([nodeOf('a')]);
    const text = await kubeconfigOf(api, api.authority);
    for (let i = 0; i < 50; i++) {
      await using t = world();
      await putKubeconfig(t.management, text);
      t.clusters.state(KEY);
      await t.becomes('reachable');
    }
    await until(
      'every connection is closed',
      () => process.getActiveResourcesInfo().filter((r) => r === 'TCPSocketWrap').length === 0,
    );
  });
});
