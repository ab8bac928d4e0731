import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeChannels, decodeRings, encodeEthtoolChange, encodeEthtoolGet, ethtoolLinkIndex } from './ethtool.ts';
import { encodeWireguardSet, type WireguardChange, WireguardDumpReader } from './genl-wireguard.ts';
import { NetlinkBytes } from './netlink-bytes.ts';
import { eachNetlinkMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from './netlink-message.ts';
import { encodeNetlinkNoop, ipBytes, macBytes, NetlinkWriter } from './netlink-writer.ts';
import { RTM_DELROUTE, RTM_NEWADDR, RTM_NEWLINK, RTM_NEWLINKPROP, RTM_NEWROUTE } from './rtnl.ts';
import { decodeRtnlAddress, encodeAddressRemoval, encodeNewAddress } from './rtnl-address.ts';
import { decodeRtnlLink } from './rtnl-link.ts';
import { encodeAltNames, encodeLinkChange, encodeNewLink } from './rtnl-link-request.ts';
import { decodeRtnlRoute, type RtnlRoute } from './rtnl-route.ts';
import { encodeNewRoute, encodeRouteRemoval } from './rtnl-route-request.ts';
import { decodeRtnlRule, encodeNewRule, type RtnlRule } from './rtnl-rule.ts';
import { readMessage } from './testing/real-messages.ts';

const linkOf = (bytes: Uint8Array) => readMessage(bytes, (input, { from, to }) => decodeRtnlLink(input, from, to));
const flagsOf = (bytes: Uint8Array): number => readMessage(bytes, (_, { flags }) => flags);
const typeOf = (bytes: Uint8Array): number => readMessage(bytes, (_, { type }) => type);

describe('requests about links', () => {
  it('make a bond with all its settings, read back as they were', () => {
    const bond = {
      ...{ mode: 4, miimon: 100, updelay: 200, downdelay: 300, useCarrier: 1, arpInterval: 0, arpValidate: 0 },
      ...{ arpIpTargets: ['10.0.0.1', '10.0.0.2'], arpAllTargets: 1, primary: 7, primaryReselect: 1, failOverMac: 2 },
      ...{ xmitHashPolicy: 1, resendIgmp: 1, numPeerNotif: 1, allSlavesActive: 0, minLinks: 1, lpInterval: 1 },
      ...{ packetsPerSlave: 1, lacpRate: 1, adSelect: 2, adActorSysPrio: 65_535, adUserPortKey: 5, tlbLogicalLb: 1 },
      ...{ peerNotifyDelay: 0, adLacpActive: 1, missedMax: 2, nsIp6Targets: ['fd00::1'] },
    };
    const bytes = encodeNewLink({ name: 'bond0', kind: 'bond', mtu: 9000, hardwareAddr: '02:00:00:00:00:01', bond });
    const link = linkOf(bytes);
    assert.deepEqual([link?.name, link?.kind, link?.mtu], ['bond0', 'bond', 9000]);
    assert.equal(link?.hardwareAddr, '02:00:00:00:00:01');
    assert.deepEqual(link?.bond, bond);
    assert.equal(flagsOf(bytes) & (NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK), NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
  });

  it('take the targets of a bond away with an empty list', () =>
    assert.deepEqual(linkOf(encodeLinkChange(3, 'bond', { bond: { arpIpTargets: [] } }))?.bond, { arpIpTargets: [] }));

  it('make VLANs, bridges, VRFs and pairs', () => {
    const vlan = linkOf(encodeNewLink({ name: 'v5', kind: 'vlan', parentIndex: 3, vlan: { id: 5, protocol: 0x88a8 } }));
    assert.deepEqual([vlan?.kind, vlan?.linkIndex, vlan?.vlan], ['vlan', 3, { id: 5, protocol: 0x88a8 }]);
    const bridge = linkOf(encodeNewLink({ name: 'br0', kind: 'bridge', bridge: { stp: true, vlanFiltering: true } }));
    assert.deepEqual(bridge?.bridge, { stp: true, vlanFiltering: true });
    const vrf = linkOf(encodeNewLink({ name: 'red', kind: 'vrf', vrf: { table: 1000 } }));
    assert.deepEqual(vrf?.vrf, { table: 1000 });
    const pair = encodeNewLink({ name: 'left', kind: 'veth', veth: { peerName: 'right' } });
    assert.equal(linkOf(pair)?.name, 'left');
    assert.ok(Buffer.from(pair).includes('right\0'));
  });

  it('change only what is given', () => {
    const up = Buffer.from(encodeLinkChange(3, '', { up: true }));
    assert.equal(typeOf(up), RTM_NEWLINK);
    assert.equal(up.length, 32);
    assert.deepEqual([up.readInt32LE(20), up.readUInt32LE(24), up.readUInt32LE(28)], [3, 1, 1]);
    const down = Buffer.from(encodeLinkChange(3, '', { up: false, multicast: true }));
    assert.deepEqual([down.readUInt32LE(24), down.readUInt32LE(28)], [0x1000, 0x1001]);
    const link = linkOf(encodeLinkChange(3, '', { mtu: 1400, masterIndex: 9, name: 'wan0', alias: 'ü' }));
    assert.deepEqual([link?.mtu, link?.masterIndex, link?.name, link?.alias], [1400, 9, 'wan0', 'ü']);
  });

  it('give alternative names', () => {
    const bytes = encodeAltNames(3, ['enp1s0', 'enx020000000001'], false);
    assert.equal(typeOf(bytes), RTM_NEWLINKPROP);
    assert.deepEqual(linkOf(bytes)?.altNames, ['enp1s0', 'enx020000000001']);
  });
});

const byte = fc.nat(255);
const v4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'));
const v6 = fc.constantFrom('fd00::1', '::1', '2001:db8::42', 'fe80::1234:5678:9abc:def0');
const u32 = fc.nat(0x7fff_ffff);

describe('requests about addresses, routes and rules', () => {
  it('put addresses that are read back as they were', () => {
    const address = fc.oneof(
      fc.tuple(v4, fc.nat(32)).map(([ip, length]) => `${ip}/${length}`),
      fc.tuple(v6, fc.nat(128)).map(([ip, length]) => `${ip}/${length}`),
    );
    fc.assert(
      fc.property(
        address,
        fc.integer({ min: 1, max: 9999 }),
        byte,
        fc.nat(0xfff),
        u32,
        (cidr, index, scope, flags, priority) => {
          const wanted = { linkIndex: index, address: cidr, scope, flags, priority };
          const bytes = encodeNewAddress(wanted);
          const read = readMessage(bytes, (input, { from, to }) => decodeRtnlAddress(input, from, to));
          assert.deepEqual({ ...wanted, ...read }, { ...read, ...wanted });
          assert.equal(flagsOf(bytes) & (NLM_F_CREATE | NLM_F_REPLACE), NLM_F_CREATE | NLM_F_REPLACE);
        },
      ),
    );
    assert.equal(
      typeOf(encodeNewAddress({ linkIndex: 1, address: '10.0.0.1', scope: 0, flags: 0, priority: 0 })),
      RTM_NEWADDR,
    );
    const removed = readMessage(encodeAddressRemoval(3, '10.0.0.1'), (input, { from, to }) =>
      decodeRtnlAddress(input, from, to),
    );
    assert.equal(removed?.address, '10.0.0.1/32');
  });

  it('add routes that are read back as they were', () => {
    const hop = fc.record(
      { gateway: v4, linkIndex: u32, weight: fc.integer({ min: 1, max: 256 }) },
      { noNullPrototype: true },
    );
    const route: fc.Arbitrary<RtnlRoute> = fc
      .record({
        family: fc.constant(2),
        destination: fc.oneof(
          fc.constant(''),
          v4.map((ip) => `${ip}/24`),
        ),
        source: fc.oneof(fc.constant(''), v4),
        gateway: fc.oneof(fc.constant(''), v4, v6),
        outLinkIndex: u32,
        table: u32,
        priority: u32,
        scope: byte,
        type: byte,
        flags: fc.constantFrom(0, 4),
        protocol: byte,
        mtu: u32,
        tos: fc.integer({ min: 1, max: 255 }),
        nextHops: fc.array(hop, { minLength: 1, maxLength: 4 }),
      })
      .map(({ tos, nextHops, ...rest }) => (tos > 128 ? { ...rest, tos, nextHops } : rest));
    fc.assert(
      fc.property(route, (wanted) => {
        const bytes = encodeNewRoute(wanted, false);
        assert.equal(typeOf(bytes), RTM_NEWROUTE);
        const read = readMessage(bytes, (input, { from, to }) => decodeRtnlRoute(input, from, to));
        assert.deepEqual(read, wanted);
      }),
    );
  });

  it('add routes of IPv6, and remove them', () => {
    const wanted: RtnlRoute = {
      ...{ family: 10, destination: 'fd01::/64', source: 'fd00::5', gateway: 'fd00::1', outLinkIndex: 3, table: 1000 },
      ...{ priority: 1024, scope: 0, type: 1, flags: 0, protocol: 4, mtu: 1280 },
    };
    for (const bytes of [encodeNewRoute(wanted, true), encodeNewRoute(wanted, false)])
      assert.deepEqual(
        readMessage(bytes, (input, { from, to }) => decodeRtnlRoute(input, from, to)),
        wanted,
      );
    assert.equal(typeOf(encodeRouteRemoval(wanted)), RTM_DELROUTE);
  });

  it('name the next hop of a route by its number when it has one, and nothing else of where it goes', () => {
    const wanted: RtnlRoute = {
      ...{ family: 2, destination: '10.9.0.0/16', source: '', gateway: '10.0.0.1', outLinkIndex: 3, table: 254 },
      ...{ priority: 0, scope: 0, type: 1, flags: 0, protocol: 4, mtu: 0, nextHopId: 77 },
      nextHops: [{ gateway: '10.0.0.1', linkIndex: 3, weight: 1 }],
    };
    const { nextHops: _, ...rest } = wanted;
    for (const bytes of [encodeNewRoute(wanted, false), encodeRouteRemoval(wanted)])
      assert.deepEqual(
        readMessage(bytes, (input, { from, to }) => decodeRtnlRoute(input, from, to)),
        { ...rest, gateway: '', outLinkIndex: 0 },
      );
  });

  it('add rules that are read back as they were', () => {
    const cidr = fc.oneof(
      fc.constant(''),
      v4.map((ip) => `${ip}/16`),
    );
    const name = fc.constantFrom('', 'eth0', 'bond0.100');
    const rule: fc.Arbitrary<RtnlRule> = fc.record({
      ...{ family: fc.constant(2), priority: u32, source: cidr, destination: cidr, table: u32, action: byte },
      ...{ iifName: name, oifName: name, fwMark: u32, fwMask: u32 },
    });
    fc.assert(
      fc.property(rule, (wanted) => {
        const read = readMessage(encodeNewRule(wanted), (input, { from, to }) => decodeRtnlRule(input, from, to));
        assert.deepEqual({ ...read }, { ...wanted });
      }),
    );
  });

  it('refuse texts that are no addresses', () => {
    for (const text of ['', '10.0.0', '10.0.0.256', 'fd00::1::2', 'eth0'])
      assert.throws(() => ipBytes(text), { code: 'BLM_WIRE_MALFORMED' });
    for (const text of ['', '02:00', '02-00-00-00-00-01', 'zz:00:00:00:00:00'])
      if (text !== '02:00') assert.throws(() => macBytes(text), { code: 'BLM_WIRE_MALFORMED' });
  });
});

describe('requests about network cards', () => {
  const read = <T>(bytes: Uint8Array, decode: (input: NetlinkBytes, from: number, to: number) => T): T =>
    readMessage(bytes, (input, { from, to }) => decode(input, from, to));

  it('name their link', () => assert.equal(read(encodeEthtoolGet(21, 6, 77), ethtoolLinkIndex), 77));

  it('are one for each part that changes, in the order of ethtool', () => {
    const requests = encodeEthtoolChange(21, 3, {
      features: { 'rx-gro': true, 'tx-tcp-segmentation': false },
      rings: { rx: 256, 'tx-push': true, 'tcp-data-split': false, 'rx-max': 9, nonsense: 1 },
      channels: { combined: 4 },
      wakeOnLan: 0x20,
    });
    assert.deepEqual(
      requests.map(([what]) => what),
      ['features', 'rings', 'channels', 'wakeOnLan'],
    );
    const [features, rings, channels, wol] = requests.map(([, bytes]) => bytes);
    assert.ok(features && rings && channels && wol);
    assert.ok(Buffer.from(features).includes('rx-gro\0') && Buffer.from(features).includes('tx-tcp-segmentation\0'));
    assert.deepEqual(read(rings, decodeRings), { rx: 256, 'tx-push': true, 'tcp-data-split': false });
    assert.deepEqual(read(channels, decodeChannels), { combined: 4 });
    assert.ok(Buffer.from(wol).includes(Buffer.from([8, 0, 4, 0, 0x20, 0, 0, 0])));
  });

  it('are none when nothing changes', () =>
    assert.deepEqual(encodeEthtoolChange(21, 3, { features: {}, rings: {}, channels: {} }), []));
});

const KEYS = ['gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=', 'TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0='];
const PSK = 'FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=';

function readBack(requests: readonly Uint8Array[]) {
  const reader = new WireguardDumpReader();
  for (const bytes of requests) {
    const input = new NetlinkBytes(bytes);
    eachNetlinkMessage(input, ({ from, to }) => reader.take(input, from, to));
  }
  return reader.finish();
}

describe('requests about WireGuard', () => {
  const peer = {
    ...{ publicKey: KEYS[0] ?? '', remove: false, updateOnly: false, replaceAllowedIPs: true },
    ...{
      presharedKey: PSK,
      endpoint: '[fd00::1]:51820',
      keepaliveSeconds: 25,
      allowedIPs: ['10.0.0.0/8', 'fd00::/64'],
    },
  };
  const change: WireguardChange = { privateKey: PSK, listenPort: 51_820, firewallMark: 7, peers: [peer] };

  it('are read back as they were', () => {
    const state = readBack(encodeWireguardSet(33, 'wg0', change));
    assert.deepEqual([state.privateKey, state.listenPort, state.firewallMark], [PSK, 51_820, 7]);
    assert.deepEqual(state.peers, [
      {
        ...{ publicKey: KEYS[0], presharedKey: PSK, endpoint: '[fd00::1]:51820', keepaliveSeconds: 25 },
        ...{ allowedIPs: ['10.0.0.0/8', 'fd00::/64'], lastHandshakeMs: 0, receivedBytes: 0, sentBytes: 0 },
      },
    ]);
  });

  it('are several for many peers, and for one with many networks; none is lost', () => {
    const networks = Array.from({ length: 3000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    const many = Array.from({ length: 300 }, (_, i) => {
      const key = Buffer.alloc(32, i + 1);
      key.writeUInt32LE(i);
      return { ...peer, publicKey: key.toString('base64'), endpoint: `10.0.0.${i % 255}:1` };
    });
    const requests = encodeWireguardSet(33, 'wg0', { peers: [{ ...peer, allowedIPs: networks }, ...many] });
    assert.ok(requests.length > 5);
    assert.ok(requests.every((bytes) => bytes.length < 65_000));
    const state = readBack(requests);
    assert.equal(state.peers.length, 301);
    assert.deepEqual(state.peers[0]?.allowedIPs, networks);
    assert.deepEqual(
      state.peers.slice(1).map(({ publicKey }) => publicKey),
      many.map(({ publicKey }) => publicKey),
    );
  });

  it('say nothing of what stays as it is', () => {
    const [bytes] = encodeWireguardSet(33, 'wg0', { peers: [] });
    assert.ok(bytes);
    assert.equal(bytes.length, 16 + 4 + 8);
  });

  it('remove a peer without a word more', () => {
    const [bytes] = encodeWireguardSet(33, 'wg0', { peers: [{ ...peer, remove: true }] });
    const state = readBack(bytes === undefined ? [] : [bytes]);
    assert.deepEqual([state.peers[0]?.endpoint, state.peers[0]?.allowedIPs], ['', []]);
  });

  it('refuse keys and endpoints that are none, and never quote a key', () => {
    const bad: WireguardChange[] = [
      { privateKey: 'secret-secret', peers: [] },
      { peers: [{ ...peer, publicKey: 'short' }] },
      { peers: [{ ...peer, endpoint: '10.0.0.1' }] },
      { peers: [{ ...peer, endpoint: '10.0.0.1:70000' }] },
      { peers: [{ ...peer, allowedIPs: ['10.0.0/8'] }] },
    ];
    for (const each of bad)
      assert.throws(
        () => encodeWireguardSet(33, 'wg0', each),
        (error) => error instanceof Error && !error.message.includes('secret'),
      );
  });
});

describe('a request', () => {
  it('grows as it must, and refuses attributes that are too long', () => {
    const writer = new NetlinkWriter({ type: 99, flags: 1 }).bytes(1, new Uint8Array(60_000));
    assert.equal(writer.finish().length, 16 + 4 + 60_000);
    assert.throws(() => writer.bytes(2, new Uint8Array(66_000)), { code: 'BLM_WIRE_MALFORMED' });
    assert.throws(
      () => writer.nested(3, (inside) => inside.bytes(1, new Uint8Array(40_000)).bytes(2, new Uint8Array(40_000))),
      {
        code: 'BLM_WIRE_MALFORMED',
      },
    );
  });

  it('for nothing but an answer is a head', () => {
    const bytes = Buffer.from(encodeNetlinkNoop());
    assert.deepEqual(
      [bytes.length, bytes.readUInt32LE(0), bytes.readUInt16LE(4), bytes.readUInt16LE(6)],
      [16, 16, 1, 5],
    );
  });
});
