import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, it } from 'node:test';
import {
  createSecretsBundle,
  generateConfig,
  type MachineType,
  parseVersionContract,
  type SecretsBundle,
  writeConfig,
} from '@bloomery/talos';
import { readClusterConfig } from './cluster-config.ts';
import { readStandInConfig } from './machine-config.ts';

const contract = parseVersionContract('v1.11');
const endpoint = 'https://10.77.0.21:6443';

describe('what a generated configuration says about the cluster', () => {
  let bundle: SecretsBundle;
  before(async () => {
    const random = (length: number): Uint8Array => randomBytes(length);
    bundle = await createSecretsBundle({ contract: parseVersionContract('v1.6'), nowMs: 0, random });
  });
  const read = (machineType: MachineType) => {
    const source = { bundle, clusterName: 'forge', endpoint, kubernetesVersion: '1.34.4', contract, machineType };
    return readStandInConfig(writeConfig(generateConfig(source), 'strict')).cluster;
  };

  it('is everything that a control plane needs', () => {
    const config = read('controlplane');
    assert.deepEqual(
      [config?.isControlPlane, config?.name, config?.endpoint, config?.kubernetesVersion],
      [true, 'forge', endpoint, 'v1.34.4'],
    );
    assert.deepEqual(
      [config?.talosCa, config?.etcdCa, config?.kubernetesCa],
      [bundle.os, bundle.etcd, bundle.kubernetes],
    );
    assert.equal(config?.serviceAccountKey, bundle.serviceAccountKey);
    assert.equal(config?.bootstrapToken, bundle.bootstrapToken);
    assert.equal(config?.machineToken, bundle.trustdToken);
    assert.deepEqual(config?.nodeLabels, { 'node.kubernetes.io/exclude-from-external-load-balancers': '' });
  });
  it('has no keys for a worker', () => {
    const config = read('worker');
    assert.equal(config?.isControlPlane, false);
    assert.deepEqual([config?.talosCa.key, config?.kubernetesCa.key, config?.etcdCa.key], ['', '', '']);
    assert.equal(config?.kubernetesCa.crt, bundle.kubernetes.crt);
  });
});

describe('labels of the Node', () => {
  const labels = (machine: unknown) =>
    readClusterConfig({ machine, cluster: { controlPlane: { endpoint } } })?.nodeLabels;
  const cases: [name: string, machine: unknown, want: unknown][] = [
    [
      'come from the argument of the kubelet',
      { kubelet: { extraArgs: { 'node-labels': 'a=1,b=' } } },
      { a: '1', b: '' },
    ],
    ['may be a list', { kubelet: { extraArgs: { 'node-labels': ['a=1', 'b=x=y'] } } }, { a: '1', b: 'x=y' }],
    ['come from machine.nodeLabels, too', { nodeLabels: { c: 'd', e: null } }, { c: 'd', e: '' }],
    ['are none where nobody asks for any', {}, {}],
    ['are none in nonsense', { kubelet: { extraArgs: 7 }, nodeLabels: 'x' }, {}],
  ];
  for (const [name, machine, want] of cases) it(name, () => assert.deepEqual(labels(machine), want));
});

it('a configuration without an endpoint names no cluster', () => {
  for (const document of [undefined, 7, {}, { cluster: [] }, { cluster: { controlPlane: {} } }]) {
    assert.equal(readClusterConfig(document), undefined);
  }
});
