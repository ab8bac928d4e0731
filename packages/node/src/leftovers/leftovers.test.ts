import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Logger, silentLog } from '@bloomery/ports';
import fc from 'fast-check';
import { anyNetworkChoice, configOfChoice, decidedNetwork, twoCardHost } from '../addresses/testing/network-choice.ts';
import { startNetworkWorld } from '../addresses/testing/network-world.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { createKernelJournal, type KernelJournal } from '../kernel/kernel-journal.ts';
import { configOf, deviceOf } from '../links/testing/link-world.ts';
import type { FakeKernel } from '../testing/index.ts';
import { leftoverControllers } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'leftovers-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `${++files}.json`);
const journal = (kernel: FakeKernel, file: string): Promise<KernelJournal> =>
  createKernelJournal(kernel, { file, log: silentLog });

const eth0 = (...addresses: readonly string[]): NodeConfig => configOf([deviceOf('eth0', { addresses })]);
const addressesOf = ({ view }: FakeKernel): readonly string[] =>
  [...view.addresses.values()].map(({ linkIndex, address }) => `${view.links.get(linkIndex)?.name} ${address}`).sort();

/** A run of the daemon over what an earlier one left, until nothing is left over. */
async function run(kernel: FakeKernel, file: string, config: NodeConfig): Promise<void> {
  const over = await journal(kernel, file);
  await using world = await startNetworkWorld(over, config, { more: leftoverControllers({ kernel: over }) });
  await world.runtime.advance(30_000);
  await world.settle();
}

describe('what an earlier run has made', () => {
  it('is taken away when nobody asks for it any more, and what is asked for stays as it is', async () => {
    const [kernel, file] = [await twoCardHost(), newFile()];
    await run(kernel, file, eth0('10.0.0.5/24', '10.0.0.6/32'));
    const before = kernel.operations.length;
    await run(kernel, file, eth0('10.0.0.5/24'));
    assert.deepEqual(addressesOf(kernel), ['eth0 10.0.0.5/24', 'eth1 192.168.9.9/24']);
    assert.deepEqual(kernel.operations.slice(before), ['address.remove eth0 10.0.0.6/32']);
  });

  it('is not taken away before its specs had time to come', async () => {
    const [kernel, file] = [await twoCardHost(), newFile()];
    await run(kernel, file, eth0('10.0.0.5/24'));
    const before = kernel.operations.length;
    const over = await journal(kernel, file);
    await using world = await startNetworkWorld(over, undefined, { more: leftoverControllers({ kernel: over }) });
    await world.runtime.advance(5_000);
    await world.apply(eth0('10.0.0.5/24'));
    await world.runtime.advance(60_000);
    assert.equal(kernel.operations.length, before);
  });

  it('is taken away at once where it is in the way of a route that is asked for', async () => {
    const [kernel, file] = [await twoCardHost(), newFile()];
    const via = (gateway: string): NodeConfig => {
      const route = { network: '', gateway, source: '', metric: 0, mtu: 0 };
      return configOf([deviceOf('eth0', { addresses: ['10.0.0.5/24'], routes: [route] })]);
    };
    await run(kernel, file, via('10.0.0.1'));
    const over = await journal(kernel, file);
    await using world = await startNetworkWorld(over, via('10.0.0.2'), { more: leftoverControllers({ kernel: over }) });
    await world.runtime.advance(3_000);
    const gateways = [...kernel.view.routes.values()].map(({ gateway }) => gateway).filter((gateway) => gateway !== '');
    assert.deepEqual(gateways, ['10.0.0.2']);
  });

  it('is told apart by the link that the kernel has, also of blackholes of IPv6, which are on the loopback', async () => {
    const [kernel, file] = [await twoCardHost(), newFile()];
    const blackholes = configOf([], [{ kind: 'BlackholeRouteConfig', name: 'fd99::/32', line: 1, value: {} }]);
    await run(kernel, file, blackholes);
    const before = kernel.operations.length;
    await run(kernel, file, blackholes);
    assert.deepEqual(kernel.operations.slice(before), []);
    await run(kernel, file, configOf([]));
    assert.deepEqual(kernel.operations.slice(before), ['route.remove fd99::/32 dev lo metric 1024']);
  });

  it('of overlays stays until they are back', async () => {
    const [kernel, file] = [await twoCardHost(), newFile()];
    kernel.plug({ name: 'siderolink' });
    await run(kernel, file, configOf([deviceOf('siderolink', { addresses: ['fd00::7/64'] })]));
    await run(kernel, file, configOf([]));
    assert.ok(addressesOf(kernel).includes('siderolink fd00::7/64'));
  });

  it('goes after any two runs, so that a host is as after a fresh start', async () => {
    await fc.assert(
      fc.asyncProperty(anyNetworkChoice, anyNetworkChoice, async (first, second) => {
        const [kernel, file, fresh] = [await twoCardHost(), newFile(), await twoCardHost()];
        await run(kernel, file, configOfChoice(first));
        await run(kernel, file, configOfChoice(second));
        await run(fresh, newFile(), configOfChoice(second));
        assert.deepEqual(decidedNetwork(kernel), decidedNetwork(fresh));
      }),
      { numRuns: 10 },
    );
  });
});

