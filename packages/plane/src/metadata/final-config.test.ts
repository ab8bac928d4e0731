import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMemoryClient } from '@bloomery/kube/testing';
import {
  type KindRef,
  type KubeObject,
  type Machine,
  machine,
  metalMachine,
  secret,
  server,
  serverBinding,
} from '@bloomery/model';
import { createFinalConfig } from './final-config.ts';

const NAME = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const at = { name: 'm', namespace: 'default' };
const BOOTSTRAP = 'version: v1alpha1\nmachine:\n  type: controlplane\n  kubelet:\n    image: new\n';

const machineOf = (kind: string, providerID?: string): Machine => ({
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Machine',
  metadata: at,
  spec: {
    clusterName: 'c',
    bootstrap: { dataSecretName: 'boot' },
    infrastructureRef: { kind, name: 'm' },
    ...(providerID === undefined ? {} : { providerID }),
  },
});

function finalConfig() {
  const objects: { kind: KindRef; object: KubeObject }[] = [];
  const put = (kind: KindRef, object: unknown): void => void objects.push({ kind, object: object as KubeObject });
  const patch = { op: 'add', path: '/machine/install', value: { disk: '/dev/vda' } };
  put(server, { metadata: { name: NAME }, spec: { accepted: true, configPatches: [patch] } });
  put(serverBinding, { metadata: { name: NAME }, spec: { metalMachineRef: at } });
  const owner = { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine', name: 'm', uid: 'u' };
  put(metalMachine, { metadata: { ...at, ownerReferences: [owner] }, spec: {} });
  put(machine, machineOf('MetalMachine'));
  put(secret, {
    metadata: { name: 'boot', namespace: 'default' },
    data: { value: Buffer.from('old: 1').toString('base64') },
  });
  const client = createMemoryClient({ objects });
  return createFinalConfig({ client, endpoint: { host: '10.0.0.1', port: 8081 }, linkAddress: () => 'fd00::1' });
}

describe('the final configuration of a machine that changes in place', () => {
  it('has the patches of its Server and its SideroLink, around the new bootstrap data', async () => {
    const text = await finalConfig()(machineOf('MetalMachine', `sidero://${NAME}`), BOOTSTRAP);
    for (const part of [
      /disk: \/dev\/vda/,
      /image: new/,
      new RegExp(`metal.sidero.dev/uuid=${NAME}`),
      /SideroLinkConfig/,
    ]) {
      assert.match(text, part);
    }
    assert.doesNotMatch(text, /old/);
  });
  it('is the bootstrap data alone where the infrastructure is of somebody else', async () => {
    assert.equal(await finalConfig()(machineOf('FakeMachine'), BOOTSTRAP), BOOTSTRAP);
  });
  it('is refused for a machine without a Server', async () => {
    await assert.rejects(finalConfig()(machineOf('MetalMachine'), BOOTSTRAP), /Machine m: it has no Server yet/);
  });
});
