import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createFakeKernel, type FakeKernel } from '../testing/fake-kernel/fake-kernel.ts';
import { type DryRunKernel, dryRunKernel } from './dry-run-kernel.ts';
import type { KernelLink, KernelRoute, KernelRule } from './kernel.ts';

const route = (parts: Partial<KernelRoute>): KernelRoute => ({
  ...{ family: 2, destination: '', source: '', gateway: '', outLinkIndex: 0, table: 254, priority: 1024 },
  ...{ scope: 0, type: 1, flags: 0, protocol: 4, mtu: 0 },
  ...parts,
});
const rule: KernelRule = {
  ...{ family: 2, priority: 500, source: '10.0.0.0/8', destination: '', table: 100, action: 1 },
  ...{ iifName: '', oifName: '', fwMark: 0, fwMask: 0 },
};
const address = (linkIndex: number, cidr: string, priority = 0) => ({
  ...{ linkIndex, address: cidr, scope: 0, flags: 0, priority },
});
const LOWER_UP = 0x1_0000;
const KEY = 'YEocP0e2o1WT5GlvBvQzVF7EeR6z9aCk+ZdZ5NKEuXA=';
const PEER = {
  ...{ publicKey: 'gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=', remove: false, updateOnly: false },
  ...{ replaceAllowedIPs: true, allowedIPs: ['10.4.0.0/24'] },
};

