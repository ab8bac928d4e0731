import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type Logger, silentLog, systemClock, until } from '@bloomery/ports';
import fc from 'fast-check';
import type { Kernel } from './kernel.ts';
import { openKernel } from './open-kernel.ts';
import { linesOfIp, linesOfView } from './testing/ip-view.ts';
import { enterPrivateNetwork, ip, ipBatch } from './testing/private-network.ts';

const skip = await enterPrivateNetwork();
const stateDir = mkdtempSync(join(tmpdir(), 'blm-view-'));
const said: string[] = [];
const log: Logger = { ...silentLog, warn: (event) => void said.push(event), with: () => log };

const link = fc.constantFrom('v0', 'v1', 'v2', 'br0', 'mac0', 'tun0', 'lo');
const net = fc.integer({ min: 0, max: 3 });
/** Commands of `ip`; many of them are refused, as what they are about is not there. */
const command = fc.oneof(
  net.map((n) => `link add v${n} type veth peer name w${n}`),
  fc.constant('link add br0 type bridge'),
  fc.constant('link add link v0 mac0 type macvlan mode bridge'),
  fc.constant('tuntap add tun0 mode tun'),
  link.map((name) => `link del ${name}`),
  fc.tuple(link, fc.constantFrom('up', 'up', 'down')).map(([name, state]) => `link set ${name} ${state}`),
  fc.tuple(net, fc.constantFrom('up', 'up', 'down')).map(([n, state]) => `link set w${n} ${state}`),
  fc.tuple(link, fc.integer({ min: 1280, max: 1500 })).map(([name, mtu]) => `link set ${name} mtu ${mtu}`),
  fc
    .tuple(fc.constantFrom('v1', 'v2'), fc.constantFrom('master br0', 'nomaster'))
    .map((p) => `link set ${p.join(' ')}`),
  fc.constantFrom('link set v2 name v5', 'link set v5 name v2'),
  fc.tuple(link, net, fc.constantFrom(24, 32)).map(([name, n, bits]) => `addr add 10.${n}.0.1/${bits} dev ${name}`),
  fc.tuple(link, net).map(([name, n]) => `addr add 10.${n}.0.7/24 dev ${name} metric 50`),
  fc.tuple(link, net, fc.constantFrom(24, 32)).map(([name, n, bits]) => `addr del 10.${n}.0.1/${bits} dev ${name}`),
  link.map((name) => `-4 addr flush dev ${name}`),
  fc.tuple(link, net).map(([name, n]) => `addr add fd0${n}::1/64 dev ${name} nodad`),
  fc.tuple(link, net).map(([name, n]) => `addr del fd0${n}::1/64 dev ${name}`),
  fc
    .tuple(net, net, fc.constantFrom('', 'src 10.0.0.1', 'table 1000', 'metric 9'))
    .map(([a, b, more]) => `route add 172.16.${a}.0/24 via 10.${b}.0.9 ${more}`),
  fc.tuple(net, net).map(([a, b]) => `route append 172.16.${a}.0/24 via 10.${b}.0.8`),
  fc.tuple(net, net).map(([a, b]) => `route replace 172.16.${a}.0/24 via 10.${b}.0.7`),
  fc.tuple(net, net).map(([a, b]) => `route add 172.17.${a}.0/24 nexthop via 10.${b}.0.5 nexthop via 10.0.0.6`),
  net.map((a) => `route del 172.16.${a}.0/24`),
  fc.tuple(net, net).map(([a, b]) => `-6 route add fd9${a}::/64 via fd0${b}::9`),
  fc.tuple(net, net).map(([a, b]) => `-6 route append fd9${a}::/64 via fd0${b}::8`),
  fc.tuple(net, net).map(([a, b]) => `-6 route replace fd9${a}::/64 via fd0${b}::7`),
  fc.tuple(net, net).map(([a, b]) => `-6 route del fd9${a}::/64 via fd0${b}::9`),
  net.map((a) => `-6 route del fd9${a}::/64`),
  fc.tuple(net, net).map(([a, b]) => `nexthop replace id ${a + 1} via 10.${b}.0.4 dev v${b}`),
  fc.constantFrom('nexthop replace id 9 group 1/2', 'nexthop replace id 9 group 2/3', 'nexthop del id 9'),
  net.map((a) => `nexthop del id ${a + 1}`),
  fc.tuple(net, fc.constantFrom(1, 2, 9)).map(([a, id]) => `route add 172.19.${a}.0/24 nhid ${id}`),
  net.map((a) => `route del 172.19.${a}.0/24`),
  fc.constantFrom('route add blackhole 172.18.0.0/16', 'route del blackhole 172.18.0.0/16'),
  fc
    .tuple(fc.constantFrom('', '-6 '), fc.constantFrom('add', 'del'), net)
    .map(([family, verb, n]) => `${family}rule ${verb} priority ${100 + n} lookup 100${n}`),
);

/** So that most commands find what they are about. */
const BASE = [
  ...['link add v0 type veth peer name w0', 'link add v1 type veth peer name w1', 'link add br0 type bridge'],
  ...['link set w0 up', 'link set v0 up', 'link set w1 up', 'link set v1 up', 'link set br0 up'],
  ...['addr add 10.0.0.1/24 dev v0', 'addr add 10.1.0.1/24 dev v1', 'addr add fd00::1/64 dev v0 nodad'],
  ...['addr add fd01::1/64 dev v1 nodad', 'route add 172.17.9.0/24 nexthop via 10.0.0.5 nexthop via 10.1.0.5'],
  ...['nexthop add id 1 via 10.0.0.4 dev v0', 'nexthop add id 2 via 10.1.0.4 dev v1', 'nexthop add id 9 group 1/2'],
  ...['route add 172.19.8.0/24 nhid 1', 'route add 172.19.9.0/24 nhid 9'],
];

