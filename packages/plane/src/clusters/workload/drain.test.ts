import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apiError, type ObjectClient } from '@bloomery/kube';
import { createMemoryClient } from '@bloomery/kube/testing';
import {
  type KindRef,
  type KubeObject,
  type Machine,
  type Node,
  node as nodeKind,
  type Pod,
  persistentVolumeClaim,
  pod as podKind,
  volumeAttachment,
} from '@bloomery/model';
import { BloomeryError, createFakeClock } from '@bloomery/ports';
import { drainNode } from './drain.ts';
import { planDrain, podNames } from './drain-plan.ts';
import { deleteNode, waitForVolumes } from './node-removal.ts';
import { type NodeStep, nodeRemovalSettings } from './node-step.ts';
import type { WorkloadState } from './workload-clusters.ts';

const START_MS = Date.parse('2026-01-01T00:00:00Z');
const CLUSTER = { name: 'c', namespace: 'n' };

function podOf(name: string, more: Partial<Pod['metadata']> = {}, phase = 'Running'): Pod {
  const metadata = { name, namespace: 'd', ...more };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'w' }, status: { phase } };
}
const controlledBy = (kind: string) => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'x', uid: 'x', controller: true }],
});
const nodeOf = (ready = 'True'): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'w' },
  status: { conditions: [{ type: 'Ready', status: ready }] },
});

/** A workload cluster in memory whose API server knows evictions. */
function world(
  objects: readonly { kind: KindRef; object: KubeObject }[],
  state: WorkloadState = { state: 'reachable' },
) {
  const memory = createMemoryClient({ objects: [...objects] });
  const clock = createFakeClock(START_MS);
  const evictions: { readonly name: string; readonly gracePeriodSeconds: number | undefined }[] = [];
  const held = new Set<string>();
  const client: ObjectClient = {
    ...memory,
    async create<T extends KubeObject>(kind: KindRef<T>, object: T): Promise<T> {
      if (kind.kind !== 'Eviction') return memory.create(kind, object);
      const { name } = object.metadata;
      const { deleteOptions } = object as { deleteOptions?: { gracePeriodSeconds?: number } };
      if (held.has(name)) {
        const message = "Cannot evict pod as it would violate the pod's disruption budget.";
        throw apiError({ code: 429, reason: 'TooManyRequests', message });
      }
      await memory.delete(podKind, object.metadata);
      evictions.push({ name, gracePeriodSeconds: deleteOptions?.gracePeriodSeconds });
      return object;
    },
  };
  let current = state;
  const deps = { clusters: { state: () => current, client: () => client }, clock };
  const request = { cluster: CLUSTER, nodeName: 'w', startedMs: START_MS, timeoutMs: 0 };
  type More = Partial<typeof request>;
  return {
    memory,
    clock,
    held,
    evictions,
    become(next: WorkloadState) {
      current = next;
    },
    drain: (more: More = {}): Promise<NodeStep> => drainNode(deps, { ...request, ...more }),
    volumes: (more: More = {}): Promise<NodeStep> => waitForVolumes(deps, { ...request, ...more }),
    remove: (more: More = {}): Promise<NodeStep> => deleteNode(deps, { ...request, ...more }),
    deps,
  };
}
const pods = (...list: readonly Pod[]) => list.map((object) => ({ kind: podKind, object }));
const node = (ready?: string) => ({ kind: nodeKind, object: nodeOf(ready) });
const messageOf = (step: NodeStep): string => (step.done ? `done ${step.skipped ?? ''}`.trim() : step.message);
/** A finalizer keeps a Pod as its grace period would. */
const slow = { finalizers: ['test/slow'] };

describe('planDrain', () => {
  const cases: [name: string, pod: Pod, want: string][] = [
    ['a Pod of a ReplicaSet is evicted', podOf('a', controlledBy('ReplicaSet')), 'evict'],
    ['a Pod of nobody is evicted', podOf('a'), 'evict'],
    ['a Pod of a DaemonSet stays', podOf('a', controlledBy('DaemonSet')), 'staying'],
    ['a static Pod stays', podOf('a', { annotations: { 'kubernetes.io/config.mirror': 'x' } }), 'staying'],
    ['a Pod that ended stays', podOf('a', {}, 'Succeeded'), 'staying'],
    ['a Pod that failed stays', podOf('a', {}, 'Failed'), 'staying'],
    ['a Pod with the label to skip it stays', podOf('a', { labels: { 'cluster.x-k8s.io/drain': 'Skip' } }), 'staying'],
    ['a Pod that is going is waited for', podOf('a', { deletionTimestamp: '2026-01-01T00:00:00Z' }), 'terminating'],
  ];
  for (const [name, one, want] of cases) {
    it(name, () => {
      const lists = Object.entries(planDrain([one], false)).filter(([, list]) => list.length > 0);
      assert.deepEqual(
        lists.map(([list]) => list),
        [want],
      );
    });
  }

  it('does not wait for Pods that are going where nobody confirms it', () => {
    const going = podOf('a', { deletionTimestamp: '2026-01-01T00:00:00Z' });
    assert.deepEqual(planDrain([going], true), { evict: [], terminating: [], staying: [] });
  });

  it('names three Pods and counts the others', () => {
    assert.equal(podNames(['e', 'd', 'c', 'b', 'a'].map((name) => podOf(name))), 'd/a, d/b, d/c and 2 more');
  });
});

