import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import { AddressStatus } from '../../resources/addresses.ts';
import { EthernetStatus } from '../../resources/ethernet.ts';
import { HardwareAddress, LinkRefresh, LinkStatus } from '../../resources/links.ts';
import { RouteStatus, RoutingRuleStatus } from '../../resources/routes.ts';
import { createFakeKernel, type FakeKernel } from '../../testing/fake-kernel/fake-kernel.ts';
import type { KernelRoute } from '../kernel.ts';
import { statusControllers } from './index.ts';

const route = (parts: Partial<KernelRoute>): KernelRoute => ({
  ...{ family: 2, destination: '', source: '', gateway: '', outLinkIndex: 0, table: 254, priority: 1024 },
  ...{ scope: 0, type: 1, flags: 0, protocol: 4, mtu: 0 },
  ...parts,
});

describe('what the kernel has, as resources', () => {
  let kernel: FakeKernel;
  let runtime: TestRuntime;
  let eth0: number;
  let asked: string[];
  beforeEach(async () => {
    kernel = createFakeKernel();
    asked = [];
    const { linkDetails } = kernel;
    Object.assign(kernel, {
      linkDetails: (link: Parameters<typeof linkDetails>[0]) => {
        asked.push(link.name);
        return linkDetails(link);
      },
    });
    eth0 = kernel.plug({
      ...{ name: 'eth0', hardwareAddr: '52:54:00:00:00:01', alias: 'uplink', altNames: ['enp1s0'] },
      details: {
        ...{
          busPath: '0000:01:00.0',
          pciID: '8086:1521',
          driver: 'igb',
          driverVersion: '6.18',
          firmwareVersion: '1.63',
        },
        ...{ vendorID: '0x8086', productID: '0x1521', vendor: 'Intel Corporation', product: 'I350' },
        ...{ linkState: true, speedMbit: 1000, port: 0, duplex: 1 },
      },
    }).index;
    runtime = startTestRuntime(statusControllers({ kernel }), { definitions: [LinkRefresh] });
    await runtime.settled();
  });
  afterEach(() => runtime[Symbol.asyncDispose]());

  /** Wake-ups from outside are limited in their rate: time must pass. */
  const settled = (): Promise<void> => runtime.advance(1_000);
  const ids = <S>(
    definition: Parameters<TestRuntime['specs']>[0] & { readonly codec: { equal: (a: S, b: S) => boolean } },
  ) => Object.keys(runtime.specs(definition));

  it('are shown soon after the next message about what could not be read for long', async () => {
    const { linkDetails } = kernel;
    Object.assign(kernel, { linkDetails: () => Promise.reject(new Error('the disk is gone')) });
    await kernel.links.change(eth0, { mtu: 1400 });
    for (let s = 0; s < 200; s++) await settled();
    Object.assign(kernel, { linkDetails });
    await kernel.links.change(eth0, { mtu: 1300 });
    await settled();
    assert.equal(runtime.specs(LinkStatus)['eth0']?.mtu, 1300);
  });

  it('of a pair show the name that the other end has now', async () => {
    await kernel.links.create({ name: 'v0', kind: 'veth', veth: { peerName: 'v1' } });
    await settled();
    const peers = () => ['v0', 'v1', 'w1'].map((name) => runtime.specs(LinkStatus)[name]?.veth.peerName);
    assert.deepEqual(peers(), ['v1', 'v0', undefined]);
    await kernel.links.change(kernel.view.linkByName('v1')?.index ?? 0, { name: 'w1' });
    await settled();
    assert.deepEqual(peers(), ['w1', undefined, 'v0']);
  });

  it('show all of a card', () => {
    const { eth0: status } = runtime.specs(LinkStatus);
    assert.deepEqual(status, {
      ...LinkStatus.make(),
      ...{ alias: 'uplink', altNames: ['enp1s0'], index: eth0, type: 'ether', flags: 0x1002, mtu: 1500 },
      ...{ hardwareAddr: '52:54:00:00:00:01', permanentAddr: '52:54:00:00:00:01', broadcastAddr: 'ff:ff:ff:ff:ff:ff' },
      ...{ queueDisc: 'noop', operationalState: 'down' },
      ...{ busPath: '0000:01:00.0', pciID: '8086:1521', driver: 'igb', driverVersion: '6.18', firmwareVersion: '1.63' },
      ...{ vendorID: '0x8086', productID: '0x1521', vendor: 'Intel Corporation', product: 'I350' },
      ...{ linkState: true, speedMbit: 1000, port: 'TwistedPair', duplex: 'Full' },
    });
    assert.deepEqual(runtime.specs(HardwareAddress), { first: { name: 'eth0', hardwareAddr: '52:54:00:00:00:01' } });
  });

  it('show links without details as unknown, and never drop them', () => {
    const { lo } = runtime.specs(LinkStatus);
    assert.deepEqual([lo?.type, lo?.port, lo?.duplex, lo?.linkState], ['loopback', 'Other', 'Unknown', false]);
  });

  it('follow links as they come, change, get another name, and go', async () => {
    await kernel.links.create({ name: 'br0', kind: 'bridge', bridge: { stp: true } });
    await settled();
    assert.deepEqual(ids(LinkStatus), ['br0', 'eth0', 'lo']);
    assert.deepEqual(runtime.specs(LinkStatus)['br0']?.bridgeMaster, {
      stp: { enabled: true },
      vlan: { filteringEnabled: false },
    });
    const br0 = kernel.view.linkByName('br0')?.index ?? 0;
    await kernel.links.change(br0, { name: 'lan0', up: true });
    await settled();
    assert.deepEqual(ids(LinkStatus), ['eth0', 'lan0', 'lo']);
    await kernel.links.remove(br0);
    await settled();
    assert.deepEqual(ids(LinkStatus), ['eth0', 'lo']);
  });

  it('look only at what changed', async () => {
    for (let i = 0; i < 100; i++) kernel.plug({ name: `card${i}` });
    await settled();
    asked.length = 0;
    await kernel.links.change(eth0, { mtu: 1400 });
    await settled();
    assert.deepEqual(asked, ['eth0']);
    kernel.lose();
    await settled();
    assert.equal(new Set(asked).size, 102);
  });

  it('show bonds, VLANs and VRFs under the names of Talos', async () => {
    const bond = { mode: 4, miimon: 100, lacpRate: 1, xmitHashPolicy: 1, primary: eth0, arpIpTargets: ['10.0.0.1'] };
    await kernel.links.create({ name: 'bond0', kind: 'bond', bond });
    await kernel.links.create({ name: 'eth0.5', kind: 'vlan', parentIndex: eth0, vlan: { id: 5, protocol: 0x88a8 } });
    await kernel.links.create({ name: 'red', kind: 'vrf', vrf: { table: 1000 } });
    await settled();
    const specs = runtime.specs(LinkStatus);
    const { mode, miimon, lacpRate, xmitHashPolicy, primary, arpIpTargets, adLacpActive, useCarrier, missedMax } =
      specs['bond0']?.bondMaster ?? LinkStatus.make().bondMaster;
    assert.deepEqual(
      [mode, miimon, lacpRate, xmitHashPolicy, primary, arpIpTargets, adLacpActive, useCarrier, missedMax],
      ['802.3ad', 100, 'fast', 'layer3+4', eth0, ['10.0.0.1'], 'on', true, 2],
    );
    assert.deepEqual(specs['eth0.5']?.vlan, { vlanID: 5, vlanProtocol: '802.1ad' });
    assert.deepEqual(specs['red']?.vrfMaster, { table: '1000' });
  });

  it('show WireGuard without its secrets', async () => {
    const privateKey = 'YEocP0e2o1WT5GlvBvQzVF7EeR6z9aCk+ZdZ5NKEuXA=';
    const presharedKey = 'FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=';
    const publicKey = 'gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=';
    await kernel.wireguard.create('wg0');
    await settled();
    const peer = { ...{ publicKey, presharedKey, remove: false, updateOnly: false, replaceAllowedIPs: true } };
    const peers = [{ ...peer, allowedIPs: ['10.4.0.0/24'], endpoint: '10.0.0.7:51820', keepaliveSeconds: 25 }];
    await kernel.wireguard.configure('wg0', { privateKey, listenPort: 51_820, peers });
    await runtime.put(LinkRefresh, 'wireguard', { generation: 1 });
    await settled();
    const status = runtime.specs(LinkStatus)['wg0'];
    assert.equal(status?.wireguard.publicKey, 'rsy8+nAp6NfMKNnohQAYD+gIW3NXHAhDOyrrq1lggBA=');
    assert.deepEqual(status?.wireguard.peers, [
      {
        ...{ publicKey, presharedKey: '', endpoint: '10.0.0.7:51820' },
        ...{ persistentKeepaliveInterval: 25_000, allowedIPs: ['10.4.0.0/24'] },
      },
    ]);
    const text = LinkStatus.codec.toYaml(status ?? LinkStatus.make());
    assert.equal(text.includes(privateKey) || text.includes(presharedKey), false);
  });

  it('follow addresses and routes, also when their link gets another name', async () => {
    await kernel.links.change(eth0, { up: true });
    await kernel.addresses.put({ linkIndex: eth0, address: '10.0.0.5/24', scope: 0, flags: 0, priority: 0 });
    await kernel.addresses.put({ linkIndex: eth0, address: 'fd00::5/64', scope: 0, flags: 2, priority: 0 });
    await kernel.routes.put(route({ gateway: '10.0.0.1' }));
    await kernel.routes.put(route({ destination: '10.9.0.0/16', gateway: '10.0.0.1', table: 1000, priority: 5 }));
    await settled();
    assert.deepEqual(ids(AddressStatus), ['eth0/10.0.0.5/24', 'eth0/fd00::5/64']);
    assert.deepEqual(runtime.specs(AddressStatus)['eth0/10.0.0.5/24'], {
      ...{ address: '10.0.0.5/24', local: '10.0.0.5', broadcast: '', anycast: '', multicast: '' },
      ...{ linkIndex: eth0, linkName: 'eth0', family: 'inet4', scope: 'global', flags: 0x80, priority: 0 },
    });
    const routes = ['1000/inet4/10.0.0.1/10.9.0.0/16/5', 'eth0/inet6//fd00::/64/256', 'inet4//10.0.0.0/24/0'];
    assert.deepEqual(ids(RouteStatus), [...routes, 'inet4/10.0.0.1//1024']);
    assert.equal(runtime.specs(RouteStatus)['inet4/10.0.0.1//1024']?.outLinkName, 'eth0');
    await kernel.links.change(eth0, { name: 'wan0' });
    await settled();
    assert.deepEqual(ids(AddressStatus), ['wan0/10.0.0.5/24', 'wan0/fd00::5/64']);
    assert.equal(runtime.specs(RouteStatus)['inet4/10.0.0.1//1024']?.outLinkName, 'wan0');
    await kernel.links.change(eth0, { up: false });
    await settled();
    assert.deepEqual([ids(AddressStatus), ids(RouteStatus)], [['wan0/10.0.0.5/24'], []]);
  });

  it('show one of two routes with the same id, and the other when the first goes', async () => {
    const eth1 = kernel.plug({ name: 'eth1' }).index;
    for (const index of [eth0, eth1]) {
      await kernel.links.change(index, { up: true });
      await kernel.addresses.put({ linkIndex: index, address: `10.0.0.${index}/24`, scope: 0, flags: 0, priority: 0 });
    }
    await settled();
    assert.equal(runtime.specs(RouteStatus)['inet4//10.0.0.0/24/0']?.outLinkName, 'eth1');
    await kernel.links.change(eth1, { up: false });
    await settled();
    assert.equal(runtime.specs(RouteStatus)['inet4//10.0.0.0/24/0']?.outLinkName, 'eth0');
    await kernel.links.change(eth0, { up: false });
    await settled();
    assert.deepEqual(ids(RouteStatus), []);
  });

  it('follow rules', async () => {
    assert.deepEqual(ids(RoutingRuleStatus), [
      'inet4/00000',
      'inet4/32766',
      'inet4/32767',
      'inet6/00000',
      'inet6/32766',
    ]);
    const rule = {
      ...{ family: 2, priority: 500, source: '10.0.0.0/8', destination: '', table: 1000, action: 1 },
      ...{ iifName: '', oifName: 'eth0', fwMark: 16, fwMask: 255 },
    };
    await kernel.rules.add(rule);
    await settled();
    assert.deepEqual(runtime.specs(RoutingRuleStatus)['inet4/00500'], {
      ...{ family: 'inet4', src: '10.0.0.0/8', dst: '', table: '1000', priority: 500, action: 'unicast' },
      ...{ iifName: '', oifName: 'eth0', fwMark: 16, fwMask: 255 },
    });
    await kernel.rules.remove(rule);
    await settled();
    assert.equal(ids(RoutingRuleStatus).length, 5);
  });

  it('show the settings of cards that ethtool knows, and of no others', async () => {
    assert.deepEqual(ids(EthernetStatus), []);
    kernel.setEthernet('eth0', {
      ...{ linkState: true, speedMbit: 1000, port: 3, duplex: 1, ourModes: ['1000baseT/Full'], peerModes: [] },
      rings: { 'rx-max': 4096, rx: 256, 'tx-push': false },
      features: [
        { name: 'rx-gro', on: true, fixed: false, wanted: true },
        { name: 'rx-lro', on: false, fixed: true, wanted: false },
        { name: 'rx-all', on: false, fixed: false, wanted: true },
      ],
      channels: { 'combined-max': 8, combined: 4 },
      wakeOnLan: 0x21,
    });
    await kernel.links.change(eth0, { up: true });
    await settled();
    const status = runtime.specs(EthernetStatus)['eth0'];
    assert.deepEqual(ids(EthernetStatus), ['eth0']);
    assert.deepEqual([status?.port, status?.duplex, status?.speedMbit], ['Fibre', 'Full', 1000]);
    assert.deepEqual(
      status?.features.map(({ name, status: text }) => `${name}: ${text}`),
      ['rx-gro: on', 'rx-lro: off [fixed]', 'rx-all: off [requested on]'],
    );
    assert.deepEqual([status?.rings?.rx, status?.rings?.['rx-max'], status?.rings?.tx], [256, 4096, undefined]);
    assert.deepEqual([status?.channels?.combined, status?.channels?.['combined-max']], [4, 8]);
    assert.deepEqual(status?.wakeOnLAN, ['phy', 'magic']);
  });

  it('try again what could not be read, and show the others', async () => {
    const { read } = kernel.ethernet;
    let fails = true;
    Object.assign(kernel.ethernet, {
      read: (link: Parameters<typeof read>[0]) => {
        if (fails && link.name === 'eth0') throw new Error('no answer');
        return Promise.resolve({ port: 0, ourModes: [], peerModes: [], features: [] });
      },
    });
    kernel.lose();
    await settled();
    assert.deepEqual(ids(EthernetStatus), ['lo']);
    fails = false;
    await runtime.advance(60_000);
    assert.deepEqual(ids(EthernetStatus), ['eth0', 'lo']);
  });
});