describe('what was there before the daemon', () => {
  it('is not said to be removed; what was made is', async () => {
    const [kernel, file] = [await twoCardHost(), newFile()];
    const lines: string[] = [];
    const log: Logger = {
      ...silentLog,
      info: (event, fields) => void lines.push(`${event} ${fields?.['address']}`),
      with: () => log,
    };
    const eth1 = configOf([deviceOf('eth1', { addresses: ['192.168.9.9/24', '192.168.9.10/32'] })]);
    await using world = await startNetworkWorld(await journal(kernel, file), eth1, { log });
    await world.apply(configOf([]));
    assert.deepEqual(
      lines.filter((line) => line.startsWith('address.')),
      ['address.assigned 192.168.9.10/32', 'address.removed 192.168.9.10/32'],
    );
  });

  it('stays when the configuration names it and later does not', async () => {
    const [kernel, file] = [await twoCardHost(), newFile()];
    const over = await journal(kernel, file);
    const eth1 = configOf([deviceOf('eth1', { addresses: ['192.168.9.9/24', '192.168.9.10/32'] })]);
    await using world = await startNetworkWorld(over, eth1);
    await world.apply(configOf([]));
    assert.deepEqual(addressesOf(kernel), ['eth1 192.168.9.9/24']);
    assert.equal(over.entries.size, 0);
  });

  it('also stays of routing rules, when the configuration lets go of them or makes another of them', async () => {
    const [kernel, file] = [await twoCardHost(), newFile()];
    const foreign = {
      ...{ family: 2, priority: 1000, source: '10.0.0.0/8', destination: '', table: 100, action: 1 },
      ...{ iifName: '', oifName: '', fwMark: 0, fwMask: 0 },
    };
    await kernel.rules.add(foreign);
    const rule = (table: number): NodeConfig =>
      configOf([], [{ kind: 'RoutingRuleConfig', name: '1000', line: 1, value: { src: '10.0.0.0/8', table } }]);
    await using world = await startNetworkWorld(await journal(kernel, file), rule(100));
    await world.apply(rule(200));
    await world.apply(configOf([]));
    const tables = kernel.view.rules.filter(({ priority }) => priority === 1000).map(({ table }) => table);
    assert.deepEqual(tables, [100]);
  });

  it('also stays of routes', async () => {
    const [kernel, file] = [await twoCardHost(), newFile()];
    const index = kernel.view.linkByName('eth1')?.index ?? 0;
    const foreign = {
      ...{ family: 2, destination: '172.16.0.0/12', source: '', gateway: '', outLinkIndex: index, table: 254 },
      ...{ priority: 1024, scope: 253, type: 1, flags: 0, protocol: 4, mtu: 0 },
    };
    await kernel.routes.put(foreign);
    const route = { network: '172.16.0.0/12', gateway: '', source: '', metric: 0, mtu: 0 };
    await using world = await startNetworkWorld(
      await journal(kernel, file),
      configOf([deviceOf('eth1', { routes: [route] })]),
    );
    await world.apply(configOf([]));
    assert.equal(kernel.operations.filter((operation) => operation.startsWith('route.remove')).length, 0);
  });
});