describe('drainNode', () => {
  it('cordons the Node, evicts what may go, waits for it, and is done then', async () => {
    const t = world([node(), ...pods(podOf('a', slow), podOf('b'), podOf('ds', controlledBy('DaemonSet')))]);
    assert.equal(messageOf(await t.drain()), 'draining Node w: 2 Pods terminating (d/a, d/b)');
    assert.equal((await t.memory.get(nodeKind, { name: 'w' })).spec?.unschedulable, true);
    assert.deepEqual(t.evictions.map(({ name }) => name).sort(), ['a', 'b']);
    assert.equal(messageOf(await t.drain()), 'draining Node w: 1 Pod terminating (d/a)');
    assert.equal(t.evictions.length, 2);
    await t.memory.patch(
      podKind,
      { name: 'a', namespace: 'd' },
      { type: 'merge', body: { metadata: { finalizers: null } } },
    );
    assert.deepEqual(await t.drain(), { done: true });
    assert.equal((await t.memory.list(podKind)).items.length, 1);
  });

  it('waits for a disruption budget and says so', async () => {
    const t = world([node(), ...pods(podOf('a'))]);
    t.held.add('a');
    const step = await t.drain();
    assert.equal(messageOf(step), 'draining Node w: 1 Pod held by a PodDisruptionBudget (d/a)');
    assert.equal(step.done ? '' : step.event, 'a PodDisruptionBudget holds up the draining of Node w');
    t.held.clear();
    await t.drain();
    assert.deepEqual(await t.drain(), { done: true });
  });

  it('is given up after nodeDrainTimeout, saying what was left', async () => {
    const t = world([node(), ...pods(podOf('a'))]);
    t.held.add('a');
    await t.clock.advance(59_999);
    assert.equal((await t.drain({ timeoutMs: 60_000 })).done, false);
    await t.clock.advance(1);
    assert.equal(
      messageOf(await t.drain({ timeoutMs: 60_000 })),
      'done draining Node w was given up as its time of 60 s is over; last: draining Node w: 1 Pod held by a PodDisruptionBudget (d/a)',
    );
  });

  it('does not wait for the Pods of an unreachable Node, and leaves them no time', async () => {
    const t = world([node('Unknown'), ...pods(podOf('a', slow))]);
    assert.deepEqual(await t.drain(), { done: true });
    assert.deepEqual(t.evictions, [{ name: 'a', gracePeriodSeconds: 1 }]);
  });

  it('has nothing to do where the Node is gone', async () => {
    assert.deepEqual(await world([]).drain(), { done: true });
  });

  it('evicts a hundred Pods in one step and says how many are left', async () => {
    const many = Array.from({ length: 130 }, (_, i) => podOf(`p${String(i).padStart(3, '0')}`, slow));
    const t = world([node(), ...pods(...many)]);
    assert.equal(
      messageOf(await t.drain()),
      'draining Node w: 100 Pods terminating (d/p000, d/p001, d/p002 and 97 more), 30 Pods still to be evicted',
    );
  });

  it('says what the API refused and tries again', async () => {
    const t = world([node(), ...pods(podOf('a'))]);
    const refusal = apiError({ code: 403, reason: 'Forbidden', message: 'no' });
    const client = { ...t.deps.clusters.client(), list: () => Promise.reject(refusal) };
    const step = await drainNode(
      { ...t.deps, clusters: { ...t.deps.clusters, client: () => client } },
      { cluster: CLUSTER, nodeName: 'w', startedMs: START_MS, timeoutMs: 0 },
    );
    assert.equal(messageOf(step), 'draining Node w failed and is tried again: no');
  });
});

