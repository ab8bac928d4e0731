import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Device, NodeDocument } from '../config/node-config.ts';
import { DeviceConfigSpec } from '../resources/device-config.ts';
import { LinkSpec } from '../resources/links.ts';
import { bondMaster } from './bond-master.ts';
import { type LinkPlanInput, planLinks } from './plan-links.ts';
import { linkStatus } from './testing/link-status.ts';
import { configOf, deviceOf } from './testing/link-world.ts';
import { resourceOf } from './testing/resource-of.ts';

const links = [
  linkStatus('eth0', { index: 2, altNames: ['enp6s0'] }),
  linkStatus('eth1', { index: 3, alias: 'uplink' }),
  linkStatus('br9', { index: 4, kind: 'bridge', altNames: ['lan'] }),
];

function plan(devices: readonly Device[], documents: readonly NodeDocument[] = [], more: Partial<LinkPlanInput> = {}) {
  return planLinks({
    config: configOf([], documents),
    devices: devices.map((device, i) => resourceOf(DeviceConfigSpec, `${device.interface}/00${i}`, device)),
    links,
    byKernelArguments: [],
    manageAll: false,
    ...more,
  });
}

const document = (kind: string, name: string, value: NodeDocument['value'] = {}, line = 1): NodeDocument => ({
  ...{ kind, name, value, line },
});
/** A link of the configuration that is up. */
const link = (name: string, fields: Partial<LinkSpec> = {}): LinkSpec =>
  LinkSpec.make({ name, up: true, layer: 'configuration', ...fields });
const ether = { logical: true, type: 'ether' } as const;
const none = { interfaces: [], deviceSelectors: [] };

const devices: readonly [name: string, device: Device, want: readonly LinkSpec[]][] = [
  ['hardware is brought up', deviceOf('eth0', { mtu: 9000 }), [link('eth0', { mtu: 9000 })]],
  ['hardware may be named by an alternative name', deviceOf('enp6s0'), [link('eth0')]],
  ['hardware may be named by its alias', deviceOf('uplink'), [link('eth1')]],
  ['hardware that is not there keeps its name', deviceOf('eth7'), [link('eth7')]],
  ['what is ignored is not mentioned', deviceOf('eth0', { ignore: true, mtu: 9000 }), []],
  [
    'a port of a bridge that is made elsewhere',
    deviceOf('enp6s0', { bridgePort: { master: 'br0' } }),
    [link('eth0', { bridgeSlave: { masterName: 'br0' } })],
  ],
  ['a dummy', deviceOf('dummy0', { dummy: true }), [link('dummy0', { ...ether, kind: 'dummy' })]],
  [
    'a VLAN has the name of its parent as written, and its kernel name as parent',
    deviceOf('enp6s0', { vlans: [{ vlanId: 5, mtu: 1400, addresses: [], routes: [] }] }),
    [
      link('eth0'),
      link('enp6s0.5', {
        ...ether,
        kind: 'vlan',
        mtu: 1400,
        parentName: 'eth0',
        vlan: { vlanID: 5, vlanProtocol: '802.1q' },
      }),
    ],
  ],
  [
    'a bridge and its members',
    deviceOf('br0', { bridge: { ...none, interfaces: ['uplink', 'eth0'], stp: true } }),
    [
      link('br0', {
        ...ether,
        kind: 'bridge',
        bridgeMaster: { stp: { enabled: true }, vlan: { filteringEnabled: false } },
      }),
      link('eth1', { bridgeSlave: { masterName: 'br0' } }),
      link('eth0', { bridgeSlave: { masterName: 'br0' } }),
    ],
  ],
  [
    'a bond has the index of its primary, and numbers its members',
    deviceOf('bond0', {
      bond: { ...none, interfaces: ['eth0', 'eth1'], options: { mode: 'active-backup', primary: 'uplink' } },
    }),
    [
      link('bond0', { ...ether, kind: 'bond', bondMaster: bondMaster({ mode: 'active-backup' }, 3) }),
      link('eth0', { bondSlave: { masterName: 'bond0', slaveIndex: 0 } }),
      link('eth1', { bondSlave: { masterName: 'bond0', slaveIndex: 1 } }),
    ],
  ],
  [
    'logical links are never found by other names',
    deviceOf('lan', { bridge: { ...none, stp: false } }),
    [link('lan', { ...ether, kind: 'bridge' })],
  ],
  [
    'a bridge has the spanning tree protocol unless it says not to',
    deviceOf('br0', { bridge: none }),
    [
      link('br0', {
        ...ether,
        kind: 'bridge',
        bridgeMaster: { stp: { enabled: true }, vlan: { filteringEnabled: false } },
      }),
    ],
  ],
  [
    'WireGuard',
    deviceOf('wg0', {
      wireguard: {
        ...{ privateKey: 'own', listenPort: 1, firewallMark: 2 },
        peers: [
          {
            publicKey: 'other',
            presharedKey: 'shared',
            endpoint: 'h:1',
            persistentKeepaliveMs: 25_000,
            allowedIPs: ['::/0'],
          },
        ],
      },
    }),
    [
      link('wg0', {
        ...{ logical: true, kind: 'wireguard', type: 'nohdr' },
        wireguard: {
          ...{ privateKey: 'own', publicKey: '', listenPort: 1, firewallMark: 2 },
          peers: [
            {
              publicKey: 'other',
              presharedKey: 'shared',
              endpoint: 'h:1',
              persistentKeepaliveInterval: 25_000,
              allowedIPs: ['::/0'],
            },
          ],
        },
      }),
    ],
  ],
];

