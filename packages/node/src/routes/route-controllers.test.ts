import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startNetworkWorld } from '../addresses/testing/network-world.ts';
import type { DeviceRoute, NodeDocument } from '../config/node-config.ts';
import type { KernelRoute } from '../kernel/kernel.ts';
import { configOf, deviceOf } from '../links/testing/link-world.ts';
import { RouteSpec, RoutingRuleSpec } from '../resources/index.ts';
import { createFakeKernel, type FakeKernel } from '../testing/index.ts';

async function host(): Promise<FakeKernel> {
  const kernel = createFakeKernel();
  await kernel.links.change(1, { up: true });
  await kernel.links.change(kernel.plug({ name: 'eth0' }).index, { up: true });
  return kernel;
}

const via = (gateway: string, values: Partial<DeviceRoute> = {}): DeviceRoute => ({
  ...{ network: '', gateway, source: '', metric: 0, mtu: 0 },
  ...values,
});
const config = (routes: readonly DeviceRoute[], documents: readonly NodeDocument[] = []) =>
  configOf([deviceOf('eth0', { addresses: ['10.0.0.5/24', 'fd00::5/64'], routes })], documents);

/** Routes that the kernel has not made by itself. */
const routesOf = ({ view }: FakeKernel): readonly string[] =>
  [...view.routes.values()]
    .filter(({ protocol }) => protocol !== 2)
    .map((route) => text(view.links, route))
    .sort();

const text = (links: FakeKernel['view']['links'], route: KernelRoute): string =>
  [
    route.destination || 'default',
    route.gateway === '' ? '' : `via ${route.gateway}`,
    route.outLinkIndex === 0 ? '' : links.get(route.outLinkIndex)?.name,
    route.priority,
    route.mtu === 0 ? '' : `mtu ${route.mtu}`,
    route.type === 1 ? '' : `type ${route.type}`,
  ]
    .filter((part) => part !== '')
    .join(' ');