describe('a workload API that gives no answer', () => {
  const unreachable: WorkloadState = { state: 'unreachable', sinceMs: START_MS - 1000, why: 'x refuses connections' };

  it('holds up a deletion for two minutes, then the step is skipped with the reason', async () => {
    const t = world([], unreachable);
    assert.equal(
      messageOf(await t.drain()),
      'draining Node w waits: x refuses connections; it is skipped after 120 s without an answer',
    );
    await t.clock.advance(119_999);
    assert.equal((await t.drain()).done, false);
    await t.clock.advance(1);
    assert.equal(messageOf(await t.drain()), 'done draining Node w was skipped: x refuses connections');
  });

  it('is counted from when it became silent', async () => {
    const t = world([], { ...unreachable, sinceMs: START_MS + 600_000 });
    await t.clock.advance(600_000);
    assert.equal((await t.drain()).done, false);
    await t.clock.advance(120_000);
    assert.equal((await t.drain()).done, true);
  });

  it('is not waited for longer than the step may take', async () => {
    const t = world([], unreachable);
    await t.clock.advance(10_000);
    assert.equal(
      messageOf(await t.remove({ timeoutMs: 10_000 })),
      'done deleting Node w was skipped: x refuses connections',
    );
  });

  it('may also be one that has no kubeconfig', async () => {
    const t = world([], { state: 'noKubeconfig' });
    assert.match(messageOf(await t.drain()), /^draining Node w waits: the cluster has no kubeconfig Secret; /);
  });

  it('that falls silent during a step is said', async () => {
    const t = world([node()]);
    const dead = new BloomeryError('BLM_WORKLOAD_UNREACHABLE', 'reaching it: no answer', { retryable: true });
    const client = { ...t.deps.clusters.client(), delete: () => Promise.reject(dead) };
    const step = await deleteNode(
      { ...t.deps, clusters: { ...t.deps.clusters, client: () => client } },
      { cluster: CLUSTER, nodeName: 'w', startedMs: START_MS, timeoutMs: 10_000 },
    );
    assert.equal(messageOf(step), 'deleting Node w failed and is tried again: reaching it: no answer');
  });
});

describe('the volumes of a drained Node', () => {
  const attachment = (name: string, nodeName: string, volume: string) => ({
    kind: volumeAttachment,
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name },
      spec: { nodeName, source: { persistentVolumeName: volume } },
    } as KubeObject,
  });

  it('are waited for by name', async () => {
    const t = world([node(), attachment('1', 'w', 'pv-b'), attachment('2', 'w', 'pv-a'), attachment('3', 'v', 'pv-c')]);
    assert.equal(messageOf(await t.volumes()), '2 volumes are still attached to Node w: pv-a, pv-b');
    for (const name of ['1', '2']) await t.memory.delete(volumeAttachment, { name });
    assert.deepEqual(await t.volumes(), { done: true });
  });

  it('do not count when Pods that stay use them', async () => {
    const stays = podOf('ds', controlledBy('DaemonSet'));
    const t = world([
      node(),
      attachment('1', 'w', 'pv-a'),
      ...pods({ ...stays, spec: { nodeName: 'w', volumes: [{ persistentVolumeClaim: { claimName: 'q' } }] } }),
      {
        kind: persistentVolumeClaim,
        object: {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'q', namespace: 'd' },
          spec: { volumeName: 'pv-a' },
        } as KubeObject,
      },
    ]);
    assert.deepEqual(await t.volumes(), { done: true });
  });

  it('are none where the API does not serve VolumeAttachments', async () => {
    const t = world([node()]);
    const missing = apiError({ code: 404, reason: 'NotFound', message: 'no such resource' });
    const client = { ...t.deps.clusters.client(), list: () => Promise.reject(missing) };
    const step = await waitForVolumes(
      { ...t.deps, clusters: { ...t.deps.clusters, client: () => client } },
      { cluster: CLUSTER, nodeName: 'w', startedMs: START_MS, timeoutMs: 0 },
    );
    assert.deepEqual(step, { done: true });
  });

  it('of an unreachable Node are not waited for', async () => {
    assert.deepEqual(await world([node('Unknown'), attachment('1', 'w', 'pv-a')]).volumes(), { done: true });
  });
});

describe('deleteNode', () => {
  it('deletes the Node, and is done when it is gone already', async () => {
    const t = world([node()]);
    assert.deepEqual(await t.remove(), { done: true });
    assert.deepEqual(await t.remove(), { done: true });
    assert.equal((await t.memory.list(nodeKind)).items.length, 0);
  });
});

describe('nodeRemovalSettings', () => {
  const machine = (spec: Partial<NonNullable<Machine['spec']>>, annotations: Record<string, string> = {}): Machine => ({
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Machine',
    metadata: { name: 'm', annotations },
    spec: { clusterName: 'c', bootstrap: {}, infrastructureRef: {}, ...spec },
  });
  const defaults = {
    drain: true,
    waitForVolumes: true,
    drainTimeoutMs: 0,
    volumeDetachTimeoutMs: 0,
    deletionTimeoutMs: 10_000,
  };
  it('has the defaults of Cluster API', () => assert.deepEqual(nodeRemovalSettings(machine({})), defaults));
  it('reads durations as Go writes them; what is none counts as absent', () => {
    const spec = { nodeDrainTimeout: '1m30s', nodeVolumeDetachTimeout: 'x', nodeDeletionTimeout: '0s' };
    assert.deepEqual(nodeRemovalSettings(machine(spec)), { ...defaults, drainTimeoutMs: 90_000, deletionTimeoutMs: 0 });
  });
  it('honours the annotations', () => {
    const annotations = {
      'machine.cluster.x-k8s.io/exclude-node-draining': '',
      'machine.cluster.x-k8s.io/exclude-wait-for-node-volume-detach': 'true',
    };
    assert.deepEqual(nodeRemovalSettings(machine({}, annotations)), {
      ...defaults,
      drain: false,
      waitForVolumes: false,
    });
  });
});
