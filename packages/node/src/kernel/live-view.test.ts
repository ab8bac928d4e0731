import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { KernelAddress, KernelChange, KernelLink, KernelRoute, KernelRule } from './kernel.ts';
import { addressKey, routeKey, routePlace } from './kernel-keys.ts';
import { createLiveView, type LiveView } from './live-view.ts';
import { dropRoutesOfDownLink } from './silent-routes.ts';

const link = (index: number, name: string): KernelLink => ({
  ...{ index, name, type: 1, flags: 0, mtu: 1500, hardwareAddr: '', permanentAddr: '', broadcastAddr: '' },
  ...{ queueDisc: '', masterIndex: 0, linkIndex: 0, operationalState: 0, kind: '', slaveKind: '', alias: '' },
  altNames: [],
});
const address = (linkIndex: number, cidr: string): KernelAddress => ({
  ...{ linkIndex, family: 2, address: cidr, local: '', broadcast: '', anycast: '', multicast: '' },
  ...{ scope: 0, flags: 0, priority: 0 },
});
const route = (parts: Partial<KernelRoute>): KernelRoute => ({
  ...{ family: 2, destination: '', source: '', gateway: '', outLinkIndex: 2, table: 254, priority: 0 },
  ...{ scope: 0, type: 1, flags: 0, protocol: 4, mtu: 0 },
  ...parts,
});
const rule = (priority: number, family = 2): KernelRule => ({
  ...{ family, priority, source: '', destination: '', table: 254, action: 1 },
  ...{ iifName: '', oifName: '', fwMark: 0, fwMask: 0 },
});

