import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import type { Device, NodeDocument } from '../config/node-config.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { PROBLEM_ANNOTATION } from '../layers/index.ts';
import { LinkAliasSpec, LinkSpec, LinkStatus } from '../resources/links.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { DevicesStatus } from '../resources/runtime.ts';
import { createFakeKernel, testEnvironment } from '../testing/index.ts';
import { linkControllers } from './index.ts';
import {
  configOf,
  deviceOf,
  document,
  host,
  isUp,
  keptLog,
  linkOf,
  masterOf,
  problemOf,
  startLinkWorld,
} from './testing/link-world.ts';

const none = { deviceSelectors: [] };
const bondOf = (interfaces: readonly string[], mode: string): Partial<Device> => ({
  bond: { ...none, interfaces, options: { mode, miimon: 100 } },
});

describe('links from the configuration to the kernel', () => {
  it('wait until the links have their names', async () => {
    const kernel = host('eth0');
    await using world = await startLinkWorld(kernel, undefined);
    await world.runtime.put(DevicesStatus, 'devices', { ready: false });
    await world.apply(configOf([deviceOf('eth0', { mtu: 1400 }), deviceOf('dummy0', { dummy: true })]));
    assert.deepEqual(kernel.operations, []);
    await world.runtime.put(DevicesStatus, 'devices', { ready: true });
    assert.equal(linkOf(kernel, 'eth0')?.mtu, 1400);
    assert.equal(linkOf(kernel, 'dummy0')?.kind, 'dummy');
  });

  it('are left alone where the configuration does not name them', async () => {
    const kernel = host('eth0', 'eth1');
    await using _world = await startLinkWorld(kernel, configOf([deviceOf('eth0')]));
    assert.deepEqual(kernel.operations, ['link.change eth0 up=true']);
  });

  it('are all up by default when everything is managed', async () => {
    const kernel = host('eth0', 'eth1');
    await using _world = await startLinkWorld(kernel, undefined, { manageAll: true });
    assert.deepEqual(
      ['lo', 'eth0', 'eth1'].map((name) => isUp(kernel, name)),
      [true, true, true],
    );
  });

  it('that are made go with the configuration; hardware stays', async () => {
    const kernel = host('eth0');
    const config = configOf([
      deviceOf('eth0', { mtu: 1400 }),
      deviceOf('br0', { bridge: { ...none, interfaces: ['eth0'] } }),
    ]);
    await using world = await startLinkWorld(kernel, config);
    assert.equal(masterOf(kernel, 'eth0'), 'br0');
    assert.deepEqual(world.runtime.state.get(LinkSpec, 'br0')?.metadata.finalizers, ['network.LinkSpecController']);
    await world.apply(configOf([]));
    assert.equal(linkOf(kernel, 'br0'), undefined);
    assert.equal(linkOf(kernel, 'eth0')?.mtu, 1400);
    assert.deepEqual(world.runtime.specs(LinkSpec), {});
  });

  it('are merged over layers that others write', async () => {
    const kernel = host('eth0');
    await using world = await startLinkWorld(kernel, configOf([deviceOf('eth0')]));
    const operator = LinkSpec.make({ name: 'eth0', mtu: 1300, layer: 'operator' });
    await world.runtime.put(LinkSpec, 'dhcp4/eth0/eth0', operator, { namespace: LAYERED });
    assert.equal(linkOf(kernel, 'eth0')?.mtu, 1300);
    assert.equal(world.runtime.specs(LinkSpec)['eth0']?.layer, 'configuration');
  });

  it('that match a selector are configured when they come', async () => {
    const kernel = host();
    const plug = (n: number): void => void kernel.plug({ name: `nic${n}`, details: { busPath: `0000:0${n}:00.0` } });
    for (const n of [1, 2, 3]) plug(n);
    const { log, lines } = keptLog();
    const devices = [
      deviceOf('', { deviceSelector: { busPath: '0*' }, mtu: 9000 }),
      deviceOf('', { deviceSelector: { driver: 'x' } }),
    ];
    await using world = await startLinkWorld(kernel, configOf(devices), { log });
    assert.deepEqual(
      [1, 2, 3].map((n) => linkOf(kernel, `nic${n}`)?.mtu),
      [9000, 9000, 9000],
    );
    plug(4);
    await world.runtime.settled();
    assert.equal(linkOf(kernel, 'nic4')?.mtu, 9000);
    const warnings = lines.filter((line) => line.startsWith('warn device.unmatched'));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /machine\.network\.interfaces\[1\]: no link matches \{driver: x\}/);
  });

  it('that are named by an alternative name are found, and the log says which they are', async () => {
    const kernel = createFakeKernel();
    kernel.plug({ name: 'eth0', altNames: ['enp6s0'] });
    const { log, lines } = keptLog();
    await using _world = await startLinkWorld(kernel, configOf([deviceOf('enp6s0', { mtu: 1400 })]), { log });
    assert.equal(linkOf(kernel, 'eth0')?.mtu, 1400);
    const hint = JSON.stringify({ notice: 'enp6s0 is an alternative name of link eth0' });
    assert.deepEqual(
      lines.filter((line) => line.includes('link.named')),
      [`info link.named ${hint}`],
    );
  });

  it('that two masters want are warned of once', async () => {
    const kernel = host('eth0');
    const { log, lines } = keptLog();
    const bridge = (name: string): Device => deviceOf(name, { bridge: { ...none, interfaces: ['eth0'] } });
    await using _world = await startLinkWorld(kernel, configOf([bridge('br0'), bridge('br1')]), { log });
    assert.equal(masterOf(kernel, 'eth0'), 'br1');
    assert.equal(lines.filter((line) => line.startsWith('warn link.conflict')).length, 1);
  });
});

