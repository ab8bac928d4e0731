import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ClusterConfig } from '../cluster-config.ts';
import { type NodeFacts, nodeObject, nodeStatus } from './node-object.ts';

const facts: NodeFacts = {
  hostname: 'forge-cp-1',
  uuid: '7c2b4a10-5d3e',
  addresses: ['10.77.0.21', '10.77.0.80'],
  cpus: 1,
  memoryBytes: 512 * 1024 * 1024,
  kernelVersion: '6.1.0',
  bootId: 'b',
  osVersion: 'v1.13.0-stand-in',
};
const pair = { crt: '', key: '' };
const cluster: ClusterConfig = {
  ...{ isControlPlane: true, name: 'forge', endpoint: 'https://h', bootstrapToken: '', machineToken: '' },
  ...{ kubernetesCa: pair, talosCa: pair, etcdCa: pair, serviceAccountKey: '', machineNames: [], apiServerNames: [] },
  kubernetesVersion: 'v1.34.4',
  nodeLabels: { 'metal.sidero.dev/uuid': facts.uuid },
};
const health = { isReady: true, message: 'up' };

it('a Node carries the labels of its configuration, its role, and no provider id', () => {
  const node = nodeObject(facts, cluster, 'x64');
  assert.deepEqual(node.metadata, {
    name: 'forge-cp-1',
    labels: {
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': 'forge-cp-1',
      'kubernetes.io/os': 'linux',
      'metal.sidero.dev/uuid': facts.uuid,
      'node-role.kubernetes.io/control-plane': '',
    },
  });
  assert.equal(node.spec?.providerID, undefined);
  assert.equal(node.spec?.taints?.[0]?.effect, 'NoSchedule');
  assert.deepEqual(nodeObject(facts, { ...cluster, isControlPlane: false }, 'arm64').spec, {});
});

it('the status of a Node says what it is, and that it is a stand-in', () => {
  const before = nodeObject(facts, cluster, 'x64');
  const status = nodeStatus(facts, cluster, { health, before, now: '2026-01-01T00:00:00Z' });
  assert.deepEqual(status['addresses'], [
    { type: 'InternalIP', address: '10.77.0.21' },
    { type: 'InternalIP', address: '10.77.0.80' },
    { type: 'Hostname', address: 'forge-cp-1' },
  ]);
  assert.deepEqual(status['capacity'], { cpu: '1', memory: '524288Ki', pods: '0' });
  assert.match(JSON.stringify(status['nodeInfo']), /"kubeletVersion":"v1\.34\.4\+stand-in".*not Talos Linux/);
});

it('the time of a transition is that of the change, not of each heartbeat', () => {
  const before = nodeObject(facts, cluster, 'x64');
  const ready = (status: 'True' | 'False') => ({ type: 'Ready', status, lastTransitionTime: '2026-01-01T00:00:00Z' });
  const at = (status: 'True' | 'False'): string => {
    const told = nodeStatus(facts, cluster, {
      health,
      before: { ...before, status: { conditions: [ready(status)] } },
      now: '2026-01-01T00:00:10Z',
    });
    return /"lastTransitionTime":"([^"]+)"/.exec(JSON.stringify(told))?.[1] ?? '';
  };
  assert.equal(at('True'), '2026-01-01T00:00:00Z');
  assert.equal(at('False'), '2026-01-01T00:00:10Z');
});
