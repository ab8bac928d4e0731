import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergePatch } from '@bloomery/kube';
import { createMemoryClient } from '@bloomery/kube/testing';
import { type JsonObject, type Machine, type Node, node as nodeKind } from '@bloomery/model';
import { nodeHealth, nodeLabels, nodeReference, planNodeSync, syncNode } from './node-sync.ts';

const machine: Machine = {
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Machine',
  metadata: {
    name: 'm',
    namespace: 'n',
    labels: { 'node-role.kubernetes.io/gpu': '', other: 'x' },
    ownerReferences: [
      { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'MachineSet', name: 'ms', uid: 'u', controller: true },
    ],
  },
  spec: { clusterName: 'c', bootstrap: {}, infrastructureRef: {} },
};
const nodeOf = (
  metadata: Partial<Node['metadata']> = {},
  taints: readonly { key: string; effect: string }[] = [],
): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'w', uid: 'nu', ...metadata },
  spec: { taints },
});

describe('labels that go from a Machine to its Node', () => {
  const cases: [key: string, goes: boolean][] = [
    ['node-role.kubernetes.io/worker', true],
    ['x.node-role.kubernetes.io/worker', false],
    ['node-restriction.kubernetes.io/a', true],
    ['team.node-restriction.kubernetes.io/a', true],
    ['xnode-restriction.kubernetes.io/a', false],
    ['node.cluster.x-k8s.io/a', true],
    ['a.b.node.cluster.x-k8s.io/a', true],
    ['cluster.x-k8s.io/cluster-name', false],
    ['node-role.kubernetes.io', true],
    ['a', false],
  ];
  for (const [key, goes] of cases) {
    it(`${key} ${goes ? 'does' : 'does not'}`, () =>
      assert.deepEqual(nodeLabels({ [key]: 'v' }), goes ? { [key]: 'v' } : {}));
  }
});

describe('planNodeSync', () => {
  it('gives labels and annotations and takes the taint away', () => {
    const taints = [
      { key: 'node.cluster.x-k8s.io/uninitialized', effect: 'NoSchedule' },
      { key: 'mine', effect: 'NoExecute' },
    ];
    assert.deepEqual(planNodeSync(nodeOf({}, taints), machine), {
      metadata: {
        labels: { 'node-role.kubernetes.io/gpu': '' },
        annotations: {
          'cluster.x-k8s.io/cluster-name': 'c',
          'cluster.x-k8s.io/cluster-namespace': 'n',
          'cluster.x-k8s.io/machine': 'm',
          'cluster.x-k8s.io/owner-kind': 'MachineSet',
          'cluster.x-k8s.io/owner-name': 'ms',
          'cluster.x-k8s.io/labels-from-machine': 'node-role.kubernetes.io/gpu',
        },
      },
      spec: { taints: [{ key: 'mine', effect: 'NoExecute' }] },
    });
  });

  it('has nothing to do once it was carried out', () => {
    const before = nodeOf({}, [{ key: 'node.cluster.x-k8s.io/uninitialized', effect: 'NoSchedule' }]);
    const after = mergePatch(before as unknown as JsonObject, planNodeSync(before, machine) ?? {}) as unknown as Node;
    assert.equal(planNodeSync(after, machine), undefined);
  });

  it('takes a label away that the Machine lost, and leaves those of others', () => {
    const found = nodeOf({
      labels: { 'node-role.kubernetes.io/old': '', 'node-role.kubernetes.io/theirs': '' },
      annotations: {
        'cluster.x-k8s.io/labels-from-machine': 'node-role.kubernetes.io/old,node-role.kubernetes.io/gone',
      },
    });
    const labels = (planNodeSync(found, machine) as { metadata: { labels: JsonObject } }).metadata.labels;
    assert.deepEqual(labels, { 'node-role.kubernetes.io/gpu': '', 'node-role.kubernetes.io/old': null });
  });

  it('is written by the Node as it is now, not as it was seen', async () => {
    const stored = nodeOf({}, [{ key: 'later', effect: 'NoSchedule' }]);
    const client = createMemoryClient({ objects: [{ kind: nodeKind, object: stored }] });
    await syncNode(client, nodeOf({}, [{ key: 'node.cluster.x-k8s.io/uninitialized', effect: 'NoSchedule' }]), machine);
    const now = await client.get(nodeKind, { name: 'w' });
    assert.deepEqual(now.spec?.taints, [{ key: 'later', effect: 'NoSchedule' }]);
    assert.equal(now.metadata.labels?.['node-role.kubernetes.io/gpu'], '');
  });

  it('refers to the Node by name and uid', () => {
    assert.deepEqual(nodeReference(nodeOf()), { apiVersion: 'v1', kind: 'Node', name: 'w', uid: 'nu' });
  });
});

describe('nodeHealth', () => {
  const ready = { type: 'Ready', status: 'True' };
  const cases: [name: string, conditions: { type: string; status: string; message?: string }[], want: string][] = [
    ['a Node that is ready is healthy', [ready, { type: 'MemoryPressure', status: 'False' }], 'True'],
    ['conditions of others do not count', [ready, { type: 'NetworkUnavailable', status: 'True' }], 'True'],
    ['a Node that never reported is unknown', [], 'Unknown Node w has not reported its condition Ready yet'],
    [
      'a kubelet that is silent is unknown',
      [{ type: 'Ready', status: 'Unknown', message: 'Kubelet stopped posting' }],
      'Unknown Node w: Ready is Unknown (Kubelet stopped posting)',
    ],
    [
      'pressure is not healthy',
      [ready, { type: 'DiskPressure', status: 'True' }],
      'False Node w: DiskPressure is True',
    ],
  ];
  for (const [name, conditions, want] of cases) {
    it(name, () => {
      const health = nodeHealth({ ...nodeOf(), status: { conditions } });
      assert.equal([health.status, ...('message' in health ? [health.message] : [])].join(' '), want);
    });
  }
});