describe('a bond', () => {
  const bond = (mode: string) => configOf([deviceOf('bond0', bondOf(['eth0', 'eth1'], mode))]);

  it('has its settings from the beginning, and takes its members while they are down', async () => {
    const kernel = host('eth0', 'eth1');
    await using world = await startLinkWorld(kernel, bond('802.3ad'));
    assert.deepEqual(kernel.operations, [
      'link.create bond0 bond',
      'link.change bond0 up=true',
      `link.change eth0 masterIndex=${linkOf(kernel, 'bond0')?.index}`,
      `link.change eth1 masterIndex=${linkOf(kernel, 'bond0')?.index}`,
    ]);
    assert.equal(isUp(kernel, 'eth0'), true);
    assert.equal(problemOf(world, 'eth0'), undefined);
  });

  it('that changes goes down, releases its members, and takes them again', async () => {
    const kernel = host('eth0', 'eth1');
    await using world = await startLinkWorld(kernel, bond('802.3ad'));
    const index = linkOf(kernel, 'bond0')?.index;
    const from = kernel.operations.length;
    await world.apply(bond('active-backup'));
    assert.equal(linkOf(kernel, 'bond0')?.index, index);
    assert.equal(linkOf(kernel, 'bond0')?.bond?.['mode'], 1);
    assert.deepEqual(
      ['eth0', 'eth1'].map((name) => masterOf(kernel, name)),
      ['bond0', 'bond0'],
    );
    const [down, first, second, set] = kernel.operations.slice(from);
    assert.deepEqual(
      [down, first, second],
      ['link.change bond0 up=false', 'link.change eth0 masterIndex=0', 'link.change eth1 masterIndex=0'],
    );
    assert.match(set ?? '', /^link\.change bond0 bond=\{"mode":1,/);
  });

  it('keeps the others when a member leaves, or is pulled out and comes back', async () => {
    const kernel = host('eth0', 'eth1');
    await using world = await startLinkWorld(kernel, bond('802.3ad'));
    kernel.unplug('eth1');
    // Messages of the kernel wake controllers ten times a second at most.
    await world.runtime.advance(1_000);
    assert.equal(problemOf(world, 'eth1'), 'waits for link eth1: there is none of this name');
    kernel.plug({ name: 'eth1' });
    await world.runtime.advance(1_000);
    assert.equal(masterOf(kernel, 'eth1'), 'bond0');
    assert.equal(problemOf(world, 'eth1'), undefined);
    await world.apply(configOf([deviceOf('bond0', bondOf(['eth1'], '802.3ad'))]));
    assert.deepEqual(
      ['eth0', 'eth1'].map((name) => masterOf(kernel, name)),
      [undefined, 'bond0'],
    );
  });

  it('has its VLANs above it, which come back with it', async () => {
    const kernel = host('eth0', 'eth1');
    const vlans = [{ vlanId: 7, mtu: 0, addresses: [], routes: [] }];
    const config = configOf([deviceOf('bond0', { ...bondOf(['eth0', 'eth1'], 'balance-xor'), vlans })]);
    await using world = await startLinkWorld(kernel, config);
    assert.equal(linkOf(kernel, 'bond0.7')?.linkIndex, linkOf(kernel, 'bond0')?.index);
    assert.equal(isUp(kernel, 'bond0.7'), true);
    await kernel.links.remove(linkOf(kernel, 'bond0')?.index ?? 0);
    await world.runtime.advance(1_000);
    assert.equal(isUp(kernel, 'bond0.7'), true);
    assert.deepEqual(
      ['eth0', 'eth1'].map((name) => masterOf(kernel, name)),
      ['bond0', 'bond0'],
    );
  });
});

describe('a daemon that is started again', () => {
  const bond = { bond: { ...none, interfaces: [], options: { mode: '802.3ad', miimon: 100 } } };
  const configs: readonly [name: string, device: Device][] = [
    ['by selectors', deviceOf('bond0', { bond: { ...bond.bond, deviceSelectors: [{ physical: true }] } })],
    ['by alternative names', deviceOf('bond0', { bond: { ...bond.bond, interfaces: ['enp1s0', 'enp2s0'] } })],
  ];
  for (const [name, device] of configs) {
    it(`touches nothing that is as it should be: members of a bond ${name}`, async () => {
      const fake = createFakeKernel();
      // Cards answer one after the other.
      const linkDetails: Kernel['linkDetails'] = async (link) => {
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
        return fake.linkDetails(link);
      };
      const kernel = { ...fake, linkDetails };
      for (const n of [1, 2]) kernel.plug({ name: `eth${n}`, altNames: [`enp${n}s0`] });
      await (await startLinkWorld(kernel, configOf([device]), { manageAll: true }))[Symbol.asyncDispose]();
      assert.deepEqual(
        ['eth1', 'eth2'].map((link) => masterOf(kernel, link)),
        ['bond0', 'bond0'],
      );
      const operations = kernel.operations.length;
      await using world = await startLinkWorld(kernel, configOf([device]), { manageAll: true });
      await world.runtime.advance(5_000);
      assert.deepEqual(kernel.operations.slice(operations), []);
    });
  }

  it('does not wait for ever for a link that nobody shows', async () => {
    const kernel = host('eth0');
    const runtime = startTestRuntime(linkControllers(testEnvironment({ kernel })), {
      definitions: [MachineConfig, DevicesStatus, LinkStatus],
    });
    await runtime.put(DevicesStatus, 'devices', { ready: true });
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configOf([deviceOf('eth0')]));
    assert.equal(isUp(kernel, 'eth0'), false);
    for (let i = 0; i < 3; i++) await runtime.advance(1_000);
    assert.equal(isUp(kernel, 'eth0'), true);
    await runtime[Symbol.asyncDispose]();
  });
});

