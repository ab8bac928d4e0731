import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createObjectCache } from '@bloomery/kube';
import { createMemoryClient } from '@bloomery/kube/testing';
import { type Cluster, type Machine, machine as machineKind, type TalosControlPlane } from '@bloomery/model';
import { controllingControlPlane, restoreLabels } from './restore-labels.ts';

const cluster = {
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Cluster',
  metadata: { name: 'c', namespace: 'default' },
} as Cluster;
const controlPlane = { metadata: { name: 'cp', namespace: 'default' } } as TalosControlPlane;
const WANTED = { 'cluster.x-k8s.io/cluster-name': 'c', 'cluster.x-k8s.io/control-plane': '' };
const owner = (kind: string, name: string) => ({ apiVersion: 'x/v1', kind, name, uid: name, controller: true });
const machineOf = (name: string, labels: Record<string, string>, more: Partial<Machine['metadata']> = {}): Machine => ({
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Machine',
  metadata: { name, namespace: 'default', labels, ownerReferences: [owner('TalosControlPlane', 'cp')], ...more },
  spec: { clusterName: 'c', bootstrap: {}, infrastructureRef: {} },
});

async function labelsAfter(machine: Machine): Promise<Record<string, string> | undefined> {
  const client = createMemoryClient({ objects: [{ kind: machineKind, object: machine }] });
  const cache = createObjectCache();
  cache.put(machineKind, machine);
  await restoreLabels({ client, cache }, controlPlane, cluster);
  return (await client.get(machineKind, { name: machine.metadata.name, namespace: 'default' })).metadata.labels;
}

describe('labels of the Machines of a control plane', () => {
  it('are given back when somebody took them away or changed them; others stay', async () => {
    assert.deepEqual(await labelsAfter(machineOf('m', { mine: 'x' })), { mine: 'x', ...WANTED });
    const changed = machineOf('m', { ...WANTED, 'cluster.x-k8s.io/cluster-name': 'other' });
    assert.deepEqual(await labelsAfter(changed), WANTED);
  });

  it('are no business of ours where another controls the Machine', async () => {
    for (const ownerReferences of [[owner('MachineSet', 'cp')], [owner('TalosControlPlane', 'other')], []]) {
      assert.deepEqual(await labelsAfter(machineOf('m', { mine: 'x' }, { ownerReferences })), { mine: 'x' });
    }
  });

  it('do not decide whose Machine it is', () => {
    assert.deepEqual(controllingControlPlane(machineOf('m', {})), { name: 'cp', namespace: 'default' });
  });
});
