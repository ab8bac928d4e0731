import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExplainedCondition, ExplainedObject } from './explain-input.ts';
import { explainObject } from './explain-object.ts';

const SINCE = '2026-01-01T11:00:00Z';
const at = { lastTransitionTime: SINCE };

function findings(message: string, isInstalled = true) {
  const conditions: ExplainedCondition[] = [
    { type: 'ProviderSet', status: 'False', severity: 'Warning', reason: 'ProviderUpdateFailed', message, ...at },
    { type: 'TalosInstalled', status: isInstalled ? 'True' : 'False', ...at },
  ];
  const labels = { 'cluster.x-k8s.io/cluster-name': 'prod' };
  const object: ExplainedObject = {
    apiVersion: 'x/v1',
    kind: 'MetalMachine',
    metadata: { name: 'm', namespace: 'n', labels },
    status: { conditions },
  };
  const server: ExplainedObject = { apiVersion: 'x/v1', kind: 'Server', metadata: { name: 's1' } };
  return explainObject({ object, upstream: [server], entries: [], nowMs: Date.parse('2026-01-01T12:00:00Z') });
}

describe('the rule ProviderIdUnset', () => {
  it('says that no Node has joined, and where to look', () => {
    const [found] = findings('no matching nodes found');
    assert.equal(found?.rule, 'ProviderIdUnset');
    assert.equal(
      found.cause,
      'No Node of Cluster prod carries the label metal.sidero.dev/uuid=s1: the kubelet of the machine has not joined, or its label was changed.',
    );
    assert.deepEqual(found.do, [
      'bloomery logs s1',
      'bloomery kubeconfig prod --file prod.kubeconfig',
      'kubectl --kubeconfig prod.kubeconfig get nodes -L metal.sidero.dev/uuid',
    ]);
    assert.equal(found.since, SINCE);
  });

  it('says what has to be deleted', () => {
    for (const message of [
      'multiple nodes found with same uuid label: a, b; delete the Nodes whose machines are gone',
      'Node a carries provider id other://1, which cannot be changed; delete the Node, its kubelet makes it again',
    ]) {
      const [found] = findings(message);
      assert.equal(found?.cause, `${message}.`);
      assert.equal(found.do.at(-1), 'kubectl --kubeconfig prod.kubeconfig delete node NODE');
    }
  });

  it('says why the API of the cluster cannot be asked', () => {
    const [found] = findings('10.0.0.1:6443 refuses connections: nothing listens there');
    assert.equal(
      found?.cause,
      'The provider id cannot be set in Cluster prod: 10.0.0.1:6443 refuses connections: nothing listens there.',
    );
    assert.deepEqual(found.do, ['bloomery explain cluster/prod', 'bloomery describe metalmachine/m -n n']);
  });

  it('has nothing to say before the operating system is installed', () => {
    assert.deepEqual(
      findings('no matching nodes found', false).filter(({ rule }) => rule === 'ProviderIdUnset'),
      [],
    );
  });
});
