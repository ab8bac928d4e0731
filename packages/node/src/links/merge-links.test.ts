import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LinkSpec } from '../resources/links.ts';
import { mergeLinks } from './merge-links.ts';

type Part = Partial<LinkSpec>;

const wireguard = (fields: Partial<LinkSpec['wireguard']>): Part => ({
  wireguard: { privateKey: '', publicKey: '', listenPort: 0, firewallMark: 0, peers: [], ...fields },
});
const peer = (publicKey: string, endpoint: string): LinkSpec['wireguard']['peers'][number] => ({
  ...{ publicKey, endpoint, presharedKey: '', persistentKeepaliveInterval: 0, allowedIPs: [] },
});
const bond = (fields: Partial<LinkSpec['bondMaster']>): Part => ({
  bondMaster: { ...LinkSpec.make().bondMaster, ...fields },
});

const cases: readonly [name: string, low: Part, high: Part, want: Part][] = [
  ['a higher layer overwrites what it sets', { mtu: 1400, up: true }, { mtu: 9000 }, { mtu: 9000, up: true }],
  ['down cannot override up', { up: true }, { up: false }, { up: true }],
  [
    'logical stays',
    { logical: true, kind: 'dummy', type: 'ether' },
    {},
    { logical: true, kind: 'dummy', type: 'ether' },
  ],
  [
    'kind and type are overwritten',
    { kind: 'dummy', type: 'ether' },
    { kind: 'wireguard', type: 'nohdr' },
    { kind: 'wireguard', type: 'nohdr' },
  ],
  ['a parent is overwritten', { parentName: 'eth0' }, { parentName: 'eth1' }, { parentName: 'eth1' }],
  ['an address is overwritten', { hardwareAddr: '02:00' }, { hardwareAddr: '02:01' }, { hardwareAddr: '02:01' }],
  ['an address that is not set stays', { hardwareAddr: '02:00' }, {}, { hardwareAddr: '02:00' }],
  [
    'membership of a bond is overwritten as a whole',
    { bondSlave: { masterName: 'bond0', slaveIndex: 3 } },
    { bondSlave: { masterName: 'bond1', slaveIndex: 0 } },
    { bondSlave: { masterName: 'bond1', slaveIndex: 0 } },
  ],
  ['membership of a bridge stays', { bridgeSlave: { masterName: 'br0' } }, {}, { bridgeSlave: { masterName: 'br0' } }],
  [
    'membership of a VRF is overwritten',
    { vrfSlave: { masterName: 'a' } },
    { vrfSlave: { masterName: 'b' } },
    { vrfSlave: { masterName: 'b' } },
  ],
  [
    'a VLAN is overwritten as a whole',
    { vlan: { vlanID: 5, vlanProtocol: '802.1ad' } },
    { vlan: { vlanID: 6, vlanProtocol: '802.1q' } },
    { vlan: { vlanID: 6, vlanProtocol: '802.1q' } },
  ],
  [
    'settings of a bond are overwritten as a whole',
    bond({ miimon: 100, mode: '802.3ad' }),
    bond({ mode: 'broadcast' }),
    bond({ mode: 'broadcast' }),
  ],
  ['settings of a bond stay when nothing is said', bond({ miimon: 100 }), bond({}), bond({ miimon: 100 })],
  ['the index 0 of a primary is something said', bond({ miimon: 100 }), bond({ primary: 0 }), bond({ primary: 0 })],
  [
    'settings of a bridge are overwritten as a whole',
    { bridgeMaster: { stp: { enabled: true }, vlan: { filteringEnabled: false } } },
    { bridgeMaster: { stp: { enabled: false }, vlan: { filteringEnabled: true } } },
    { bridgeMaster: { stp: { enabled: false }, vlan: { filteringEnabled: true } } },
  ],
  [
    'a table is overwritten',
    { vrfMaster: { table: '100' } },
    { vrfMaster: { table: '200' } },
    { vrfMaster: { table: '200' } },
  ],
  ['a peer name stays', { veth: { peerName: 'a' } }, {}, { veth: { peerName: 'a' } }],
  ['multicast off overrides on', { multicast: true }, { multicast: false }, { multicast: false }],
  ['multicast that nobody sets stays', { multicast: false }, {}, { multicast: false }],
  [
    'WireGuard is merged field by field',
    wireguard({ privateKey: 'low', listenPort: 1, firewallMark: 7 }),
    wireguard({ privateKey: 'high', listenPort: 0 }),
    wireguard({ privateKey: 'high', listenPort: 1, firewallMark: 7 }),
  ],
  [
    'peers are added unless their key is there',
    wireguard({ peers: [peer('a', 'first')] }),
    wireguard({ peers: [peer('a', 'second'), peer('b', '')] }),
    wireguard({ peers: [peer('a', 'first'), peer('b', '')] }),
  ],
];

describe('layers of a link', () => {
  for (const [name, low, high, want] of cases) {
    it(name, () => {
      const merged = mergeLinks([
        LinkSpec.make({ name: 'l', layer: 'default', ...low }),
        LinkSpec.make({ name: 'l', layer: 'configuration', ...high }),
      ]);
      assert.deepEqual(merged, LinkSpec.make({ name: 'l', layer: 'configuration', ...want }));
    });
  }

  it('are any number', () => {
    const layers = (['default', 'cmdline', 'configuration'] as const).map((layer, i) =>
      LinkSpec.make({ name: 'l', layer, mtu: i === 1 ? 1400 : 0, up: i === 0 }),
    );
    assert.deepEqual(mergeLinks(layers), LinkSpec.make({ name: 'l', layer: 'configuration', mtu: 1400, up: true }));
    assert.deepEqual(mergeLinks(layers.slice(0, 1)), layers[0]);
  });
});
