import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '@bloomery/ports';
import { parsePrefix } from '../ip/ip-prefix.ts';
import type { KernelRoute } from '../kernel/kernel.ts';
import { layeredId } from '../layers/index.ts';
import { configOf, deviceOf } from '../links/testing/link-world.ts';
import { ADDRESS_FLAGS, AddressSpec, LAYERED } from '../resources/index.ts';
import { createFakeKernel, type FakeKernel } from '../testing/index.ts';
import { addressId, addressSpec } from './configured-addresses.ts';
import { startNetworkWorld } from './testing/network-world.ts';

/** A host with eth0, which is up. */
async function host(): Promise<FakeKernel> {
  const kernel = createFakeKernel();
  await kernel.links.change(kernel.plug({ name: 'eth0' }).index, { up: true });
  return kernel;
}

const addressesOf = ({ view }: FakeKernel): readonly string[] =>
  [...view.addresses.values()].map(({ linkIndex, address }) => `${view.links.get(linkIndex)?.name} ${address}`).sort();

/** The default route of a host, as somebody else has made it. */
const foreignDefault = (outLinkIndex: number): KernelRoute => ({
  ...{ family: 2, destination: '', source: '10.0.0.5', gateway: '10.0.0.1', outLinkIndex, table: 254 },
  ...{ priority: 100, scope: 0, type: 1, flags: 0, protocol: 3, mtu: 0 },
});

const eth0 = (...addresses: readonly string[]) => configOf([deviceOf('eth0', { addresses })]);
const spec = (address: string, values: Partial<AddressSpec> = {}): AddressSpec => {
  const prefix = parsePrefix(address) ?? assert.fail();
  return { ...addressSpec({ linkName: 'eth0', prefix, layer: 'operator' }), ...values };
};