const clean = (): void =>
  ipBatch([
    ...['link set lo down', 'addr flush dev lo', 'link del br0', 'link del mac0', 'link del tun0'],
    ...['v0', 'v1', 'v2', 'v3', 'v5'].map((name) => `link del ${name}`),
    ...['route del blackhole 172.18.0.0/16', 'nexthop flush'],
    ...[0, 1, 2, 3].flatMap((n) => [`rule del priority ${100 + n}`, `-6 rule del priority ${100 + n}`]),
  ]);

describe('the view of the kernel', { skip, concurrency: false }, () => {
  let kernel: Kernel & AsyncDisposable;
  before(async () => {
    kernel = await openKernel({ clock: systemClock, log, stateDir });
  });
  after(async () => {
    await kernel[Symbol.asyncDispose]();
    rmSync(stateDir, { recursive: true, force: true });
  });

  const untilSame = (what: string): Promise<unknown> =>
    until(`view and ip are alike: ${what}`, () => isDeepStrictEqual(linesOfView(kernel.view), linesOfIp()), {
      deadlineMs: 30_000,
      explain: () => difference(linesOfView(kernel.view), linesOfIp()),
    });

  it('is what ip says, whatever is done to links, addresses, routes and rules', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
        try {
          ipBatch([...BASE, ...commands]);
          await untilSame('after the commands');
        } finally {
          clean();
        }
        await untilSame('after all is gone');
      }),
      { numRuns: 8, endOnFailure: true },
    );
    assert.deepEqual(said, []);
  });

  it('is what ip says of a thousand links with addresses, and of none again', async () => {
    const numbers = Array.from({ length: 500 }, (_, i) => i);
    ipBatch(numbers.map((i) => `link add x${i} type veth peer name y${i}`));
    ipBatch(numbers.map((i) => `addr add 10.${100 + (i >> 8)}.${i & 255}.1/24 dev x${i}`));
    await until('all are seen', () => kernel.view.links.size === 1001 && kernel.view.addresses.size === 500);
    await untilSame('a thousand links');
    ipBatch(numbers.map((i) => `link del x${i}`));
    await until('none is seen', () => kernel.view.links.size === 1);
    await untilSame('no links');
  });

  it('asks anew when messages were lost, and tells that everything may have changed', async () => {
    const told = new Set<string>();
    const stop = kernel.listen(({ of }) => told.add(of));
    said.length = 0;
    // Nobody reads meanwhile, and the messages are more than the socket holds.
    const churn = Array.from(
      { length: 12_000 },
      (_, i) => `rule ${i % 2 === 0 ? 'add' : 'del'} priority 999 lookup 77`,
    );
    const links = Array.from({ length: 3000 }, (_, i) => `link set z0 mtu ${1300 + (i % 100)}`);
    ipBatch(['link add z0 type veth peer name z1', 'link set z0 up', 'link set z1 up', ...links, ...churn]);
    ip('addr', 'add', '10.200.0.1/24', 'dev', 'z0');
    await until('messages were lost', () => said.includes('kernel.news_lost'));
    await until('all was told', () => told.has('all'));
    await untilSame('after the storm');
    stop();
    ip('link', 'del', 'z0');
    await untilSame('after all is gone');
  });

  it('takes a route by a next hop of its own away, and puts it back', async () => {
    ipBatch([...BASE, 'nexthop add id 7 via 10.0.0.9 dev v0', 'route add 172.20.0.0/24 nhid 7']);
    const find = () => kernel.view.routes.values().find(({ destination }) => destination === '172.20.0.0/24');
    const route = await until('the route is seen', find);
    assert.deepEqual([route.nextHopId, route.gateway], [7, '10.0.0.9']);
    await kernel.routes.remove(route);
    assert.equal(find(), undefined);
    await kernel.routes.put(route);
    assert.deepEqual(find(), route);
    clean();
    await untilSame('after all is gone');
  });

  it('shows what we change as ip does', async () => {
    await kernel.links.create({ name: 'a0', kind: 'veth', veth: { peerName: 'a1' }, mtu: 1400 });
    await kernel.links.create({ name: 'br1', kind: 'bridge', bridge: { stp: true } });
    const index = (name: string): number => kernel.view.linkByName(name)?.index ?? 0;
    await kernel.links.change(index('a0'), { alias: 'our link', addAltNames: ['other'], masterIndex: index('br1') });
    await kernel.links.change(index('a0'), { up: true });
    await kernel.links.change(index('a1'), { up: true });
    await kernel.links.change(index('br1'), { up: true });
    const address = { linkIndex: index('br1'), address: '10.3.0.1/24', scope: 0, flags: 0, priority: 0 };
    await kernel.addresses.put(address);
    await untilSame('after our changes');
    for (const name of ['a0', 'br1']) await kernel.links.remove(index(name));
    await untilSame('after we took them back');
  });
});

function difference(view: object, said_: object): string {
  const lines = (of: object): ReadonlySet<string> =>
    new Set(Object.entries(of).flatMap(([part, all]) => [...all].map((line) => `${part}: ${line}`)));
  const [a, b] = [lines(view), lines(said_)];
  return [
    ...[...a.difference(b)].map((line) => `only in view ${line}`),
    ...[...b.difference(a)].map((line) => `only in ip ${line}`),
  ]
    .slice(0, 20)
    .join('\n');
}