describe('refusals', () => {
  it('are the problem of their link, with the words of the kernel, and are tried again', async () => {
    const kernel = host('eth0', 'eth1');
    const end = kernel.refuse('eth0 mtu=9000', 'EINVAL');
    await using world = await startLinkWorld(
      kernel,
      configOf([deviceOf('eth0', { mtu: 9000 }), deviceOf('eth1', { mtu: 9000 })]),
    );
    assert.match(problemOf(world, 'eth0') ?? '', /EINVAL/);
    assert.equal(linkOf(kernel, 'eth1')?.mtu, 9000);
    end();
    await world.runtime.advance(2_000);
    assert.equal(linkOf(kernel, 'eth0')?.mtu, 9000);
    assert.equal(problemOf(world, 'eth0'), undefined);
  });

  it('of an address while the card is up make it go down for a moment', async () => {
    const kernel = host('eth0');
    kernel.refuse('eth0 hardwareAddr', 'EBUSY', 1);
    const change = document('LinkConfig', 'eth0', { hardwareAddr: '02:00:00:00:00:07' });
    await using world = await startLinkWorld(kernel, configOf([], [change]));
    assert.equal(linkOf(kernel, 'eth0')?.hardwareAddr, '02:00:00:00:00:07');
    assert.equal(isUp(kernel, 'eth0'), true);
    assert.equal(problemOf(world, 'eth0'), undefined);
  });

  it('to remove a link keep its spec until it is gone', async () => {
    const kernel = host();
    await using world = await startLinkWorld(kernel, configOf([deviceOf('dummy0', { dummy: true })]));
    const end = kernel.refuse('link.remove dummy0', 'EBUSY');
    await world.apply(configOf([]));
    assert.equal(world.runtime.state.get(LinkSpec, 'dummy0')?.metadata.phase, 'tearingDown');
    end();
    await world.runtime.advance(2_000);
    assert.equal(linkOf(kernel, 'dummy0'), undefined);
    assert.equal(world.runtime.state.get(LinkSpec, 'dummy0'), undefined);
  });

  it('never cost hardware its place', async () => {
    const kernel = host('eth0');
    await using world = await startLinkWorld(kernel, configOf([deviceOf('eth0', { dummy: true })]));
    assert.equal(problemOf(world, 'eth0'), 'cannot make dummy eth0: hardware has this name');
    assert.deepEqual(kernel.operations, []);
  });

  it('of somebody else who undoes each change at once end in a problem that is told, and in fewer changes', async () => {
    const kernel = host('eth0');
    const { index } = linkOf(kernel, 'eth0') ?? assert.fail();
    let isHostile = true;
    kernel.listen((change) => {
      if (isHostile && change.of === 'link' && change.link.name === 'eth0' && change.link.mtu === 9000)
        void kernel.links.change(index, { mtu: 1500 });
    });
    await using world = await startLinkWorld(kernel, configOf([deviceOf('eth0', { mtu: 9000 })]));
    for (let i = 0; i < 60; i++) await world.runtime.advance(1_000);
    assert.match(problemOf(world, 'eth0') ?? '', /^making link eth0, .*"mtu":9000.*somebody else undoes it/);
    const changes = kernel.operations.filter((operation) => operation === 'link.change eth0 mtu=9000').length;
    assert.ok(changes >= 30 && changes < 60, `${changes} changes in a minute`);
    isHostile = false;
    for (let i = 0; i < 2; i++) await world.runtime.advance(60_000);
    assert.equal(linkOf(kernel, 'eth0')?.mtu, 9000);
    assert.equal(problemOf(world, 'eth0'), undefined);
  });

  it('that are none, of a kernel that agrees and does nothing, end in a problem and not in a loop', async () => {
    const kernel = host('eth0');
    let asked = 0;
    const deaf: Kernel = {
      ...kernel,
      links: {
        ...kernel.links,
        change: async (index, change) => {
          if (change.mtu === undefined) return kernel.links.change(index, change);
          asked++;
          // It tells of a change all the same.
          await kernel.links.change(index, { alias: `${asked}` });
        },
      },
    };
    await using world = await startLinkWorld(deaf, configOf([deviceOf('eth0', { mtu: 9000 })]));
    await world.runtime.advance(60_000);
    for (let i = 0; i < 60; i++) await world.runtime.advance(1_000);
    assert.match(
      problemOf(world, 'eth0') ?? '',
      /^making link eth0, .*"mtu":9000.*: more than 40 times in a row; somebody else undoes it, or the kernel takes it/,
    );
    assert.ok(asked < 80, `asked ${asked} times`);
  });
});

