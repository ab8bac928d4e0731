import fc from 'fast-check';
import type { NodeConfig, NodeDocument } from '../../config/node-config.ts';
import { configOf, deviceOf } from '../../links/testing/link-world.ts';
import { createFakeKernel, type FakeKernel } from '../../testing/index.ts';

const CARDS = ['eth0', 'eth1'] as const;
const PROTO_KERNEL = 2;

/** A host with two cards that are up, and an address of somebody else's. */
export async function twoCardHost(): Promise<FakeKernel> {
  const kernel = createFakeKernel();
  await kernel.links.change(1, { up: true });
  for (const name of CARDS) await kernel.links.change(kernel.plug({ name }).index, { up: true });
  const index = kernel.view.linkByName('eth1')?.index ?? 0;
  await kernel.addresses.put({ linkIndex: index, address: '192.168.9.9/24', scope: 0, flags: 0, priority: 0 });
  return kernel;
}

/** What a configuration can ask of each card and of the host; destinations and metrics do not collide. */
export interface NetworkChoice {
  readonly addresses: readonly (readonly string[])[];
  readonly metric: readonly number[];
  readonly routes: readonly (readonly [destination: string, gateway: string, mtu: number, card: number])[];
  readonly rules: readonly (readonly [priority: number, table: number, src: string])[];
  readonly blackhole: boolean;
}

/** Any of them. */
export const anyNetworkChoice: fc.Arbitrary<NetworkChoice> = fc.record({
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

/** As a configuration, different from every other. */
export function configOfChoice({ addresses, metric, routes, rules, blackhole }: NetworkChoice): NodeConfig {
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
        .map(([network, last, mtu]) => ({
          ...{ network, mtu, source: '', metric: 0 },
          gateway: last === '' ? '' : network.includes(':') ? `fd00::${last}` : `10.0.0.${last}`,
        })),
    }),
  );
  return configOf(devices, documents);
}

/** What of a host the configuration decides: the same after any history. */
export function decidedNetwork({ view }: FakeKernel): unknown {
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
