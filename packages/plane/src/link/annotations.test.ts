import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createObjectCache } from '@bloomery/kube';
import {
  type MetalMachine,
  metalMachine,
  type ObjectMeta,
  type OwnerReference,
  type ServerBinding,
  serverBinding,
} from '@bloomery/model';
import { createLinkAnnotations } from './annotations.ts';

const UUID = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const ADDRESS = 'fdae:2859:5bb1:7a03:3ae3:be30:7ec4:4c09';
const CLUSTER = { 'cluster.x-k8s.io/cluster-name': 'management-cluster' };
const MACHINE: OwnerReference = { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine', name: 'cp-1', uid: 'u' };

function setUp() {
  const cache = createObjectCache();
  const servers = new Map([[ADDRESS, UUID]]);
  const annotations = createLinkAnnotations({ cache, peers: { serverAt: (address) => servers.get(address) } });
  let version = 0;
  const meta = (rest: Partial<ObjectMeta>): ObjectMeta => ({ name: UUID, resourceVersion: String(++version), ...rest });
  const bind = (rest: Partial<ObjectMeta> = {}, namespace: string | undefined = 'default'): ServerBinding => {
    const binding: ServerBinding = {
      apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
      kind: 'ServerBinding',
      metadata: meta(rest),
      spec: { metalMachineRef: { name: 'mm-1', ...(namespace === '' ? {} : { namespace }) } },
    };
    cache.put(serverBinding, binding);
    return binding;
  };
  const own = (ownerReferences: readonly OwnerReference[], namespace = 'default'): MetalMachine => {
    const object: MetalMachine = {
      apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
      kind: 'MetalMachine',
      metadata: meta({ name: 'mm-1', namespace, ownerReferences }),
      spec: {},
    };
    cache.put(metalMachine, object);
    return object;
  };
  return { cache, servers, bind, own, at: (address = ADDRESS) => annotations.at(address) };
}

describe('annotations of the link', () => {
  it('name the server, the MetalMachine, the Machine and the Cluster', () => {
    const { bind, own, at } = setUp();
    bind({ labels: CLUSTER });
    own([MACHINE]);
    assert.deepEqual(at(), {
      server_uuid: UUID,
      namespace: 'default',
      metal_machine: 'mm-1',
      cluster: 'management-cluster',
      machine: 'cp-1',
    });
    assert.equal(at(), at(), 'the same object while nothing changes');
  });

  it('are not there for an address that no machine has', () => {
    assert.equal(setUp().at('fdae::9'), undefined);
  });

  it('name at least the server while the cache is late', () => {
    assert.deepEqual(setUp().at(), { server_uuid: UUID });
  });

  it('leave out what is not known', () => {
    const { bind, own, at } = setUp();
    bind({ labels: { 'cluster.x-k8s.io/cluster-name': '' } }, '');
    assert.deepEqual(at(), { server_uuid: UUID, metal_machine: 'mm-1' });
    own([]);
    assert.deepEqual(at(), { server_uuid: UUID, metal_machine: 'mm-1' });
  });

  it('change at once with a late label and a late owner, and back', () => {
    const { bind, own, at } = setUp();
    bind();
    assert.equal(at()?.cluster, undefined);
    bind({ labels: CLUSTER });
    assert.equal(at()?.cluster, 'management-cluster');
    assert.equal(at()?.machine, undefined);
    own([MACHINE]);
    assert.equal(at()?.machine, 'cp-1');
    own([{ ...MACHINE, name: 'cp-2' }]);
    assert.equal(at()?.machine, 'cp-2');
    bind();
    assert.equal(at()?.cluster, undefined);
  });

  it('take only a Machine of Cluster API as Machine', () => {
    const { bind, own, at } = setUp();
    bind();
    own([
      { ...MACHINE, apiVersion: 'other.io/v1', name: 'no' },
      { ...MACHINE, kind: 'MachineSet', name: 'no' },
      { ...MACHINE, apiVersion: 'cluster.x-k8s.io/v1beta2', name: 'yes' },
    ]);
    assert.equal(at()?.machine, 'yes');
  });

  it('take the MetalMachine of the namespace that is named', () => {
    const { bind, own, at } = setUp();
    bind({}, 'team-a');
    own([MACHINE], 'team-b');
    assert.deepEqual(at(), { server_uuid: UUID, namespace: 'team-a', metal_machine: 'mm-1' });
  });

  it('follow deletes and addresses that move to another machine', () => {
    const { cache, servers, bind, own, at } = setUp();
    const binding = bind({ labels: CLUSTER });
    const owner = own([MACHINE]);
    assert.equal(at()?.machine, 'cp-1');
    cache.remove(metalMachine, owner);
    assert.equal(at()?.machine, undefined);
    cache.remove(serverBinding, binding);
    assert.deepEqual(at(), { server_uuid: UUID });
    servers.set(ADDRESS, 'another');
    assert.deepEqual(at(), { server_uuid: 'another' });
    servers.clear();
    assert.equal(at(), undefined);
  });
});