describe('aliases', () => {
  const alias = (name: string): NodeDocument =>
    document('LinkAliasConfig', name, { selector: { match: 'link.kind == ""' } });

  it('are given to links, changed, and taken away', async () => {
    const kernel = host('eth0');
    await using world = await startLinkWorld(kernel, configOf([], [alias('net0')]));
    assert.equal(linkOf(kernel, 'eth0')?.alias, 'net0');
    await world.apply(configOf([deviceOf('net1', { mtu: 1400 })], [alias('net1')]));
    assert.equal(linkOf(kernel, 'eth0')?.alias, 'net1');
    assert.equal(linkOf(kernel, 'eth0')?.mtu, 1400);
    await world.apply(configOf([]));
    assert.equal(linkOf(kernel, 'eth0')?.alias, '');
    assert.deepEqual(world.runtime.specs(LinkAliasSpec), {});
  });

  it('that move from one link to another are never those of both', async () => {
    const kernel = host('eth0', 'eth1');
    const of = (name: string): NodeDocument =>
      document('LinkAliasConfig', 'net0', {
        selector: { match: `mac(link.permanent_addr) == "${linkOf(kernel, name)?.permanentAddr}"` },
      });
    await using world = await startLinkWorld(kernel, configOf([], [of('eth1')]));
    await world.apply(configOf([], [of('eth0')]));
    assert.deepEqual(kernel.operations, [
      'link.change eth1 alias=net0',
      'link.change eth1 alias=',
      'link.change eth0 alias=net0',
    ]);
  });

  it('that somebody else gave stay', async () => {
    const kernel = createFakeKernel();
    const { index } = kernel.plug({ name: 'eth0', alias: 'theirs' });
    await using world = await startLinkWorld(kernel, configOf([]));
    assert.equal(linkOf(kernel, 'eth0')?.alias, 'theirs');
    await world.apply(configOf([], [alias('ours')]));
    assert.equal(linkOf(kernel, 'eth0')?.alias, 'ours');
    kernel.refuse('alias=ours', 'EPERM');
    await kernel.links.change(index, { alias: 'theirs' });
    await world.apply(configOf([]));
    assert.equal(linkOf(kernel, 'eth0')?.alias, 'theirs');
  });

  it('that the kernel refuses are a problem of their spec', async () => {
    const kernel = host('eth0');
    kernel.refuse('alias=net0', 'EPERM');
    await using world = await startLinkWorld(kernel, configOf([], [alias('net0')]));
    assert.match(
      world.runtime.state.get(LinkAliasSpec, 'eth0')?.metadata.annotations[PROBLEM_ANNOTATION] ?? '',
      /EPERM/,
    );
  });
});

describe('the end of the daemon', () => {
  it('leaves links as they are: what was changed is undone by who keeps the journal', async () => {
    const kernel = host('eth0');
    const world = await startLinkWorld(kernel, configOf([deviceOf('dummy0', { dummy: true })]));
    const operations = kernel.operations.length;
    await world[Symbol.asyncDispose]();
    assert.equal(kernel.operations.length, operations);
  });
});