describe('links of interfaces', () => {
  for (const [name, device, want] of devices) it(name, () => assert.deepEqual(plan([device]).specs, want));
});

const common = { mtu: 1400, multicast: false, up: false };
const documents: readonly [name: string, documents: readonly NodeDocument[], want: readonly LinkSpec[]][] = [
  ['LinkConfig', [document('LinkConfig', 'enp6s0', common)], [link('eth0', common)]],
  [
    'DummyLinkConfig',
    [document('DummyLinkConfig', 'd0', { hardwareAddr: '02:00:00:00:00:AA' })],
    [link('d0', { ...ether, kind: 'dummy', hardwareAddr: '02:00:00:00:00:aa' })],
  ],
  [
    'VLANConfig',
    [document('VLANConfig', 'lan5', { vlanID: 5, vlanMode: '802.1ad', parent: 'uplink', ...common })],
    [
      link('lan5', {
        ...ether,
        kind: 'vlan',
        parentName: 'eth1',
        vlan: { vlanID: 5, vlanProtocol: '802.1ad' },
        ...common,
      }),
    ],
  ],
  [
    'BondConfig',
    [document('BondConfig', 'agg', { bondMode: '802.3ad', links: ['enp6s0'], miimon: 100 })],
    [
      link('agg', { ...ether, kind: 'bond', bondMaster: bondMaster({ mode: '802.3ad', miimon: 100 }, undefined) }),
      link('eth0', { bondSlave: { masterName: 'agg', slaveIndex: 0 } }),
    ],
  ],
  [
    'BridgeConfig',
    [document('BridgeConfig', 'br0', { links: ['eth0'], stp: { enabled: true }, vlan: { filtering: true } })],
    [
      link('br0', {
        ...ether,
        kind: 'bridge',
        bridgeMaster: { stp: { enabled: true }, vlan: { filteringEnabled: true } },
      }),
      link('eth0', { bridgeSlave: { masterName: 'br0' } }),
    ],
  ],
  [
    'VRFConfig',
    [document('VRFConfig', 'blue', { links: ['eth0'], table: 123 })],
    [
      link('blue', { ...ether, kind: 'vrf', vrfMaster: { table: '123' } }),
      link('eth0', { vrfSlave: { masterName: 'blue' } }),
    ],
  ],
  [
    'VethConfig makes both ends',
    [document('VethConfig', 'here', { mtu: 1400, peer: { name: 'there', up: false } })],
    [
      link('here', { ...ether, kind: 'veth', mtu: 1400, veth: { peerName: 'there' } }),
      link('there', { ...ether, kind: 'veth', up: false, veth: { peerName: 'here' } }),
    ],
  ],
  [
    'WireguardConfig',
    [
      document('WireguardConfig', 'wg0', {
        ...{ privateKey: 'own', listenPort: 1 },
        peers: [{ publicKey: 'other', persistentKeepaliveInterval: '1m5s', allowedIPs: ['10.0.0.0/8'] }],
      }),
    ],
    [
      link('wg0', {
        ...{ logical: true, kind: 'wireguard', type: 'nohdr' },
        wireguard: {
          ...{ privateKey: 'own', publicKey: '', listenPort: 1, firewallMark: 0 },
          peers: [
            {
              publicKey: 'other',
              presharedKey: '',
              endpoint: '',
              persistentKeepaliveInterval: 65_000,
              allowedIPs: ['10.0.0.0/8'],
            },
          ],
        },
      }),
    ],
  ],
  ['DHCP brings its link up', [document('DHCPv4Config', 'enp6s0')], [link('eth0')]],
  [
    'DHCP does not bring up what another document keeps down',
    [document('LinkConfig', 'eth0', { up: false }), document('DHCPv6Config', 'eth0')],
    [link('eth0', { up: false })],
  ],
  ['documents of other kinds ask for no link', [document('ResolverConfig', 'x'), document('toString', 'y')], []],
];

describe('links of documents', () => {
  for (const [name, given, want] of documents) it(name, () => assert.deepEqual(plan([], given).specs, want));

  it('say more of links that interfaces speak of', () => {
    const specs = plan([deviceOf('eth0', { mtu: 9000 })], [document('LinkConfig', 'eth0', { multicast: true })]).specs;
    assert.deepEqual(specs, [link('eth0', { mtu: 9000, multicast: true })]);
  });
});

