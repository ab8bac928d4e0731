import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NodeConfig, NodeDocument } from '../config/node-config.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { kernelRefused } from '../kernel/kernel-error.ts';
import { configOf, deviceOf } from '../links/testing/link-world.ts';
import { AddressSpec, RouteSpec, RoutingRuleSpec } from '../resources/index.ts';
import { createFakeKernel, type FakeKernel } from '../testing/index.ts';
import { startNetworkWorld } from './testing/network-world.ts';

const CARDS = ['eth0', 'eth1'] as const;
const PROTO_KERNEL = 2;

async function host(): Promise<FakeKernel> {
  const kernel = createFakeKernel();
  await kernel.links.change(1, { up: true });
  for (const name of CARDS) await kernel.links.change(kernel.plug({ name }).index, { up: true });
  const index = kernel.view.linkByName('eth1')?.index ?? 0;
  await kernel.addresses.put({ linkIndex: index, address: '192.168.9.9/24', scope: 0, flags: 0, priority: 0 });
  return kernel;
}

/** What a configuration can ask of each card and of the host; destinations and metrics do not collide. */
interface Choice {
  readonly addresses: readonly (readonly string[])[];
  readonly metric: readonly number[];
  readonly routes: readonly (readonly [destination: string, gateway: string, mtu: number, card: number])[];
  readonly rules: readonly (readonly [priority: number, table: number, src: string])[];
  readonly blackhole: boolean;
}

const anyChoice: fc.Arbitrary<Choice> = fc.record({
  addresses: fc.tuple(
    ...CARDS.map(() => fc.subarray(['10.0.0.5/24', '10.0.0.6/32', '10.7.0.5/16', 'fd00::5/64', 'fd00::6/128'])),
  ),
  metric: fc.tuple(...CARDS.map(() => fc.constantFrom(0, 50))),
  routes: fc.uniqueArray(
    fc.tuple(
      fc.constantFrom('0.0.0.0/0', '172.16.0.0/12', '172.20.1.1/16', 'fd77::/16', '::/0'),
      fc.constantFrom('', '1', '2'),
      fc.constantFrom(0, 1400),
      fc.constantFrom(0, 1),
    ),
    { maxLength: 4, selector: ([destination]) => destination },
  ),
  rules: fc.uniqueArray(
    fc.tuple(fc.constantFrom(7, 1000, 2000), fc.constantFrom(100, 200), fc.constantFrom('', '10.0.0.0/8', 'fd00::/8')),
    { maxLength: 3, selector: ([priority]) => priority },
  ),
  blackhole: fc.boolean(),
});

function configOfChoice({ addresses, metric, routes, rules, blackhole }: Choice): NodeConfig {
  const documents: NodeDocument[] = CARDS.map((name, at) => ({
    ...{ kind: 'LinkConfig', name, line: 1 },
    value: { addresses: addresses[at]?.map((address) => ({ address, routePriority: metric[at] })) },
  }));
  for (const [priority, table, src] of rules)
    documents.push({ kind: 'RoutingRuleConfig', name: `${priority}`, line: 1, value: { table, src } });
  if (blackhole) documents.push({ kind: 'BlackholeRouteConfig', name: '10.128.0.0/9', line: 1, value: {} });
  const devices = CARDS.map((name, at) =>
    deviceOf(name, {
      routes: routes
        .filter(([, , , card]) => card === at)
        .map(([network, host, mtu]) => ({
          ...{ network, mtu, source: '', metric: 0 },
          gateway: host === '' ? '' : network.includes(':') ? `fd00::${host}` : `10.0.0.${host}`,
        })),
    }),
  );
  return configOf(devices, documents);
}

