import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { BloomeryError, type Logger, silentLog, until } from '@bloomery/ports';
import fc from 'fast-check';
import { createFakeKernel, type FakeKernel } from '../testing/fake-kernel/fake-kernel.ts';
import type { Kernel, KernelRoute, KernelRule } from './kernel.ts';
import { createKernelJournal } from './kernel-journal.ts';
import { madeRoute } from './made-here.ts';

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

/** Everything that can be seen, but for what the kernel numbers. */
function seen({ view }: Kernel): unknown {
  return {
    links: [...view.links.values()].sort((a, b) => a.index - b.index),
    addresses: [...view.addresses.values()].map((one) => JSON.stringify(one)).sort(),
    routes: [...view.routes.values()].map((one) => JSON.stringify(Object.entries(one).sort())).sort(),
    rules: view.rules,
  };
}

describe('the journal of changes', () => {
  let dir: string;
  let file: string;
  let host: FakeKernel;
  let eth0: number;
  let eth1: number;
  const open = (kernel: Kernel = host, log: Logger = silentLog) => createKernelJournal(kernel, { file, log });
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'blm-journal-'));
    file = join(dir, 'undo.json');
    await setUp();
  });
  const setUp = async (): Promise<void> => {
    host = createFakeKernel();
    eth0 = host.plug({ name: 'eth0', altNames: ['enp1s0'], alias: 'uplink' }).index;
    eth1 = host.plug({ name: 'eth1' }).index;
    // What others set up before us.
    await host.links.change(eth0, { up: true });
    await host.addresses.put(address(eth0, '192.168.1.5/24'));
    await host.addresses.put(address(eth0, 'fd00::5/64'));
    await host.routes.put(route({ gateway: '192.168.1.1' }));
    await host.rules.add({ ...rule, priority: 7 });
  };
  afterEach(() => rmSync(dir, { recursive: true }));

  it('takes back what was added, and leaves what was there', async () => {
    const before = seen(host);
    const kernel = await open();
    await kernel.links.create({ name: 'br0', kind: 'bridge' });
    const br0 = host.view.linkByName('br0')?.index ?? 0;
    await kernel.links.change(br0, { up: true, mtu: 1400 });
    await kernel.addresses.put(address(br0, '10.0.0.1/24'));
    await kernel.addresses.put(address(eth0, '10.1.0.1/24'));
    await kernel.routes.put(route({ destination: '10.9.0.0/16', gateway: '10.1.0.9' }));
    await kernel.rules.add(rule);
    await kernel.wireguard.create('wg0');
    assert.notDeepEqual(seen(host), before);
    assert.deepEqual(await kernel.undo(), []);
    assert.deepEqual(seen(host), before);
    assert.equal(kernel.entries.size, 0);
    assert.throws(() => statSync(file), { code: 'ENOENT' });
  });

  it('has WireGuard as the kernel below it has', async () => {
    // Whose methods are not its own properties.
    Object.assign(host, { wireguard: Object.create(host.wireguard) });
    const kernel = await open();
    await kernel.wireguard.create('wg0');
    await kernel.wireguard.configure('wg0', { listenPort: 51_820, peers: [] });
    assert.equal((await kernel.wireguard.read('wg0'))?.listenPort, 51_820);
    await kernel.undo();
    assert.equal(host.view.linkByName('wg0'), undefined);
  });

  it('puts back what a link was, also what it lost while it was down', async () => {
    const before = seen(host);
    const kernel = await open();
    await kernel.links.create({ name: 'bond0', kind: 'bond', bond: { mode: 1 } });
    const bond0 = host.view.linkByName('bond0')?.index ?? 0;
    await kernel.links.change(eth0, { mtu: 1400 });
    await kernel.links.change(eth0, { up: false, hardwareAddr: '02:00:00:00:00:99', multicast: false });
    await kernel.links.change(eth0, { name: 'wan0', alias: 'ours', addAltNames: ['x'], removeAltNames: ['enp1s0'] });
    await kernel.links.change(eth0, { masterIndex: bond0 });
    await kernel.links.change(bond0, { up: true });
    assert.deepEqual(await kernel.undo(), []);
    assert.deepEqual(seen(host), before);
  });

  it('puts back the settings of a card and of a bond that were changed one after the other', async () => {
    const card = {
      port: 0,
      ourModes: [],
      peerModes: [],
      features: [{ name: 'gro', on: true, fixed: false, wanted: true }],
    };
    host.setEthernet('eth0', { ...card, rings: { rx: 256, tx: 512 }, channels: { combined: 4 }, wakeOnLan: 0x20 });
    await host.links.create({ name: 'bond7', kind: 'bond', bond: { mode: 1, miimon: 100 } });
    const before = seen(host);
    const kernel = await open();
    const link = host.view.links.get(eth0);
    const bond7 = host.view.linkByName('bond7')?.index ?? 0;
    assert.ok(link);
    await kernel.ethernet.change(link, { rings: { rx: 1024 } });
    host.setEthernet('eth0', { ...card, rings: { rx: 1024, tx: 512 }, channels: { combined: 4 }, wakeOnLan: 0x20 });
    await kernel.ethernet.change(link, { rings: { rx: 2048, tx: 1024 }, features: { gro: false } });
    await kernel.ethernet.change(link, { channels: { combined: 2 }, wakeOnLan: 0 });
    await kernel.links.change(bond7, { bond: { miimon: 200 } });
    await kernel.links.change(bond7, { bond: { mode: 4, miimon: 300 } });
    assert.deepEqual(await kernel.undo(), []);
    assert.deepEqual(seen(host), before);
    assert.deepEqual(host.ethernetChanges.get('eth0'), {
      ...{ rings: { rx: 256, tx: 512 }, features: { gro: true }, channels: { combined: 4 }, wakeOnLan: 0x20 },
    });
  });

  it('puts back addresses, routes and rules of others that were changed or removed', async () => {
    const before = seen(host);
    const kernel = await open();
    await kernel.addresses.put(address(eth0, '192.168.1.5/24', 77));
    await kernel.routes.put(route({ gateway: '192.168.1.1', mtu: 1300 }));
    await kernel.rules.remove({ ...rule, priority: 7 });
    assert.notDeepEqual(seen(host), before);
    await kernel.undo();
    assert.deepEqual(seen(host), before);
    await kernel.routes.remove(route({ gateway: '192.168.1.1' }));
    await kernel.addresses.remove(eth0, '192.168.1.5/24');
    await kernel.undo();
    assert.deepEqual(seen(host), before);
  });

  const sequences: readonly (readonly [what: string, act: (kernel: Kernel) => Promise<void>])[] = [
    [
      'routes that went with the last address of others',
      async (kernel) => {
        await kernel.addresses.put(address(eth0, '192.168.1.5/24', 7));
        await kernel.addresses.remove(eth0, '192.168.1.5/24');
      },
    ],
    [
      'routes of others on a link that went down behind their removal',
      async (kernel) => {
        await kernel.links.change(eth0, { mtu: 1400 });
        await kernel.routes.remove(route({ gateway: '192.168.1.1' }));
        await kernel.links.change(eth0, { up: false });
      },
    ],
    [
      'but no routes and addresses of ours that a link lost',
      async (kernel) => {
        await kernel.links.change(eth0, { mtu: 1400 });
        await kernel.addresses.put(address(eth0, 'fd00::9/64'));
        await kernel.routes.put(route({ gateway: '192.168.1.1', priority: 5 }));
        await kernel.links.change(eth0, { up: false });
        await kernel.links.change(eth0, { up: true });
      },
    ],
    [
      'but no route of ours that was put again by its gateway alone',
      async (kernel) => {
        const ours = route({ gateway: '192.168.1.1', priority: 5 });
        for (let time = 0; time < 2; time++) await kernel.routes.put(ours);
        await kernel.routes.remove({ ...ours, outLinkIndex: eth0 });
        assert.equal(kernel.entries?.size, 0);
      },
    ],
  ];
  for (const [what, act] of sequences)
    it(`puts back ${what}`, async () => {
      const before = seen(host);
      const kernel = await open();
      await act(kernel);
      assert.deepEqual(await kernel.undo(), []);
      assert.deepEqual(seen(host), before);
    });

  it('knows a route of ours, put by its gateway alone, under the link that the kernel has found for it', async () => {
    const kernel = await open();
    await kernel.routes.put(route({ gateway: '192.168.1.1', priority: 5 }));
    const made = [...kernel.view.routes.values()].filter((one) => madeRoute(kernel, one));
    assert.deepEqual(
      made.map(({ outLinkIndex, priority }) => [outLinkIndex, priority]),
      [[eth0, 5]],
    );
  });

  it('forgets what was taken back before the end, and what was refused', async () => {
    const kernel = await open();
    await kernel.addresses.put(address(eth1, '10.0.0.1/24'));
    await kernel.addresses.remove(eth1, '10.0.0.1/24');
    await kernel.links.create({ name: 'br0', kind: 'bridge' });
    const br0 = host.view.linkByName('br0')?.index ?? 0;
    await kernel.addresses.put(address(br0, '10.0.0.1/24'));
    await kernel.links.remove(br0);
    host.refuse('address.put', 'EPERM');
    await assert.rejects(kernel.addresses.put(address(eth1, '10.0.0.2/24')));
    assert.equal(kernel.entries.size, 0);
  });

  it('takes back what was done though its answer was lost, and nothing that was not', async () => {
    const before = seen(host);
    const lost = new BloomeryError('BLM_KERNEL_UNANSWERED', 'no answer', { retryable: true });
    const { addresses, links } = host;
    const silent: Kernel = {
      ...host,
      addresses: {
        ...addresses,
        put: async (one) => {
          if (one.linkIndex === eth0) await addresses.put(one);
          throw lost;
        },
      },
      links: {
        ...links,
        create: async (link) => {
          if (link.name === 'br0') await links.create(link);
          throw lost;
        },
      },
    };
    const kernel = await open(silent);
    for (const index of [eth0, eth1]) await assert.rejects(kernel.addresses.put(address(index, '10.0.0.1/24')), lost);
    for (const name of ['br0', 'br1']) await assert.rejects(kernel.links.create({ name, kind: 'bridge' }), lost);
    assert.notDeepEqual(seen(host), before);
    assert.deepEqual(await kernel.undo(), []);
    assert.deepEqual(seen(host), before);
  });

  it('says what could not be undone, undoes the rest, and takes what is gone for undone', async () => {
    const kernel = await open();
    await kernel.addresses.put(address(eth0, '10.0.0.1/24'));
    await kernel.addresses.put(address(eth0, '10.0.1.1/24'));
    await kernel.addresses.put(address(eth0, '10.0.2.1/24'));
    await host.addresses.remove(eth0, '10.0.2.1/24');
    host.refuse('address.remove eth0 10.0.1.1', 'EPERM');
    assert.deepEqual(await kernel.undo(), ['address.remove eth0 10.0.1.1/24: EPERM Operation not permitted']);
    const left = [...host.view.addresses.values()].map((one) => one.address);
    assert.deepEqual(left.sort(), ['10.0.1.1/24', '192.168.1.5/24', 'fd00::5/64']);
  });

  it('knows after a crash what was ours', async () => {
    const before = seen(host);
    const crashed = await open();
    await crashed.addresses.put(address(eth0, '10.0.0.1/24'));
    await crashed.links.change(eth0, { mtu: 1400 });
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const kernel = await open();
    assert.deepEqual(kernel.entries, crashed.entries);
    // The controllers do the same again.
    await kernel.addresses.put(address(eth0, '10.0.0.1/24'));
    await kernel.links.change(eth0, { mtu: 1400 });
    await kernel.undo();
    assert.deepEqual(seen(host), before);
  });

  it('knows after a crash of a link that was made when the crash came, and of its other end', async () => {
    const before = seen(host);
    const crashed = await open();
    const create = host.links.create;
    Object.assign(host.links, {
      create: async (link: Parameters<typeof create>[0]) => {
        await create(link);
        return new Promise(() => {});
      },
    });
    void crashed.links.create({ name: 'v0', kind: 'veth', veth: { peerName: 'v1' } });
    await until('the link is there', () => host.view.linkByName('v0') !== undefined);
    Object.assign(host.links, { create });
    const kernel = await open();
    assert.deepEqual([...kernel.entries.values()].map((entry) => entry.do === 'removeLink' && entry.name).sort(), [
      'v0',
      'v1',
    ]);
    await kernel.undo();
    assert.deepEqual(seen(host), before);
  });

  it('knows what it made also where a link has a higher number: one that came from another network namespace', async () => {
    host.plug({ name: 'eth9', index: 500 });
    const before = seen(host);
    const kernel = await open();
    await kernel.links.create({ name: 'br0', kind: 'bridge' });
    await kernel.links.create({ name: 'v0', kind: 'veth', veth: { peerName: 'v1' } });
    await kernel.links.create({ name: 'eth9.7', kind: 'vlan', parentIndex: 500, vlan: { id: 7, protocol: 0x8100 } });
    const made = [...kernel.entries.values()].map((entry) => entry.do === 'removeLink' && entry.name);
    assert.deepEqual(made.sort(), ['br0', 'eth9.7', 'v0', 'v1']);
    await kernel.undo();
    assert.deepEqual(seen(host), before);
  });

  it('does not take for ours what somebody else made a moment before', async () => {
    const kernel = await open();
    const create = host.links.create;
    Object.assign(host.links, {
      create: async (link: Parameters<typeof create>[0]) => {
        await create(link);
        return create(link);
      },
    });
    await assert.rejects(kernel.links.create({ name: 'br0', kind: 'bridge' }), /EEXIST/);
    assert.equal(kernel.entries.size, 0);
  });

  it('does not take for ours what was there before a crash, or was never made', async () => {
    await host.links.create({ name: 'br0', kind: 'bridge' });
    const before = seen(host);
    const crashed = await open();
    const create = host.links.create;
    Object.assign(host.links, { create: () => new Promise(() => {}) });
    for (const name of ['br0', 'br1']) void crashed.links.create({ name, kind: 'bridge' });
    await until('both are written down', () => existsSync(file) && readFileSync(file, 'utf8').includes('br1'));
    Object.assign(host.links, { create });
    const kernel = await open();
    assert.equal(kernel.entries.size, 0);
    await kernel.undo();
    assert.deepEqual(seen(host), before);
  });

  it('forgets a link that somebody takes away, and all on it, before another one has its index', async () => {
    const kernel = await open();
    await kernel.links.create({ name: 'br0', kind: 'bridge' });
    const { index = 0 } = host.view.linkByName('br0') ?? {};
    await kernel.addresses.put(address(index, '10.0.0.1/24'));
    await kernel.links.change(eth1, { mtu: 1400 });
    await host.links.remove(index);
    host.unplug('eth1');
    assert.equal(kernel.entries.size, 0);
    // As links do that come back from another network.
    host.plug({ name: 'pod0', kind: 'veth', index, flags: 1 });
    await host.addresses.put(address(index, '10.0.0.1/24'));
    const before = seen(host);
    assert.deepEqual(await kernel.undo(), []);
    assert.deepEqual(seen(host), before);
  });

  it('does not take a link for ours that has the index of one which went while nobody looked', async () => {
    const crashed = await open();
    await crashed.links.create({ name: 'br0', kind: 'bridge' });
    const { index = 0 } = host.view.linkByName('br0') ?? {};
    await crashed.addresses.put(address(index, '10.0.0.1/24'));
    await crashed.addresses.put(address(eth0, '10.1.0.1/24'));
    const written = readFileSync(file);
    await host.links.remove(index);
    host.plug({ name: 'pod0', kind: 'veth', index, flags: 1 });
    await host.addresses.put(address(index, '10.0.0.1/24'));
    writeFileSync(file, written);
    const kernel = await open();
    assert.deepEqual([...kernel.entries.keys()], [`address ${eth0}/10.1.0.1/24`]);
    await kernel.undo();
    assert.equal(host.view.addresses.has(`${index}/10.0.0.1/24`), true);
    assert.equal(host.view.linkByName('pod0')?.index, index);
  });

  it('is written before a change is made', async () => {
    const kernel = await open();
    const original = host.addresses.put;
    let written = '';
    Object.assign(host.addresses, {
      put: (one: Parameters<typeof original>[0]) => {
        written = readFileSync(file, 'utf8');
        return original(one);
      },
    });
    await kernel.addresses.put(address(eth0, '10.0.0.1/24'));
    assert.match(written, /10\.0\.0\.1\/24/);
  });

  it('works on when it cannot be written', async () => {
    const events: string[] = [];
    const log: Logger = { ...silentLog, warn: (event) => void events.push(event) };
    file = join(dir, 'no', 'such', 'folder', 'undo.json');
    const kernel = await open(host, log);
    await kernel.addresses.put(address(eth0, '10.0.0.1/24'));
    assert.deepEqual(events, ['kernel.journal_unwritten']);
  });

  it('restores the host after any sequence of changes', async () => {
    const links = fc.constantFrom('eth0', 'eth1', 'br0', 'br1');
    const cidr = fc.constantFrom('10.0.0.1/24', '10.0.1.1/24', '192.168.1.5/24', 'fd00::5/64');
    const index = (name: string): number => host.view.linkByName(name)?.index ?? 4711;
    const change: fc.Arbitrary<(kernel: Kernel) => Promise<void>> = fc.oneof(
      fc.constantFrom('br0', 'br1').map((name) => (kernel: Kernel) => kernel.links.create({ name, kind: 'bridge' })),
      fc.constantFrom('br0', 'br1').map((name) => (kernel: Kernel) => kernel.links.remove(index(name))),
      fc.tuple(links, fc.boolean()).map(
        ([name, up]) =>
          (kernel: Kernel) =>
            kernel.links.change(index(name), { up }),
      ),
      fc.tuple(links, fc.integer({ min: 1300, max: 1303 })).map(
        ([name, mtu]) =>
          (kernel: Kernel) =>
            kernel.links.change(index(name), { mtu }),
      ),
      fc.tuple(links, fc.constantFrom('br0', 'br1', '')).map(
        ([name, master]) =>
          (kernel: Kernel) =>
            kernel.links.change(index(name), { masterIndex: master === '' ? 0 : index(master) }),
      ),
      fc.tuple(links, cidr).map(
        ([name, one]) =>
          (kernel: Kernel) =>
            kernel.addresses.put(address(index(name), one)),
      ),
      fc.tuple(links, cidr).map(
        ([name, one]) =>
          (kernel: Kernel) =>
            kernel.addresses.remove(index(name), one),
      ),
      fc
        .constantFrom(5, 1024)
        .map((priority) => (kernel: Kernel) => kernel.routes.put(route({ gateway: '192.168.1.1', priority }))),
      fc.constant((kernel: Kernel) => kernel.routes.remove(route({ gateway: '192.168.1.1' }))),
      fc.constantFrom(7, 8).map((priority) => (kernel: Kernel) => kernel.rules.add({ ...rule, priority })),
      fc.constantFrom(7, 8).map((priority) => (kernel: Kernel) => kernel.rules.remove({ ...rule, priority })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 20 }), async (changes) => {
        await setUp();
        const before = seen(host);
        const kernel = await open();
        for (const act of changes) await act(kernel).catch(() => {});
        await kernel.undo();
        assert.deepEqual(seen(host), before, host.operations.join('\n'));
      }),
      { numRuns: 300, interruptAfterTimeLimit: 15_000 },
    );
  });
});
