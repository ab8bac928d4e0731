import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apiError, type ObjectClient } from '@bloomery/kube';
import { createMemoryClient } from '@bloomery/kube/testing';
import { type Condition, type Node, node as nodeKind, type ObjectKey } from '@bloomery/model';
import type { WorkloadState } from '../../clusters/workload/workload-clusters.ts';
import { createNodeInterest } from './node-interest.ts';
import { type ProviderSetPlan, planProviderSet, setProviderIdOfNode } from './provider-set.ts';

const CLUSTER = { name: 'c', namespace: 'n' };
const REACHABLE: WorkloadState = { state: 'reachable' };
const nodeOf = (name: string, server: string, providerID?: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'metal.sidero.dev/uuid': server } },
  spec: providerID === undefined ? {} : { providerID },
});

describe('planProviderSet', () => {
  const cases: [name: string, state: WorkloadState, nodes: readonly Node[] | undefined, want: ProviderSetPlan][] = [
    ['waits for a Node', REACHABLE, [], { do: 'wait', message: 'no matching nodes found', isNews: false }],
    [
      'leaves the Nodes of other Servers alone',
      REACHABLE,
      [nodeOf('w', 'other')],
      { do: 'wait', message: 'no matching nodes found', isNews: false },
    ],
    ['writes it where none is', REACHABLE, [nodeOf('w', 's')], { do: 'write', node: 'w', have: undefined }],
    ['has nothing to do where it is', REACHABLE, [nodeOf('w', 's', 'sidero://s')], { do: 'nothing', node: 'w' }],
    [
      'knows it while the API is away',
      { state: 'unreachable', sinceMs: 0, why: 'x' },
      [nodeOf('w', 's', 'sidero://s')],
      { do: 'nothing', node: 'w' },
    ],
    [
      'says why the API is away',
      { state: 'unreachable', sinceMs: 0, why: '10.0.0.1:6443 refuses connections' },
      undefined,
      { do: 'wait', message: '10.0.0.1:6443 refuses connections', isNews: false },
    ],
    [
      'waits for a kubeconfig',
      { state: 'noKubeconfig' },
      undefined,
      { do: 'wait', message: 'the workload cluster has no kubeconfig Secret yet', isNews: false },
    ],
    [
      'does not choose between two Nodes',
      REACHABLE,
      [nodeOf('w', 's', 'sidero://s'), nodeOf('v', 's')],
      {
        do: 'wait',
        message: 'multiple nodes found with same uuid label: w, v; delete the Nodes whose machines are gone',
        isNews: true,
      },
    ],
  ];
  for (const [name, state, nodes, want] of cases) {
    it(name, () => assert.deepEqual(planProviderSet('s', state, nodes), want));
  }
});

/** A workload cluster with one Node. */
function world(found: Node, refusal?: Error) {
  const memory = createMemoryClient({ objects: [{ kind: nodeKind, object: found }] });
  const client: ObjectClient = refusal === undefined ? memory : { ...memory, patch: () => Promise.reject(refusal) };
  const workload = { state: () => REACHABLE, nodes: () => [found], client: () => client };
  return { memory, set: (before?: readonly Condition[]) => setProviderIdOfNode(workload, CLUSTER, 's', before) };
}

describe('the provider id of a Node', () => {
  it('is set, which is an Event once', async () => {
    const { memory, set } = world(nodeOf('w', 's'));
    assert.deepEqual(await set(), {
      condition: { type: 'ProviderSet', status: 'True' },
      event: { type: 'Normal', reason: 'ProviderSet', message: 'Node w carries the provider id sidero://s' },
    });
    assert.equal((await memory.get(nodeKind, { name: 'w' })).spec?.providerID, 'sidero://s');
    const before: Condition[] = [{ type: 'ProviderSet', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }];
    assert.deepEqual(await set(before), { condition: { type: 'ProviderSet', status: 'True' } });
  });

  it('that is another one cannot be changed, and what to do is said once', async () => {
    const refusal = apiError({ code: 403, reason: 'Forbidden', message: 'spec.providerID: Forbidden: node updates …' });
    const { set } = world(nodeOf('w', 's', 'other://1'), refusal);
    const message =
      'Node w carries provider id other://1, which cannot be changed; delete the Node, its kubelet makes it again';
    const reason = 'ProviderUpdateFailed';
    const condition = { type: 'ProviderSet', status: 'False', severity: 'Warning', reason, message } as const;
    assert.deepEqual(await set(), { condition, event: { type: 'Warning', reason, message }, retryMs: 10_000 });
    const before = [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }];
    assert.deepEqual(await set(before), { condition, retryMs: 10_000 });
  });

  it('is tried again when the API refuses for another reason', async () => {
    const { set } = world(nodeOf('w', 's'), apiError({ code: 503, reason: 'ServiceUnavailable', message: 'etcd' }));
    const outcome = await set();
    assert.equal(outcome.condition.message, 'setting the provider id of Node w: etcd');
    assert.equal(outcome.retryMs, 10_000);
    assert.equal(outcome.event, undefined);
  });
});

describe('interest in Nodes', () => {
  it('is of the machine whose Node changed, and of all when the cluster came or went', () => {
    const interest = createNodeInterest();
    const machine = (name: string): ObjectKey => ({ name, namespace: 'n' });
    interest.set(machine('a'), CLUSTER, 's1');
    interest.set(machine('b'), CLUSTER, 's2');
    interest.set(machine('z'), { ...CLUSTER, name: 'other' }, 's1');
    let map: (cluster: ObjectKey, node: Node | undefined) => readonly ObjectKey[] = () => [];
    interest.wakes({
      wake(given) {
        map = given;
        return { listen: () => () => undefined };
      },
    });
    const names = (node?: Node): string[] => map(CLUSTER, node).map(({ name }) => name);
    assert.deepEqual(names(nodeOf('w', 's1')), ['a']);
    assert.deepEqual(names(nodeOf('w', 's9')), []);
    assert.deepEqual(names(), ['a', 'b']);
    interest.set(machine('a'), CLUSTER, 's3');
    assert.deepEqual(names(nodeOf('w', 's1')), []);
    assert.deepEqual(names(nodeOf('w', 's3')), ['a']);
    interest.forget(machine('a'));
    interest.forget(machine('b'));
    assert.deepEqual(names(), []);
  });
});
