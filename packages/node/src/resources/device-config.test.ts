import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Device } from '../config/node-config.ts';
import { DeviceConfigSpec } from './device-config.ts';

const device: Device = {
  interface: 'bond0',
  addresses: ['10.0.0.5/24', 'fd00::1/64'],
  routes: [],
  vlans: [],
  mtu: 9000,
  dhcp: false,
  bond: { interfaces: ['eth0'], deviceSelectors: [], options: { mode: '802.3ad', miimon: 100 } },
};

describe('an interface of the configuration as a resource', () => {
  it('has a YAML form', () => {
    const want = `device:
    interface: bond0
    addresses:
        - 10.0.0.5/24
        - fd00::1/64
    routes: []
    vlans: []
    mtu: 9000
    dhcp: false
    bond:
        interfaces:
            - eth0
        deviceSelectors: []
        options:
            mode: 802.3ad
            miimon: 100
`;
    assert.equal(DeviceConfigSpec.codec.toYaml(device), want);
  });

  it('is the same when all it says is', () => {
    const { equal } = DeviceConfigSpec.codec;
    assert.equal(equal(device, structuredClone(device)), true);
    assert.equal(equal(device, { ...device, mtu: 1500 }), false);
  });

  it('is for administrators: it may hold keys', () => assert.equal(DeviceConfigSpec.sensitive, true));
});