describe('a dry run', () => {
  let host: FakeKernel;
  let lines: string[];
  let kernel: DryRunKernel;
  let eth0: number;
  beforeEach(() => {
    host = createFakeKernel();
    eth0 = host.plug({ name: 'eth0', details: { driver: 'e1000', busPath: '0000:01:00.0' } }).index;
    begin();
  });
  const begin = (): void => {
    lines = [];
    kernel = dryRunKernel(host, (line) => lines.push(line));
  };
  const link = (name: string): KernelLink => kernel.view.linkByName(name) ?? assert.fail(`there is no ${name}`);

  it('says what it would do, each change as one line', async () => {
    await kernel.links.change(eth0, { up: true, mtu: 1400, masterIndex: 0 });
    await kernel.addresses.put(address(eth0, '10.0.0.5/24'));
    await kernel.addresses.put(address(eth0, '10.0.0.5/24', 7));
    await kernel.addresses.announce(eth0, '10.0.0.5/24');
    await kernel.routes.put(route({ gateway: '10.0.0.1', outLinkIndex: eth0 }));
    await kernel.routes.put(route({ gateway: '10.0.0.1', outLinkIndex: eth0, mtu: 1300 }));
    await kernel.routes.remove(route({ gateway: '10.0.0.1', outLinkIndex: eth0 }));
    await kernel.addresses.remove(eth0, '10.0.0.5/24');
    await kernel.rules.add(rule);
    await kernel.rules.remove(rule);
    await kernel.ethernet.change(link('eth0'), { rings: { rx: 256 } });
    await kernel.links.create({ name: 'bond0', kind: 'bond' });
    await kernel.links.remove(link('bond0').index);
    assert.deepEqual(lines, [
      'would change eth0: up true, mtu 1400, master none',
      'would add 10.0.0.5/24 to eth0',
      'would change 10.0.0.5/24 on eth0',
      'would announce 10.0.0.5/24 on eth0',
      'would add route default via 10.0.0.1 dev eth0 metric 1024',
      'would change route default via 10.0.0.1 dev eth0 metric 1024',
      'would remove route default via 10.0.0.1 dev eth0 metric 1024',
      'would remove 10.0.0.5/24 from eth0',
      'would add rule 500: from 10.0.0.0/8 lookup 100',
      'would remove rule 500: from 10.0.0.0/8 lookup 100',
      'would set the card of eth0: {"rings":{"rx":256}}',
      'would create bond0 (bond)',
      'would remove bond0',
    ]);
  });

  it('changes nothing of the kernel that it looks at', async () => {
    const told: string[] = [];
    host.listen(({ of }) => told.push(of));
    await kernel.links.create({ name: 'bond0', kind: 'bond' });
    await kernel.links.change(eth0, { masterIndex: link('bond0').index });
    await kernel.addresses.put(address(link('bond0').index, '10.0.0.5/24'));
    await kernel.rules.add(rule);
    assert.deepEqual([host.operations, told], [[], []]);
    assert.deepEqual(
      [...host.view.links.values()].map(({ name }) => name),
      ['lo', 'eth0'],
    );
    assert.deepEqual([host.view.addresses.size, host.view.linkByName('eth0')?.masterIndex], [0, 0]);
  });

  it('shows what it would have made, so that what stands on it is asked for, too', async () => {
    await kernel.links.create({ name: 'bond0', kind: 'bond' });
    const { index } = link('bond0');
    await kernel.links.change(eth0, { masterIndex: index });
    await kernel.links.change(index, { up: true });
    assert.notEqual(link('bond0').flags & LOWER_UP, 0);
    await kernel.links.create({ name: 'v7', kind: 'vlan', parentIndex: index, vlan: { id: 7, protocol: 0x8100 } });
    await kernel.links.change(link('v7').index, { up: true });
    await kernel.addresses.put(address(link('v7').index, '10.7.0.2/24'));
    await kernel.routes.put(route({ gateway: '10.7.0.1' }));
    assert.equal(lines.at(-1), 'would add route default via 10.7.0.1 metric 1024');
    assert.ok(
      kernel.view.routes
        .values()
        .some(({ gateway, outLinkIndex }) => gateway !== '' && outLinkIndex === link('v7').index),
    );
  });

  it('tells listeners of what it would have changed', async () => {
    const told: string[] = [];
    kernel.listen(({ of }) => told.push(of));
    await kernel.links.create({ name: 'd0', kind: 'dummy' });
    await kernel.rules.add(rule);
    assert.deepEqual(told, ['link', 'rule']);
  });

  it('says what would be refused, as the kernel does, unless it is done later', async () => {
    await assert.rejects(kernel.routes.put(route({ gateway: '10.0.0.1' })), /ENETUNREACH/);
    await assert.rejects(kernel.links.remove(eth0), /EOPNOTSUPP/);
    assert.deepEqual(lines, []);
    await kernel.links.change(eth0, { up: true });
    await kernel.addresses.put(address(eth0, '10.0.0.5/24'));
    await kernel.routes.put(route({ gateway: '10.0.0.1' }));
    assert.deepEqual(kernel.refusals(), ['removing eth0: EOPNOTSUPP Operation not supported']);
  });

  it('knows a card also under the name that it would have', async () => {
    await kernel.links.change(eth0, { name: 'enp1s0' });
    assert.deepEqual(await kernel.linkDetails(link('enp1s0')), { driver: 'e1000', busPath: '0000:01:00.0' });
    await kernel.links.create({ name: 'eth0', kind: 'dummy' });
    assert.deepEqual(await kernel.linkDetails(link('eth0')), {});
    assert.deepEqual((await kernel.ethernet.read(link('eth0'))).features, []);
  });

  it('takes a cable that is out for out, and one of a link that is down for in', async () => {
    host.plug({ name: 'eth1' });
    await host.links.change(eth0, { up: true });
    host.setCarrier('eth0', false);
    begin();
    for (const name of ['eth0', 'eth1']) await kernel.links.change(link(name).index, { up: true });
    assert.deepEqual(
      ['eth0', 'eth1'].map((name) => (link(name).flags & LOWER_UP) !== 0),
      [false, true],
    );
  });

  it('goes on from the settings that a card has', async () => {
    host.setEthernet('eth0', {
      ...{ ourModes: [], peerModes: [], rings: { rx: 256, tx: 64 }, wakeOnLan: 0 },
      features: [
        { name: 'rx-gro', on: true, fixed: false, wanted: true },
        { name: 'rx-lro', on: false, fixed: true, wanted: false },
      ],
    });
    await kernel.ethernet.change(link('eth0'), { rings: { rx: 512 }, features: { 'rx-lro': true } });
    await kernel.ethernet.change(link('eth0'), { features: { 'rx-gro': false }, wakeOnLan: 32 });
    const { rings, features, wakeOnLan } = await kernel.ethernet.read(link('eth0'));
    assert.deepEqual([rings, wakeOnLan], [{ rx: 512, tx: 64 }, 32]);
    assert.deepEqual(features, [
      { name: 'rx-gro', on: false, fixed: false, wanted: false },
      // What cannot be changed stays.
      { name: 'rx-lro', on: false, fixed: true, wanted: true },
    ]);
  });

  it('goes on from what a WireGuard device has, and never says a key', async () => {
    await host.wireguard.create('wg0');
    await host.wireguard.configure('wg0', { privateKey: KEY, listenPort: 51_820, peers: [] });
    begin();
    await kernel.wireguard.configure('wg0', { privateKey: KEY, peers: [PEER] });
    const state = await kernel.wireguard.read('wg0');
    assert.deepEqual([state?.listenPort, state?.peers.length], [51_820, 1]);
    assert.equal((await host.wireguard.read('wg0'))?.peers.length, 0);
    await kernel.links.remove(link('wg0').index);
    await kernel.wireguard.create('wg0');
    assert.equal((await kernel.wireguard.read('wg0'))?.listenPort, 0);
    assert.deepEqual(lines, [
      'would set up WireGuard of wg0 with changes of 1 peers',
      'would remove wg0',
      'would create wg0 (wireguard)',
    ]);
  });
});