describe('routes of the daemon', () => {
  it('follow the configuration', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(
      kernel,
      config([via('10.0.0.1'), via('fd00::1'), via('', { network: '10.9.0.0/16', metric: 7 })]),
    );
    assert.deepEqual(routesOf(kernel), [
      '10.9.0.0/16 eth0 7',
      'default via 10.0.0.1 eth0 1024',
      'default via fd00::1 eth0 1024',
    ]);
    await world.apply(config([via('10.0.0.2'), via('fd00::1', { mtu: 1400 })]));
    assert.deepEqual(routesOf(kernel), ['default via 10.0.0.2 eth0 1024', 'default via fd00::1 eth0 1024 mtu 1400']);
    await world.apply(undefined);
    assert.deepEqual(routesOf(kernel), []);
    assert.deepEqual(world.runtime.specs(RouteSpec), {});
  });

  it('are there before those that they replace go, unless these have to make room', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, config([via('10.0.0.1')]));
    const before = kernel.operations.length;
    await world.apply(config([via('10.0.0.1', { metric: 50 })]));
    await world.apply(config([via('10.0.0.2', { metric: 50 })]));
    assert.deepEqual(kernel.operations.slice(before), [
      'route.put default via 10.0.0.1 dev eth0 metric 50',
      'route.remove default via 10.0.0.1 dev eth0 metric 1024',
      'route.remove default via 10.0.0.1 dev eth0 metric 50',
      'route.put default via 10.0.0.2 dev eth0 metric 50',
    ]);
  });

  it('move with the alias that names their link', async () => {
    const kernel = await host();
    const [first, second] = [kernel.view.linkByName('eth0')?.index ?? 0, kernel.plug({ name: 'eth1' }).index];
    await kernel.links.change(second, { up: true });
    await kernel.links.change(first, { alias: 'uplink' });
    const routes = [via('fd00::1'), via('', { network: 'fd22::/48' }), via('10.0.0.1')];
    const addresses = ['10.0.0.5/24', 'fd00::5/64'];
    await using world = await startNetworkWorld(kernel, configOf([deviceOf('uplink', { addresses, routes })]));
    const on = (name: string): readonly string[] => [
      `default via 10.0.0.1 ${name} 1024`,
      `default via fd00::1 ${name} 1024`,
      `fd22::/48 ${name} 1024`,
    ];
    assert.deepEqual(routesOf(kernel), on('eth0'));
    await kernel.links.change(first, { alias: '' });
    await kernel.links.change(second, { alias: 'uplink' });
    await world.settle();
    assert.deepEqual(routesOf(kernel), on('eth1'));
    assert.deepEqual(world.problems(RouteSpec), {});
    await world.apply(configOf([]));
    assert.deepEqual(routesOf(kernel), []);
  });

  it('stay when the configuration calls their link by another of its names', async () => {
    const kernel = await host();
    await kernel.links.change(kernel.view.linkByName('eth0')?.index ?? 0, { alias: 'uplink' });
    const routes = [via('fd00::1'), via('10.0.0.1')];
    await using world = await startNetworkWorld(kernel, config(routes));
    const before = kernel.operations.length;
    await world.apply(configOf([deviceOf('uplink', { addresses: ['10.0.0.5/24', 'fd00::5/64'], routes })]));
    assert.deepEqual(kernel.operations.slice(before), []);
    assert.deepEqual(Object.keys(world.runtime.specs(RouteSpec)), [
      'inet4/10.0.0.1//1024',
      'uplink/inet6/fd00::1//1024',
    ]);
  });

  it('to one destination live side by side with different metrics', async () => {
    const kernel = await host();
    await using _ = await startNetworkWorld(kernel, config([via('10.0.0.1'), via('10.0.0.2', { metric: 2048 })]));
    assert.deepEqual(routesOf(kernel), ['default via 10.0.0.1 eth0 1024', 'default via 10.0.0.2 eth0 2048']);
  });

  it('to one destination with the same metric are a problem that names both', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, config([via('10.0.0.1'), via('10.0.0.2')]));
    assert.deepEqual(routesOf(kernel), ['default via 10.0.0.1 eth0 1024']);
    const { 'inet4/10.0.0.2//1024': problem = '' } = world.problems(RouteSpec);
    assert.match(problem, /EEXIST.*via 10\.0\.0\.1 on eth0 has metric 1024, too.*\(default via 10\.0\.0\.2 on eth0/s);
  });

  it('leave those of others alone', async () => {
    const kernel = await host();
    const index = kernel.view.linkByName('eth0')?.index ?? 0;
    const foreign: KernelRoute = {
      ...{ family: 2, destination: '172.16.0.0/12', source: '', gateway: '', outLinkIndex: index, table: 254 },
      ...{ priority: 1, scope: 253, type: 1, flags: 0, protocol: 3, mtu: 0 },
    };
    await kernel.routes.put(foreign);
    await using world = await startNetworkWorld(kernel, config([via('10.0.0.1')]));
    await world.apply(config([]));
    assert.deepEqual(routesOf(kernel), ['172.16.0.0/12 eth0 1']);
  });

  it('wait until their link is there and up', async () => {
    const kernel = createFakeKernel();
    await using world = await startNetworkWorld(kernel, config([via('10.0.0.1')]));
    const problem = (): string | undefined => world.problems(RouteSpec)['inet4/10.0.0.1//1024'];
    assert.equal(problem(), 'waits for link eth0: there is none of this name');
    const { index } = kernel.plug({ name: 'eth0' });
    await world.settle();
    assert.equal(problem(), 'waits for link eth0: it is down');
    await kernel.links.change(index, { up: true });
    await world.settle();
    assert.equal(problem(), undefined);
    assert.deepEqual(routesOf(kernel), ['default via 10.0.0.1 eth0 1024']);
  });

  it('come back when their link was down', async () => {
    const kernel = await host();
    const index = kernel.view.linkByName('eth0')?.index ?? 0;
    await using world = await startNetworkWorld(kernel, config([via('10.0.0.1'), via('fd00::1')]));
    await kernel.links.change(index, { up: false });
    await world.settle();
    assert.deepEqual(routesOf(kernel), []);
    await kernel.links.change(index, { up: true });
    await world.settle();
    await world.settle();
    assert.deepEqual(routesOf(kernel), ['default via 10.0.0.1 eth0 1024', 'default via fd00::1 eth0 1024']);
  });

  it('are back at once after a storm of their link', async () => {
    const kernel = await host();
    const index = kernel.view.linkByName('eth0')?.index ?? 0;
    await using world = await startNetworkWorld(kernel, config([via('10.0.0.1'), via('fd00::1')]));
    for (let i = 0; i < 30; i++) {
      for (const up of [false, true]) await kernel.links.change(index, { up });
      await world.runtime.advance(300);
    }
    await world.settle();
    assert.deepEqual(routesOf(kernel), ['default via 10.0.0.1 eth0 1024', 'default via fd00::1 eth0 1024']);
  });

  it('whose gateway cannot be reached are tried again as soon as an address comes', async () => {
    const kernel = await host();
    const end = kernel.refuse('route.put default via 10.7.0.1', 'ENETUNREACH');
    await using world = await startNetworkWorld(kernel, config([via('10.7.0.1'), via('fd00::1')]));
    await world.runtime.advance(300_000);
    assert.deepEqual(routesOf(kernel), ['default via fd00::1 eth0 1024']);
    assert.match(world.problems(RouteSpec)['inet4/10.7.0.1//1024'] ?? '', /ENETUNREACH/);
    end();
    const index = kernel.view.linkByName('eth0')?.index ?? 0;
    await kernel.addresses.put({ linkIndex: index, address: '10.7.0.5/24', scope: 0, flags: 0, priority: 0 });
    await world.settle();
    assert.deepEqual(routesOf(kernel), ['default via 10.7.0.1 eth0 1024', 'default via fd00::1 eth0 1024']);
    assert.deepEqual(world.problems(RouteSpec), {});
  });

  it('whose gateway is reached by another route are tried again as soon as that is there', async () => {
    const kernel = await host();
    const end = kernel.refuse('route.put default via 172.31.1.1', 'ENETUNREACH');
    await using world = await startNetworkWorld(kernel, config([via('172.31.1.1')]));
    await world.runtime.advance(300_000);
    assert.deepEqual(routesOf(kernel), []);
    end();
    const outLinkIndex = kernel.view.linkByName('eth0')?.index ?? 0;
    await kernel.routes.put({
      ...{ family: 2, destination: '172.31.1.1/32', source: '', gateway: '', outLinkIndex, table: 254 },
      ...{ priority: 1, scope: 253, type: 1, flags: 0, protocol: 3, mtu: 0 },
    });
    await world.settle();
    assert.deepEqual(routesOf(kernel), ['172.31.1.1/32 eth0 1', 'default via 172.31.1.1 eth0 1024']);
  });

  it('that somebody else takes away again and again are put back less and less often, and this is told', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, config([via('10.0.0.1')]));
    let isHostile = true;
    const foe = (): void => {
      for (const route of kernel.view.routes.values())
        if (isHostile && route.gateway === '10.0.0.1') void kernel.routes.remove(route);
    };
    kernel.listen(foe);
    foe();
    const puts = (): number => kernel.operations.filter((operation) => operation.startsWith('route.put')).length;
    const before = puts();
    for (let i = 0; i < 60; i++) await world.runtime.advance(1_000);
    assert.ok(puts() - before >= 10 && puts() - before < 20, `${puts() - before} times in a minute`);
    assert.match(world.problems(RouteSpec)['inet4/10.0.0.1//1024'] ?? '', /more than 10 times in a row/);
    isHostile = false;
    for (let i = 0; i < 2; i++) await world.runtime.advance(60_000);
    await world.settle();
    assert.deepEqual(routesOf(kernel), ['default via 10.0.0.1 eth0 1024']);
    assert.deepEqual(world.problems(RouteSpec), {});
  });

  it('wait for the address that their gateway or source needs, and are not tried before', async () => {
    const kernel = await host();
    const end = kernel.refuse('address.put eth0 10.0.0.5/24', 'ENOMEM');
    const routes = [via('10.0.0.1'), via('', { network: '10.9.0.0/16', source: '10.0.0.5' }), via('fd00::1')];
    await using world = await startNetworkWorld(kernel, config(routes));
    assert.deepEqual(routesOf(kernel), ['default via fd00::1 eth0 1024']);
    const waits = 'waits for address 10.0.0.5/24, which is not there yet';
    assert.deepEqual(world.problems(RouteSpec), { 'inet4/10.0.0.1//1024': waits, 'inet4//10.9.0.0/16/1024': waits });
    end();
    await world.runtime.advance(60_000);
    await world.settle();
    assert.deepEqual(world.problems(RouteSpec), {});
    assert.deepEqual(
      kernel.operations.filter((operation) => operation.startsWith('route.put') && operation.includes('!')),
      [],
    );
  });

  it('swallow what documents name as blackholes', async () => {
    const kernel = await host();
    const blackhole = (name: string): NodeDocument => ({ kind: 'BlackholeRouteConfig', name, line: 1, value: {} });
    await using world = await startNetworkWorld(kernel, config([], [blackhole('10.0.0.0/12'), blackhole('fd99::/16')]));
    assert.deepEqual(routesOf(kernel), ['10.0.0.0/12 1024 type 6', 'fd99::/16 lo 1024 type 6']);
    const before = kernel.operations.length;
    kernel.lose();
    await world.settle();
    assert.equal(kernel.operations.length, before);
  });

  it('are named by networks, also where the configuration names an address in one', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, config([via('10.0.0.1', { network: '10.20.30.40/16' })]));
    assert.deepEqual(routesOf(kernel), ['10.20.0.0/16 via 10.0.0.1 eth0 1024']);
    await world.apply(config([]));
    assert.deepEqual(routesOf(kernel), []);
  });
});