describe('a live view', () => {
  let view: LiveView;
  let told: string[];
  const text = (change: KernelChange): string => `${'gone' in change && change.gone ? 'gone ' : ''}${change.of}`;
  beforeEach(() => {
    view = createLiveView();
    told = [];
    view.listen((change) => told.push(text(change)));
  });

  it('finds links by their present name only', () => {
    view.putLink(link(2, 'eth0'));
    view.putLink(link(2, 'wan0'));
    assert.deepEqual([view.linkByName('eth0'), view.linkByName('wan0')?.index], [undefined, 2]);
    // Another takes the name before the first gives it up.
    view.putLink(link(3, 'wan0'));
    view.putLink(link(2, 'eth0'));
    assert.deepEqual([view.linkByName('wan0')?.index, view.linkByName('eth0')?.index], [3, 2]);
    view.dropLink(3);
    assert.equal(view.linkByName('wan0'), undefined);
  });

  it('drops what is on a link with the link, and tells of each', () => {
    view.putLink(link(2, 'eth0'));
    view.putAddress(address(2, '10.0.0.1/24'));
    view.putRoute(route({}));
    view.putRoute(route({ outLinkIndex: 3 }));
    told.length = 0;
    view.dropLink(2);
    assert.deepEqual(told, ['gone address', 'gone route', 'gone link']);
    assert.deepEqual([view.addresses.size, view.routes.size], [0, 1]);
    view.dropLink(2);
    view.dropAddress('2/10.0.0.1/24');
    view.dropRoute('no route');
    assert.equal(told.length, 3);
  });

  it('finds routes by link, also by one of several next hops, by place and by source', () => {
    const hops = [
      { gateway: '10.0.0.1', linkIndex: 2, weight: 1 },
      { gateway: '10.0.1.1', linkIndex: 3, weight: 1 },
    ];
    view.putRoute(route({ gateway: '10.0.0.9', source: '10.0.0.5' }));
    view.putRoute(route({ outLinkIndex: 0, nextHops: hops, destination: '10.9.0.0/16' }));
    assert.deepEqual([view.routesOfLink(2).length, view.routesOfLink(3).length], [2, 1]);
    assert.deepEqual(view.routesAt(routePlace(route({}))).length, 1);
    assert.equal(view.routesFrom('10.0.0.5').length, 1);
    // The same route without its source.
    view.putRoute(route({ gateway: '10.0.0.9' }));
    assert.deepEqual([view.routesFrom('10.0.0.5').length, view.routes.size], [0, 2]);
  });

  it('knows by which next hops with a number of their own there are routes', () => {
    const [one, two] = [route({ nextHopId: 7 }), route({ destination: '10.9.0.0/16', nextHopId: 7 })];
    for (const each of [one, two]) view.putRoute(each);
    assert.deepEqual([view.hasRouteBy(7), view.hasRouteBy(0)], [true, false]);
    view.dropRoute(routeKey(one));
    assert.equal(view.hasRouteBy(7), true);
    // The same route by another one.
    view.putRoute({ ...two, nextHopId: 8 });
    assert.deepEqual([view.hasRouteBy(7), view.hasRouteBy(8)], [false, true]);
    view.replaceAll({ links: [], addresses: [], routes: [], rules: [] });
    assert.equal(view.hasRouteBy(8), false);
  });

  it('loses the IPv4 routes of a link that goes down, but for those to the host itself', () => {
    view.putRoute(route({ destination: '10.0.0.0/24', scope: 253 }));
    view.putRoute(route({ destination: '10.0.0.1/32', scope: 254, table: 255, type: 2 }));
    view.putRoute(route({ family: 10, destination: 'fd00::/64' }));
    assert.equal(dropRoutesOfDownLink(view, 2), false);
    assert.deepEqual(
      [...view.routes.values()].map(({ destination }) => destination),
      ['10.0.0.1/32', 'fd00::/64'],
    );
    view.putRoute(route({ outLinkIndex: 0, nextHops: [{ gateway: '', linkIndex: 2, weight: 1 }] }));
    assert.equal(dropRoutesOfDownLink(view, 2), true);
  });

  it('replaces all, and tells that once', () => {
    view.putLink(link(2, 'eth0'));
    view.putAddress(address(2, '10.0.0.1/24'));
    told.length = 0;
    view.replaceAll({ links: [link(3, 'eth1')], addresses: [], routes: [route({})], rules: [rule(5)] });
    assert.deepEqual(told, ['all']);
    assert.deepEqual([view.linkByName('eth0'), view.linkByName('eth1')?.index, view.addresses.size], [undefined, 3, 0]);
    assert.equal(view.addressesOfLink(2).length, 0);
  });

  it('replaces the routes of a family, and tells only of those that differ', () => {
    const kept = route({ destination: '10.0.0.0/24' });
    view.putRoute(kept);
    view.putRoute(route({ destination: '10.1.0.0/24' }));
    view.putRoute(route({ family: 10, destination: 'fd00::/64' }));
    told.length = 0;
    view.replaceRoutes(2, [kept, route({ destination: '10.2.0.0/24' })]);
    assert.deepEqual(told, ['gone route', 'route']);
    assert.equal(view.routes.size, 3);
    view.replaceRoutes(2, [{ ...kept, mtu: 1400 }, route({ destination: '10.2.0.0/24' })]);
    assert.deepEqual(told.slice(2), ['route']);
    assert.equal(view.routes.get(routeKey(kept))?.mtu, 1400);
  });

  it('has rules in the order in which the kernel asks them', () => {
    for (const one of [rule(32_766), rule(5), rule(5, 10), rule(0)]) view.putRule(one);
    assert.deepEqual(
      view.rules.map(({ family, priority }) => [family, priority]),
      [
        [2, 0],
        [2, 5],
        [2, 32_766],
        [10, 5],
      ],
    );
    view.dropRule(rule(5));
    view.dropRule(rule(5));
    assert.equal(view.rules.length, 3);
  });

  it('tells apart addresses with the same text on links, and with other ends', () => {
    const plain = { linkIndex: 2, address: '10.0.0.1/32' };
    assert.equal(
      new Set([addressKey(plain), addressKey({ ...plain, linkIndex: 3 }), addressKey({ ...plain, peer: '10.0.0.2' })])
        .size,
      3,
    );
  });
});