describe('addresses of the daemon', () => {
  it('follow the configuration', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24', 'fd00::5/64'));
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.5/24', 'eth0 fd00::5/64']);
    await world.apply(eth0('fd00::5/64', '10.0.0.6/24'));
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.6/24', 'eth0 fd00::5/64']);
    assert.equal(kernel.operations.filter((operation) => operation.includes('fd00::5')).length, 1);
    await world.apply(undefined);
    assert.deepEqual(addressesOf(kernel), []);
    assert.deepEqual(world.runtime.specs(AddressSpec), {});
  });

  it('are there before those that they replace go, so that the link is never without one', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24', 'fd00::5/64'));
    const before = kernel.operations.length;
    await world.apply(eth0('10.0.0.6/24', 'fd00::6/64'));
    assert.deepEqual(kernel.operations.slice(before), [
      'address.put eth0 10.0.0.6/24',
      'address.put eth0 fd00::6/64',
      'address.remove eth0 10.0.0.5/24',
      'address.remove eth0 fd00::5/64',
    ]);
  });

  it('of IPv6 that differ in their length only make room: the kernel would take one for the other', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24', 'fd00::5/64'));
    const before = kernel.operations.length;
    await world.apply(eth0('10.0.0.5/16', 'fd00::5/128'));
    assert.deepEqual(kernel.operations.slice(before), [
      'address.remove eth0 fd00::5/64',
      'address.put eth0 10.0.0.5/16',
      'address.put eth0 fd00::5/128',
      'address.remove eth0 10.0.0.5/24',
    ]);
  });

  it('stay when the configuration calls their link by another of its names', async () => {
    const kernel = await host();
    await kernel.links.change(kernel.view.linkByName('eth0')?.index ?? 0, { alias: 'uplink' });
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24'));
    const before = kernel.operations.length;
    await world.apply(configOf([deviceOf('uplink', { addresses: ['10.0.0.5/24'] })]));
    await world.apply(eth0('10.0.0.5/24'));
    assert.deepEqual(kernel.operations.slice(before), []);
    assert.deepEqual(Object.keys(world.runtime.specs(AddressSpec)), ['eth0/10.0.0.5/24']);
  });

  it('whose flags the kernel does not change are put anew while another holds their place, and the routes with it', async () => {
    const kernel = await host();
    const linkIndex = kernel.view.linkByName('eth0')?.index ?? 0;
    const flags = ADDRESS_FLAGS.noprefixroute;
    for (const address of ['10.0.0.5/24', '10.1.0.5/32'])
      await kernel.addresses.put({ linkIndex, address, scope: 0, flags, priority: 0 });
    await kernel.routes.put(foreignDefault(linkIndex));
    const gone: string[] = [];
    kernel.listen((change) => {
      if (change.of === 'route' && change.gone) gone.push(`${change.route.destination} ${change.route.gateway}`);
    });
    const before = kernel.operations.length;
    await using _world = await startNetworkWorld(kernel, eth0('10.0.0.5/24', '10.1.0.5/32'));
    assert.deepEqual(kernel.operations.slice(before), [
      'address.put eth0 10.0.0.5/32',
      'address.remove eth0 10.0.0.5/24',
      'address.put eth0 10.0.0.5/24',
      'address.remove eth0 10.0.0.5/32',
      'address.put eth0 10.1.0.5/31',
      'address.remove eth0 10.1.0.5/32',
      'address.put eth0 10.1.0.5/32',
      'address.remove eth0 10.1.0.5/31',
    ]);
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.5/24', 'eth0 10.1.0.5/32']);
    assert.deepEqual(gone, []);
  });

  it('leave no place holder when the kernel refuses to take an address back', async () => {
    const kernel = await host();
    const linkIndex = kernel.view.linkByName('eth0')?.index ?? 0;
    const flags = ADDRESS_FLAGS.noprefixroute;
    await kernel.addresses.put({ linkIndex, address: '10.0.0.5/24', scope: 0, flags, priority: 0 });
    kernel.refuse('address.put eth0 10.0.0.5/24', 'ENOMEM', 1);
    const before = kernel.operations.length;
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24'));
    await world.runtime.advance(60_000);
    assert.deepEqual(kernel.operations.slice(before), [
      'address.put eth0 10.0.0.5/32',
      'address.remove eth0 10.0.0.5/24',
      'address.put eth0 10.0.0.5/24 !ENOMEM',
      'address.remove eth0 10.0.0.5/32',
      'address.put eth0 10.0.0.5/24',
    ]);
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.5/24']);
  });

  it('leave those of others alone', async () => {
    const kernel = await host();
    const index = kernel.view.linkByName('eth0')?.index ?? 0;
    await kernel.addresses.put({ linkIndex: index, address: '192.168.7.7/24', scope: 0, flags: 0, priority: 0 });
    const before = [...kernel.operations];
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24'));
    await world.apply(eth0());
    assert.deepEqual(addressesOf(kernel), ['eth0 192.168.7.7/24']);
    assert.deepEqual(kernel.operations.slice(before.length), [
      'address.put eth0 10.0.0.5/24',
      'address.remove eth0 10.0.0.5/24',
    ]);
  });

  it('give the loopback its address only where everything is looked after', async () => {
    const [all, named] = [await host(), await host()];
    await using _all = await startNetworkWorld(all, eth0(), { manageAll: true });
    await using _named = await startNetworkWorld(named, eth0());
    assert.deepEqual(addressesOf(all), ['lo 127.0.0.1/8']);
    assert.deepEqual(addressesOf(named), []);
  });

  it('wait for their link, and say so', async () => {
    const kernel = createFakeKernel();
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24'));
    assert.deepEqual(world.problems(AddressSpec), {
      'eth0/10.0.0.5/24': 'waits for link eth0: there is none of this name',
    });
    kernel.plug({ name: 'eth0' });
    await world.settle();
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.5/24']);
    assert.deepEqual(world.problems(AddressSpec), {});
  });

  it('are put back when somebody takes them away, or the link comes anew', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24'));
    await kernel.addresses.remove(kernel.view.linkByName('eth0')?.index ?? 0, '10.0.0.5/24');
    await world.settle();
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.5/24']);
    kernel.unplug('eth0');
    kernel.plug({ name: 'eth0' });
    await world.settle();
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.5/24']);
  });

  it('move with the alias that names their link', async () => {
    const kernel = await host();
    const [first, second] = [kernel.view.linkByName('eth0')?.index ?? 0, kernel.plug({ name: 'eth1' }).index];
    await kernel.links.change(first, { alias: 'uplink' });
    await using world = await startNetworkWorld(kernel, configOf([deviceOf('uplink', { addresses: ['10.0.0.5/24'] })]));
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.5/24']);
    await kernel.links.change(first, { alias: '' });
    await kernel.links.change(second, { alias: 'uplink' });
    await world.settle();
    assert.deepEqual(addressesOf(kernel), ['eth1 10.0.0.5/24']);
    await kernel.links.change(second, { alias: '' });
    await world.apply(configOf([]));
    assert.deepEqual(addressesOf(kernel), []);
  });

  it('go by themselves with their link', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24'));
    kernel.unplug('eth0');
    await world.apply(eth0());
    assert.deepEqual(world.runtime.specs(AddressSpec), {});
  });

  it('that the kernel refuses are shown with its words and tried again, the others go on', async () => {
    const kernel = await host();
    const end = kernel.refuse('10.0.0.5/24', 'EINVAL');
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24', '10.0.0.6/24'));
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.6/24']);
    const { 'eth0/10.0.0.5/24': problem = '', ...others } = world.problems(AddressSpec);
    assert.match(problem, /10\.0\.0\.5\/24.*EINVAL/);
    assert.deepEqual(others, {});
    end();
    await world.runtime.advance(120_000);
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.5/24', 'eth0 10.0.0.6/24']);
    await world.settle();
    assert.deepEqual(world.problems(AddressSpec), {});
  });

  it('that cannot be taken away keep their spec until they can', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24'));
    kernel.refuse('address.remove', 'EBUSY', 1);
    await world.apply(eth0());
    await world.runtime.advance(60_000);
    assert.deepEqual(addressesOf(kernel), []);
    assert.deepEqual(world.runtime.specs(AddressSpec), {});
  });

  it('of a higher layer win', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24'));
    const low = spec('10.0.0.5/24', { priority: 7 });
    await world.runtime.put(AddressSpec, layeredId('operator', addressId(low)), low, { namespace: LAYERED });
    assert.equal(world.runtime.specs(AddressSpec)['eth0/10.0.0.5/24']?.layer, 'configuration');
    await world.apply(eth0());
    assert.equal(world.runtime.specs(AddressSpec)['eth0/10.0.0.5/24']?.layer, 'operator');
    assert.deepEqual(
      [...kernel.view.addresses.values()].map(({ priority }) => priority),
      [7],
    );
    assert.equal(kernel.operations.filter((operation) => operation.startsWith('address.remove')).length, 0);
  });

  it('that somebody else takes away again and again are put back less and less often, and this is told', async () => {
    const kernel = await host();
    const index = kernel.view.linkByName('eth0')?.index ?? 0;
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24'));
    let isHostile = true;
    kernel.listen((change) => {
      if (isHostile && change.of === 'address' && !change.gone) void kernel.addresses.remove(index, '10.0.0.5/24');
    });
    await kernel.addresses.remove(index, '10.0.0.5/24');
    const puts = (): number => kernel.operations.filter((operation) => operation.startsWith('address.put')).length;
    const before = puts();
    for (let i = 0; i < 60; i++) await world.runtime.advance(1_000);
    assert.ok(puts() - before >= 10 && puts() - before < 20, `${puts() - before} times in a minute`);
    assert.match(
      world.problems(AddressSpec)['eth0/10.0.0.5/24'] ?? '',
      /^putting 10\.0\.0\.5\/24 on eth0: more than 10 times in a row; somebody else undoes it/,
    );
    isHostile = false;
    for (let i = 0; i < 2; i++) await world.runtime.advance(60_000);
    await world.settle();
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.5/24']);
    assert.deepEqual(world.problems(AddressSpec), {});
  });

  it('are back at once after a storm of their link, which the kernel takes them away with each time', async () => {
    const kernel = await host();
    const index = kernel.view.linkByName('eth0')?.index ?? 0;
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24', 'fd00::5/64'));
    for (let i = 0; i < 30; i++) {
      for (const up of [false, true]) await kernel.links.change(index, { up });
      await world.runtime.advance(300);
    }
    await world.settle();
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.5/24', 'eth0 fd00::5/64']);
  });

  it('are announced when they are new and shall be', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel);
    const announced = spec('10.0.0.9/32', { announceWithARP: true });
    await world.runtime.put(AddressSpec, layeredId('operator', addressId(announced)), announced, {
      namespace: LAYERED,
    });
    await world.settle();
    assert.deepEqual(kernel.operations.slice(-2), [
      'address.put eth0 10.0.0.9/32',
      'address.announce eth0 10.0.0.9/32',
    ]);
  });

  it('with flags that only the kernel sets are put without them, with a warning', async () => {
    const kernel = await host();
    const warnings: unknown[] = [];
    const log = { ...silentLog, warn: (event: string, facts?: unknown) => warnings.push([event, facts]) };
    const given = spec('fd00::9/64', { flags: ADDRESS_FLAGS.permanent | ADDRESS_FLAGS.tentative });
    await using world = await startNetworkWorld(kernel, undefined, {
      log: { ...log, with: () => ({ ...log, with: () => silentLog }) },
    });
    await world.runtime.put(AddressSpec, layeredId('operator', addressId(given)), given, { namespace: LAYERED });
    await world.settle();
    assert.deepEqual(warnings, [
      ['address.flags-dropped', { address: 'fd00::9/64', link: 'eth0', flags: ['tentative'] }],
    ]);
    assert.deepEqual(
      [...kernel.view.addresses.values()].map(({ flags }) => flags),
      [ADDRESS_FLAGS.permanent],
    );
  });

  it('are left alone when nothing changes, whatever the kernel tells', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, eth0('10.0.0.5/24', 'fd00::5/64'));
    const before = kernel.operations.length;
    kernel.lose();
    await world.settle();
    await world.apply(eth0('10.0.0.5/24', 'fd00::5/64'));
    assert.equal(kernel.operations.length, before);
  });
});
