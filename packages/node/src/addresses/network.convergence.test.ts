import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NodeConfig } from '../config/node-config.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { kernelRefused } from '../kernel/kernel-error.ts';
import { configOf } from '../links/testing/link-world.ts';
import { AddressSpec, RouteSpec, RoutingRuleSpec } from '../resources/index.ts';
import type { FakeKernel } from '../testing/index.ts';
import { anyNetworkChoice, configOfChoice, decidedNetwork, twoCardHost } from './testing/network-choice.ts';
import { startNetworkWorld } from './testing/network-world.ts';

async function freshStart(config: NodeConfig): Promise<unknown> {
  const kernel = await twoCardHost();
  await using _world = await startNetworkWorld(kernel, config);
  return decidedNetwork(kernel);
}

/** Longer than any back-off. */
const LONG_MS = 200_000;

describe('addresses, routes and rules converge', () => {
  it('to what a fresh start gives, after any sequence of configurations', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyNetworkChoice, { minLength: 2, maxLength: 4 }), async (choices) => {
        const configs = choices.map(configOfChoice);
        const kernel = await twoCardHost();
        await using world = await startNetworkWorld(kernel, configs[0]);
        for (const config of configs.slice(1)) await world.apply(config);
        assert.deepEqual(decidedNetwork(kernel), await freshStart(configs.at(-1) ?? configOf([])));
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
      fc.asyncProperty(
        anyNetworkChoice,
        anyNetworkChoice,
        fc.array(anyFault, { maxLength: 4 }),
        async (first, second, faults) => {
          const kernel = await twoCardHost();
          await using world = await startNetworkWorld(kernel, configOfChoice(first));
          for (const { text, errno, times } of faults) kernel.refuse(text, errno, times);
          const last = configOfChoice(second);
          await world.apply(last);
          for (let i = 0; i < 12; i++) await world.runtime.advance(LONG_MS);
          assert.deepEqual(decidedNetwork(kernel), await freshStart(last));
          for (const definition of [AddressSpec, RouteSpec, RoutingRuleSpec])
            assert.deepEqual(world.problems(definition), {});
        },
      ),
      { numRuns: 60 },
    );
  });

  it('when the daemon is killed before any operation and started again', async () => {
    await fc.assert(
      fc.asyncProperty(anyNetworkChoice, async (choice) => {
        const config = configOfChoice(choice);
        const want = await freshStart(config);
        for (let operations = 0; ; operations++) {
          const kernel = await twoCardHost();
          const mortal = dyingAfter(kernel, operations);
          await (await startNetworkWorld(mortal.kernel, config))[Symbol.asyncDispose]();
          await using _again = await startNetworkWorld(kernel, config);
          assert.deepEqual(decidedNetwork(kernel), want, `killed before operation ${operations}`);
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
