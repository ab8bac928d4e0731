import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressSpec } from '../addresses/configured-addresses.ts';
import { parsePrefix } from '../ip/ip-prefix.ts';
import type { KernelRoute } from '../kernel/kernel.ts';
import { type AddressSpec, LINK_FLAGS, type RouteSpec } from '../resources/index.ts';
import { createFakeKernel, type FakeKernel } from '../testing/index.ts';
import { awaitedAddress } from './awaited-address.ts';
import { kernelRoute, planRoute, routeText } from './plan-route.ts';
import { readRoute, type WrittenRoute } from './route-spec.ts';

const route = (values: Partial<WrittenRoute>): RouteSpec => {
  const nothing = {
    destination: '',
    gateway: '',
    source: '',
    metric: 0,
    mtu: 0,
    table: '',
    layer: 'configuration',
  } as const;
  const reading = readRoute({ linkName: 'eth0', ...nothing, ...values });
  return reading.ok ? reading.spec : assert.fail(reading.text);
};
const DEFAULT = route({ gateway: '10.0.0.1' });
const V6 = route({ gateway: 'fd00::1' });

/** A host with eth0 and eth1, both up, eth2, which is down, and these routes. */
function viewWith(...routes: readonly KernelRoute[]): FakeKernel['view'] {
  const kernel = createFakeKernel();
  for (const name of ['eth0', 'eth1']) kernel.plug({ name, flags: LINK_FLAGS.UP });
  kernel.plug({ name: 'eth2' });
  const view = { ...kernel.view, routes: new Map(routes.map((present, at) => [`${at}`, present])) };
  const place = (other: KernelRoute): string =>
    [other.family, other.table, other.destination, other.priority, other.tos ?? 0].join('/');
  return { ...view, routesAt: (wanted) => routes.filter((present) => place(present) === wanted) };
}

const indexOf = (name: string): number => viewWith().linkByName(name)?.index ?? 0;
const there = (spec: RouteSpec, values: Partial<KernelRoute> = {}): KernelRoute => ({
  ...kernelRoute(spec, indexOf(spec.outLinkName)),
  ...values,
});

const cases: [name: string, spec: RouteSpec, present: readonly KernelRoute[], want: unknown][] = [
  ['waits for its link', route({ linkName: 'eth9' }), [], { do: 'wait', reason: 'LinkMissing' }],
  ['waits until its link is up', route({ linkName: 'eth2' }), [], { do: 'wait', reason: 'LinkDown' }],
  ['is added', DEFAULT, [], { do: 'put', route: there(DEFAULT), remove: [] }],
  ['is left alone when it is there', DEFAULT, [there(DEFAULT)], { do: 'nothing' }],
  ['is left alone whatever flags the kernel shows', DEFAULT, [there(DEFAULT, { flags: 16 })], { do: 'nothing' }],
  ['keeps the source that the kernel chose', DEFAULT, [there(DEFAULT, { source: '10.0.0.5' })], { do: 'nothing' }],
  [
    'is changed in place for another MTU',
    DEFAULT,
    [there(DEFAULT, { mtu: 9000 })],
    { do: 'put', route: there(DEFAULT), remove: [] },
  ],
  [
    'is changed in place for another protocol',
    DEFAULT,
    [there(DEFAULT, { protocol: 3 })],
    { do: 'put', route: there(DEFAULT), remove: [] },
  ],
  [
    'is changed in place for another scope of IPv4',
    DEFAULT,
    [there(DEFAULT, { scope: 253 })],
    { do: 'put', route: there(DEFAULT), remove: [] },
  ],
  ['of IPv6 has no scope', V6, [there(V6, { scope: 200 })], { do: 'nothing' }],
  [
    'takes the place of the same on another link',
    DEFAULT,
    [there(DEFAULT, { outLinkIndex: 3 })],
    { do: 'put', route: there(DEFAULT), remove: [there(DEFAULT, { outLinkIndex: 3 })] },
  ],
  [
    'of IPv6 lives beside the same on another link',
    V6,
    [there(V6, { outLinkIndex: 3 })],
    { do: 'put', route: there(V6), remove: [] },
  ],
  [
    'lives beside one with another gateway',
    DEFAULT,
    [there(DEFAULT, { gateway: '10.0.0.9' })],
    { do: 'put', route: there(DEFAULT), remove: [] },
  ],
];

describe('the plan of a route', () => {
  for (const [name, spec, present, want] of cases) {
    it(name, () => assert.deepEqual(planRoute(spec, viewWith(...present)), want));
  }

  const texts: [spec: RouteSpec, want: string][] = [
    [DEFAULT, 'default via 10.0.0.1 on eth0, metric 1024'],
    [route({ destination: '10.0.0.0/8', metric: 5, table: '100' }), '10.0.0.0/8 on eth0 of table 100, metric 5'],
  ];
  for (const [spec, want] of texts) it(`names it: ${want}`, () => assert.equal(routeText(spec), want));
});

describe('the address that a route waits for', () => {
  const on = (linkName: string, text: string): AddressSpec =>
    addressSpec({ linkName, prefix: parsePrefix(text) ?? assert.fail(), layer: 'configuration' });
  const waits: [name: string, spec: RouteSpec, addresses: readonly AddressSpec[], want: string | undefined][] = [
    ['is the one in whose network its gateway lies', DEFAULT, [on('eth0', '10.0.0.5/24')], '10.0.0.5/24'],
    ['is none of another network', DEFAULT, [on('eth0', '10.0.1.5/24')], undefined],
    ['is none of another link', DEFAULT, [on('eth1', '10.0.0.5/24')], undefined],
    [
      'is the one that it prefers as its source',
      route({ destination: '10.9.0.0/16', source: '10.7.0.5' }),
      [on('eth1', '10.7.0.5/24')],
      '10.7.0.5/24',
    ],
    ['is none without a gateway', route({ destination: '10.9.0.0/16' }), [on('eth0', '10.9.0.5/24')], undefined],
  ];
  for (const [name, spec, addresses, want] of waits) {
    it(name, () => assert.equal(awaitedAddress(spec, addresses, viewWith()), want));
  }
});