/** What of a host the configuration decides: the same after any history. */
function decided({ view }: FakeKernel): unknown {
  const nameOf = (index: number): string => view.links.get(index)?.name ?? '';
  const addresses = [...view.addresses.values()].map(({ linkIndex, address, flags, scope, priority }) =>
    [nameOf(linkIndex), address, flags, scope, priority].join(' '),
  );
  const routes = [...view.routes.values()]
    .filter(({ protocol }) => protocol !== PROTO_KERNEL)
    .map(({ outLinkIndex, destination, gateway, priority, mtu, type, table, scope }) =>
      [nameOf(outLinkIndex), destination, gateway, priority, mtu, type, table, scope].join(' '),
    );
  const rules = view.rules.map(({ family, priority, table, source }) => [family, priority, table, source].join(' '));
  return { addresses: addresses.sort(), routes: routes.sort(), rules: rules.sort() };
}

async function freshStart(config: NodeConfig): Promise<unknown> {
  const kernel = await host();
  await using _world = await startNetworkWorld(kernel, config);
  return decided(kernel);
}

/** Longer than any back-off. */
const LONG_MS = 200_000;

describe('addresses, routes and rules converge', () => {
  it('to what a fresh start gives, after any sequence of configurations', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyChoice, { minLength: 2, maxLength: 4 }), async (choices) => {
        const configs = choices.map(configOfChoice);
        const kernel = await host();
        await using world = await startNetworkWorld(kernel, configs[0]);
        for (const config of configs.slice(1)) await world.apply(config);
        assert.deepEqual(decided(kernel), await freshStart(configs.at(-1) ?? configOf([])));
      }),
      { numRuns: 60 },
    );
  });

  it('when the kernel refuses anything for a while, and problems are shown only as long as they last', async () => {
    const anyFault = fc.record({
      text: fc.constantFrom('address.put', 'address.remove', 'route.put', 'route.remove', 'rule', 'eth0', '10.0.0'),
      errno: fc.constantFrom('EBUSY', 'EEXIST', 'EINVAL', 'ENETUNREACH', 'ENOMEM'),
      times: fc.integer({ min: 1, max: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(anyChoice, anyChoice, fc.array(anyFault, { maxLength: 4 }), async (first, second, faults) => {
        const kernel = await host();
        await using world = await startNetworkWorld(kernel, configOfChoice(first));
        for (const { text, errno, times } of faults) kernel.refuse(text, errno, times);
        const last = configOfChoice(second);
        await world.apply(last);
        for (let i = 0; i < 12; i++) await world.runtime.advance(LONG_MS);
        assert.deepEqual(decided(kernel), await freshStart(last));
        for (const definition of [AddressSpec, RouteSpec, RoutingRuleSpec])
          assert.deepEqual(world.problems(definition), {});
      }),
      { numRuns: 60 },
    );
  });

  it('when the daemon is killed before any operation and started again', async () => {
    await fc.assert(
      fc.asyncProperty(anyChoice, async (choice) => {
        const config = configOfChoice(choice);
        const want = await freshStart(config);
        for (let operations = 0; ; operations++) {
          const kernel = await host();
          const mortal = dyingAfter(kernel, operations);
          await (await startNetworkWorld(mortal.kernel, config))[Symbol.asyncDispose]();
          await using _again = await startNetworkWorld(kernel, config);
          assert.deepEqual(decided(kernel), want, `killed before operation ${operations}`);
          if (!mortal.isDead()) break;
        }
      }),
      { numRuns: 8 },
    );
  });
});

/** A kernel that does so many changes and then none any more, as for a process that is gone. */
function dyingAfter(
  kernel: FakeKernel,
  operations: number,
): { readonly kernel: Kernel; readonly isDead: () => boolean } {
  let left = operations;
  let dead = false;
  const mortal =
    <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      dead ||= left-- <= 0;
      if (dead) throw kernelRefused('asking for anything', { errno: 4 });
      return act(...args);
    };
  const { addresses, routes, rules } = kernel;
  return {
    isDead: () => dead,
    kernel: {
      ...kernel,
      addresses: { ...addresses, put: mortal(addresses.put), remove: mortal(addresses.remove) },
      routes: { put: mortal(routes.put), remove: mortal(routes.remove) },
      rules: { add: mortal(rules.add), remove: mortal(rules.remove) },
    },
  };
}