describe('conflicts and hints', () => {
  it('a link of two masters is the last one’s, and the warning names both places', () => {
    const bridge = { ...deviceOf('br0', { bridge: { ...none, interfaces: ['enp6s0'] } }), line: 12 };
    const bond = document('BondConfig', 'agg', { bondMode: '802.3ad', links: ['eth0'] }, 31);
    const { specs, warnings } = plan([bridge], [bond]);
    assert.deepEqual(
      specs.find(({ name }) => name === 'eth0'),
      link('eth0', { bondSlave: { masterName: 'agg', slaveIndex: 0 } }),
    );
    const places = 'bridge br0 (machine.network.interfaces[0], line 12) and of bond agg (BondConfig agg, line 31)';
    assert.deepEqual(warnings, [`link eth0 is a member of ${places}: the latter has it`]);
  });

  it('a link that one master names twice is no conflict', () => {
    const bridge = deviceOf('br0', { bridge: { ...none, interfaces: ['enp6s0', 'eth0'] } });
    assert.deepEqual(plan([bridge]).warnings, []);
  });

  it('of several interfaces of one link, the one whose name comes last has the last word, as Talos has it', () => {
    for (const [first, second] of [
      [deviceOf('eth0', { mtu: 1300 }), deviceOf('enp6s0', { mtu: 1400 })],
      [deviceOf('enp6s0', { mtu: 1400 }), deviceOf('eth0', { mtu: 1300 })],
    ] as const) {
      assert.deepEqual(plan([first, second]).specs, [link('eth0', { mtu: 1300 })]);
    }
    const bridges = ['b', 'a'].map((name) => deviceOf(name, { bridge: { ...none, interfaces: ['eth0'] } }));
    const { specs } = plan(bridges);
    assert.equal(specs.find(({ name }) => name === 'eth0')?.bridgeSlave.masterName, 'b');
  });

  it('a VLAN that has an interface of its own keeps what that says and the other leaves open', () => {
    const vlan = { vlanId: 5, mtu: 0, addresses: [], routes: [] };
    const own = deviceOf('eth0.5', { mtu: 1300 });
    for (const [mtu, want] of [
      [0, 1300],
      [1400, 1400],
    ] as const) {
      const { specs } = plan([own, deviceOf('eth0', { vlans: [{ ...vlan, mtu }] })]);
      assert.equal(specs.find(({ name }) => name === 'eth0.5')?.mtu, want);
    }
  });

  it('a name that is not the kernel’s is explained once', () => {
    const { hints } = plan(
      [deviceOf('enp6s0'), deviceOf('eth1'), deviceOf('enp6s0')],
      [document('LinkConfig', 'uplink')],
    );
    assert.deepEqual(hints, ['enp6s0 is an alternative name of link eth0', 'uplink is the alias of link eth1']);
  });
});

describe('links that nobody mentions', () => {
  const names = (input: Partial<LinkPlanInput>, own: readonly Device[] = [], docs: readonly NodeDocument[] = []) =>
    plan(own, docs, { manageAll: true, ...input })
      .specs.filter(({ layer }) => layer === 'default')
      .map(({ name }) => name);

  it('are left alone unless everything is managed', () => assert.deepEqual(plan([]).specs, []));

  it('are up when they are hardware, and so is lo', () => {
    assert.deepEqual(names({ config: undefined }), ['lo', 'eth0', 'eth1']);
    assert.deepEqual(names({}), ['lo', 'eth0', 'eth1']);
  });

  it('are not those that interfaces name in any way, nor their members', () => {
    assert.deepEqual(names({}, [deviceOf('uplink', { ignore: true })]), ['lo', 'eth0']);
    assert.deepEqual(names({}, [deviceOf('br0', { bridge: { ...none, interfaces: ['enp6s0', 'eth1'] } })]), ['lo']);
  });

  it('are not those of kernel arguments', () =>
    assert.deepEqual(names({ byKernelArguments: ['enp6s0'] }), ['lo', 'eth1']));

  it('are left alone as soon as a document configures any link', () => {
    for (const kind of ['LinkConfig', 'WireguardConfig', 'DHCPv4Config']) {
      assert.deepEqual(names({}, [], [document(kind, 'eth0')]), ['lo'], kind);
    }
    assert.deepEqual(names({}, [], [document('HostnameConfig', 'x')]), ['lo', 'eth0', 'eth1']);
  });
});

describe('documents of any content', () => {
  it('never break the plan', () => {
    const anyDocument = fc.record({
      kind: fc.constantFrom(
        'LinkConfig',
        'VLANConfig',
        'BondConfig',
        'BridgeConfig',
        'VRFConfig',
        'VethConfig',
        'WireguardConfig',
      ),
      name: fc.constantFrom('eth0', 'uplink', '__proto__', ''),
      line: fc.constant(1),
      value: fc.dictionary(
        fc.constantFrom(
          'links',
          'peer',
          'peers',
          'parent',
          'vlanID',
          'mtu',
          'up',
          'table',
          'stp',
          'vlan',
          'bondMode',
          'primary',
          'miimon',
        ),
        fc.jsonValue(),
      ),
    });
    fc.assert(
      fc.property(fc.array(anyDocument, { maxLength: 5 }), (documents) => {
        for (const spec of plan([], documents).specs) LinkSpec.codec.toYaml(spec);
      }),
      { numRuns: 1_000 },
    );
  });
});