describe('routing rules of the daemon', () => {
  const rule = (name: string, value: NodeDocument['value']): NodeDocument => ({
    ...{ kind: 'RoutingRuleConfig', name, line: 1 },
    value,
  });
  const rulesOf = ({ view }: FakeKernel): readonly string[] =>
    view.rules
      .filter(({ priority }) => priority > 0 && priority < 32_766)
      .map(({ family, priority, source, table }) => `${family} ${priority} ${source || 'all'} ${table}`);

  it('follow the configuration; another one of the same priority takes the place of the first', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, config([], [rule('1000', { src: '10.0.0.0/8', table: 100 })]));
    assert.deepEqual(rulesOf(kernel), ['2 1000 10.0.0.0/8 100']);
    await world.apply(config([], [rule('1000', { src: '10.0.0.0/8', table: 200 }), rule('7', { table: 5 })]));
    assert.deepEqual(rulesOf(kernel), ['2 7 all 5', '2 1000 10.0.0.0/8 200', '10 7 all 5']);
    const changes = kernel.operations.filter((operation) => operation.includes('1000: from'));
    assert.deepEqual(
      changes.map((operation) => operation.split(' ')[0]),
      ['rule.add', 'rule.add', 'rule.remove'],
    );
    await world.apply(undefined);
    assert.deepEqual(rulesOf(kernel), []);
    assert.deepEqual(world.runtime.specs(RoutingRuleSpec), {});
  });

  it('that somebody else takes away again and again are put back less and less often, and this is told', async () => {
    const kernel = await host();
    await using world = await startNetworkWorld(kernel, config([], [rule('1000', { src: '10.0.0.0/8', table: 100 })]));
    const foe = (): void => {
      for (const one of kernel.view.rules) if (one.priority === 1000) void kernel.rules.remove(one);
    };
    kernel.listen(foe);
    foe();
    const adds = (): number => kernel.operations.filter((operation) => operation.startsWith('rule.add')).length;
    const before = adds();
    for (let i = 0; i < 60; i++) await world.runtime.advance(1_000);
    assert.ok(adds() - before >= 10 && adds() - before < 20, `${adds() - before} times in a minute`);
    assert.match(world.problems(RoutingRuleSpec)['inet4/01000'] ?? '', /more than 10 times in a row/);
  });

  it('leave those of others alone, also of the same priority', async () => {
    const kernel = await host();
    const foreign = {
      ...{ family: 2, priority: 1000, source: '172.16.0.0/12', destination: '', table: 9, action: 1 },
      ...{ iifName: '', oifName: '', fwMark: 0, fwMask: 0 },
    };
    await kernel.rules.add(foreign);
    await using world = await startNetworkWorld(kernel, config([], [rule('1000', { src: '10.0.0.0/8', table: 100 })]));
    assert.deepEqual(rulesOf(kernel), ['2 1000 172.16.0.0/12 9', '2 1000 10.0.0.0/8 100']);
    await world.apply(config([]));
    assert.deepEqual(rulesOf(kernel), ['2 1000 172.16.0.0/12 9']);
  });

  it('that the kernel refuses are shown and tried again, the others go on', async () => {
    const kernel = await host();
    kernel.refuse('1000: from', 'EINVAL', 1);
    const rules = [rule('1000', { src: '10.0.0.0/8', table: 100 }), rule('2000', { src: '10.0.0.0/8', table: 100 })];
    await using world = await startNetworkWorld(kernel);
    await world.apply(config([], rules));
    await world.runtime.advance(60_000);
    assert.deepEqual(rulesOf(kernel), ['2 1000 10.0.0.0/8 100', '2 2000 10.0.0.0/8 100']);
    assert.deepEqual(world.problems(RoutingRuleSpec), {});
    assert.ok(kernel.operations.some((operation) => operation.endsWith('!EINVAL')));
  });
});
