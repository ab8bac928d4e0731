import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import type { ClusterSection, MachineSection } from '../config/node-config.ts';
import { configOf } from '../links/testing/link-world.ts';
import {
  ACTIVE_CONFIG,
  AddressStatus,
  LinkStatus,
  MachineConfig,
  NodeAddress,
  NodeAddressFilter,
} from '../resources/index.ts';
import { addressFilterController, nodeAddressController, sortAlgorithmController } from './node-address-controllers.ts';

function start(): TestRuntime {
  return startTestRuntime([sortAlgorithmController(), addressFilterController(), nodeAddressController()], {
    definitions: [MachineConfig],
  });
}

function configWith(machine: Partial<MachineSection>, cluster?: Partial<ClusterSection>) {
  const config = configOf([]);
  return {
    ...config,
    ...(config.machine === undefined ? {} : { machine: { ...config.machine, ...machine } }),
    ...(cluster === undefined ? {} : { cluster: { podSubnets: [], serviceSubnets: [], ...cluster } }),
  };
}

const has = (runtime: TestRuntime, address: string): Promise<void> =>
  runtime.put(AddressStatus, `eth0/${address}`, AddressStatus.make({ address, linkName: 'eth0', linkIndex: 2 }));
const addresses = (runtime: TestRuntime): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(runtime.specs(NodeAddress)).map(([id, spec]) => [id, spec.addresses.join(' ')]));

describe('node addresses of the daemon', () => {
  it('follow links and addresses, the default one as long as it is there, and remember', async () => {
    await using runtime = start();
    await runtime.put(LinkStatus, 'eth0', LinkStatus.make({ index: 2, type: 'ether', operationalState: 'up' }));
    assert.deepEqual(addresses(runtime), { current: '', routed: '', accumulative: '' });
    await has(runtime, '10.0.0.9/24');
    await has(runtime, '10.0.0.5/24');
    const both = '10.0.0.5/24 10.0.0.9/24';
    assert.deepEqual(addresses(runtime), { default: '10.0.0.9/24', current: both, routed: both, accumulative: both });
    await runtime.remove(AddressStatus, 'eth0/10.0.0.9/24');
    const one = '10.0.0.5/24';
    assert.deepEqual(addresses(runtime), { default: one, current: one, routed: one, accumulative: both });
  });

  it('are filtered by the networks of pods and services once the cluster is known', async () => {
    await using runtime = start();
    await runtime.put(LinkStatus, 'eth0', LinkStatus.make({ index: 2, type: 'ether', operationalState: 'up' }));
    await has(runtime, '10.0.0.5/24');
    await has(runtime, '10.244.1.1/24');
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configWith({}, {}));
    assert.deepEqual(runtime.specs(NodeAddressFilter), {
      'no-k8s': { includeSubnets: [], excludeSubnets: ['10.244.0.0/16', '10.96.0.0/12'] },
      'only-k8s': { includeSubnets: ['10.244.0.0/16', '10.96.0.0/12'], excludeSubnets: [] },
    });
    const { 'current-no-k8s': own, 'routed-only-k8s': pods } = addresses(runtime);
    assert.deepEqual([own, pods], ['10.0.0.5/24', '10.244.1.1/24']);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configWith({}, { podSubnets: ['10.0.0.0/24'] }));
    assert.equal(addresses(runtime)['current-no-k8s'], '10.244.1.1/24');
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configWith({}));
    assert.deepEqual(Object.keys(addresses(runtime)), ['accumulative', 'current', 'default', 'routed']);
  });

  it('are ordered as the configuration says; the default one is chosen anew with another order', async () => {
    await using runtime = start();
    await runtime.put(LinkStatus, 'eth0', LinkStatus.make({ index: 2, type: 'ether', operationalState: 'up' }));
    await has(runtime, '10.0.0.5/8');
    await has(runtime, '10.0.1.6/24');
    assert.equal(addresses(runtime)['default'], '10.0.0.5/8');
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configWith({ nodeAddressSortAlgorithm: 'v2' }));
    const { default: first, current } = addresses(runtime);
    assert.deepEqual([first, current], ['10.0.1.6/24', '10.0.1.6/24 10.0.0.5/8']);
    assert.equal(runtime.specs(NodeAddress)['current']?.sortAlgorithm, 'v2');
  });
});
