import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { until } from '@bloomery/ports';
import type { Kernel, KernelChange, KernelLink, KernelRoute, KernelRule } from '../kernel.ts';
import { refusalErrno } from '../kernel-error.ts';
import { addressKey } from '../kernel-keys.ts';

/** A kernel to be tested, with nothing but `lo` in it. */
export interface TestKernel extends AsyncDisposable {
  readonly kernel: Kernel;
  /** Plug a card in, with its cable. */
  plug(name: string): Promise<KernelLink>;
}

const INET = 2;
const INET6 = 10;
const MAIN = 254;

const route = (parts: Partial<KernelRoute>): KernelRoute => ({
  family: INET,
  destination: '',
  source: '',
  gateway: '',
  outLinkIndex: 0,
  table: MAIN,
  priority: 1024,
  scope: 0,
  type: 1,
  flags: 0,
  protocol: 4,
  mtu: 0,
  ...parts,
});
const rule = (parts: Partial<KernelRule>): KernelRule => ({
  family: INET,
  priority: 500,
  source: '',
  destination: '',
  table: 100,
  action: 1,
  iifName: '',
  oifName: '',
  fwMark: 0,
  fwMask: 0,
  ...parts,
});
const isUp = (link: KernelLink | undefined): boolean => ((link?.flags ?? 0) & 1) === 1;

/** What the daemon relies on, of the kernel and of its fake alike. */
export function describeKernel(name: string, make: () => Promise<TestKernel>, skip: string | false = false): void {
  describe(name, { skip }, () => {
    let tested: TestKernel;
    let kernel: Kernel;
    beforeEach(async () => {
      tested = await make();
      kernel = tested.kernel;
    });
    afterEach(() => tested[Symbol.asyncDispose]());

    const link = (linkName: string): KernelLink => {
      const found = kernel.view.linkByName(linkName);
      assert.ok(found, `${linkName} is there`);
      return found;
    };
    const refused = async (errno: string, message: RegExp, act: () => Promise<void>): Promise<void> => {
      const error = await act().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert.equal(refusalErrno(error), errno, String(error));
      assert.match(String(error), message);
    };
    const put = (linkIndex: number, address: string, priority = 0): Promise<void> =>
      kernel.addresses.put({ linkIndex, address, scope: 0, flags: address.includes(':') ? 2 : 0, priority });
    const plugUp = async (): Promise<KernelLink> => {
      const { index } = await tested.plug('eth0');
      await kernel.links.change(index, { up: true });
      await until('eth0 runs', () => link('eth0').operationalState === 6);
      return link('eth0');
    };
    const routes = (): readonly string[] =>
      [...kernel.view.routes.values()]
        .filter(({ table, family }) => table === MAIN && family === INET)
        .map(({ destination, gateway, priority, mtu }) => `${destination}|${gateway}|${priority}|${mtu}`)
        .sort();

    it('shows the loopback, which is down, and the rules that it begins with', () => {
      assert.deepEqual([link('lo').index, link('lo').type, link('lo').mtu, isUp(link('lo'))], [1, 772, 65_536, false]);
      assert.deepEqual(
        kernel.view.rules.map(({ family, priority, table }) => [family, priority, table]),
        [
          [INET, 0, 255],
          [INET, 32_766, MAIN],
          [INET, 32_767, 253],
          [INET6, 0, 255],
          [INET6, 32_766, MAIN],
        ],
      );
    });

    it('makes a link, shows it at once, and removes it', async () => {
      await kernel.links.create({ name: 'br0', kind: 'bridge', mtu: 1400, bridge: { stp: true } });
      const { kind, mtu, bridge, index } = link('br0');
      assert.deepEqual(
        [kind, mtu, bridge, isUp(link('br0'))],
        ['bridge', 1400, { stp: true, vlanFiltering: false }, false],
      );
      await kernel.links.remove(index);
      assert.equal(kernel.view.linkByName('br0'), undefined);
      assert.equal(kernel.view.links.has(index), false);
    });

    it('makes both ends of a pair', async () => {
      await kernel.links.create({ name: 'left', kind: 'veth', veth: { peerName: 'right' } });
      assert.deepEqual([link('left').linkIndex, link('right').linkIndex], [link('right').index, link('left').index]);
      await kernel.links.remove(link('right').index);
      assert.equal(kernel.view.linkByName('left'), undefined);
    });

    it('refuses links whose name is taken, whose kind it does not know, and changes of those that are not there', async () => {
      await kernel.links.create({ name: 'br0', kind: 'bridge' });
      await refused('EEXIST', /^BloomeryError: creating br0 \(bridge\): EEXIST File exists/, () =>
        kernel.links.create({ name: 'br0', kind: 'bridge' }),
      );
      await refused('EOPNOTSUPP', /creating x0 \(nonsense\).*Unknown device type/, () =>
        kernel.links.create({ name: 'x0', kind: 'nonsense' }),
      );
      await refused('ENODEV', /link 4711/, () => kernel.links.change(4711, { mtu: 1400 }));
      await refused('ENODEV', /link 4711/, () => kernel.links.remove(4711));
    });

    it('changes what is given of a link and nothing else', async () => {
      const { index } = await tested.plug('eth0');
      const before = link('eth0');
      await kernel.links.change(index, {
        mtu: 1400,
        hardwareAddr: '02:00:00:00:00:77',
        alias: 'uplink',
        multicast: false,
      });
      const { mtu, hardwareAddr, alias, flags, name: now, masterIndex } = link('eth0');
      assert.deepEqual([mtu, hardwareAddr, alias, flags & 0x1000], [1400, '02:00:00:00:00:77', 'uplink', 0]);
      assert.deepEqual([now, masterIndex], [before.name, before.masterIndex]);
      await kernel.links.change(index, { alias: '' });
      assert.equal(link('eth0').alias, '');
      await refused('EINVAL', /MTU|eth0/, () => kernel.links.change(index, { mtu: 10 }));
    });

    it('renames a link, gives it other names, and takes them away', async () => {
      const { index } = await tested.plug('eth0');
      await kernel.links.change(index, { name: 'wan0', addAltNames: ['enp1s0', 'enx525400000001'] });
      assert.deepEqual([link('wan0').index, link('wan0').altNames], [index, ['enp1s0', 'enx525400000001']]);
      assert.equal(kernel.view.linkByName('eth0'), undefined);
      await refused('EEXIST', /enp1s0/, () => kernel.links.create({ name: 'enp1s0', kind: 'bridge' }));
      await kernel.links.change(index, { removeAltNames: ['enp1s0'] });
      assert.deepEqual(link('wan0').altNames, ['enx525400000001']);
    });

    it('has masters, from which links are released one by one or when the master goes', async () => {
      const { index } = await tested.plug('eth0');
      await kernel.links.create({ name: 'br0', kind: 'bridge' });
      const master = link('br0').index;
      await kernel.links.change(index, { masterIndex: master });
      assert.deepEqual([link('eth0').masterIndex, link('eth0').slaveKind], [master, 'bridge']);
      await kernel.links.change(index, { masterIndex: 0 });
      assert.deepEqual([link('eth0').masterIndex, link('eth0').slaveKind], [0, '']);
      await kernel.links.change(index, { masterIndex: master });
      await kernel.links.remove(master);
      assert.deepEqual([link('eth0').masterIndex, link('eth0').slaveKind], [0, '']);
    });

    it('puts addresses on links with the route to their network, changes them in place and removes them', async () => {
      const { index } = await plugUp();
      await put(index, '10.0.0.5/24');
      const key = addressKey({ linkIndex: index, address: '10.0.0.5/24' });
      assert.deepEqual(
        [kernel.view.addresses.get(key)?.local, kernel.view.addresses.get(key)?.flags],
        ['10.0.0.5', 0x80],
      );
      assert.deepEqual(routes(), ['10.0.0.0/24||0|0']);
      await put(index, '10.0.0.5/24', 77);
      assert.equal(kernel.view.addresses.get(key)?.priority, 77);
      assert.deepEqual(routes(), ['10.0.0.0/24||77|0']);
      await kernel.addresses.remove(index, '10.0.0.5/24');
      assert.equal(kernel.view.addresses.has(key), false);
      assert.deepEqual(routes(), []);
    });

    it('refuses addresses that are not there, and on links that are not there', async () => {
      const { index } = await plugUp();
      await refused('EADDRNOTAVAIL', /removing 10\.0\.0\.9\/24 from eth0: EADDRNOTAVAIL/, () =>
        kernel.addresses.remove(index, '10.0.0.9/24'),
      );
      await refused('ENODEV', /adding 10\.0\.0\.9\/24 to link 4711: ENODEV/, () => put(4711, '10.0.0.9/24'));
    });

    it('drops the routes of a link that goes down and its IPv6 addresses, and keeps its IPv4 addresses', async () => {
      const { index } = await plugUp();
      await put(index, '10.0.0.5/24');
      await put(index, 'fd00::5/64');
      await kernel.routes.put(route({ gateway: '10.0.0.1', outLinkIndex: index }));
      assert.deepEqual(routes(), ['10.0.0.0/24||0|0', '|10.0.0.1|1024|0']);
      await kernel.links.change(index, { up: false });
      assert.deepEqual(routes(), []);
      const left = [...kernel.view.addresses.values()].filter(({ scope }) => scope === 0).map(({ address }) => address);
      assert.deepEqual(left, ['10.0.0.5/24']);
      await kernel.links.change(index, { up: true });
      assert.deepEqual(routes(), ['10.0.0.0/24||0|0']);
    });

    it('has routes: finds the link of a gateway, changes them in place, and refuses what cannot be', async () => {
      const { index } = await plugUp();
      await put(index, '10.0.0.5/24');
      const wanted = route({ gateway: '10.0.0.1' });
      await kernel.routes.put(wanted);
      const added = [...kernel.view.routes.values()].find(({ gateway }) => gateway === '10.0.0.1');
      assert.equal(added?.outLinkIndex, index);
      await kernel.routes.put({ ...wanted, outLinkIndex: index, mtu: 1300 });
      assert.deepEqual(routes(), ['10.0.0.0/24||0|0', '|10.0.0.1|1024|1300']);
      await refused('EEXIST', /adding route default via 10\.0\.0\.2 metric 1024: EEXIST/, () =>
        kernel.routes.put(route({ gateway: '10.0.0.2' })),
      );
      await refused('ENETUNREACH', /Nexthop has invalid gateway/, () =>
        kernel.routes.put(route({ gateway: '10.7.0.1', priority: 5 })),
      );
      await kernel.routes.remove(wanted);
      await refused('ESRCH', /removing route default via 10\.0\.0\.1 metric 1024: ESRCH/, () =>
        kernel.routes.remove(wanted),
      );
    });

    it('has routes of other tables, and such that lead nowhere', async () => {
      const { index } = await plugUp();
      await put(index, '10.0.0.5/24');
      await kernel.routes.put(route({ destination: '10.8.0.0/16', gateway: '10.0.0.1', table: 1000 }));
      await kernel.routes.put(route({ destination: '10.9.0.0/16', type: 6, priority: 9 }));
      // The kernel puts such a one of IPv6 on the loopback.
      const ofV6 = route({ family: INET6, destination: 'fd99::/32', type: 6 });
      await kernel.routes.put(ofV6);
      const seen = () =>
        [...kernel.view.routes.values()]
          .filter(({ destination }) => /^(10\.[89]\.|fd99::\/32)/.test(destination))
          .map(({ destination, table, type, outLinkIndex }) => [destination, table, type, outLinkIndex]);
      assert.deepEqual(seen(), [
        ['10.8.0.0/16', 1000, 1, index],
        ['10.9.0.0/16', MAIN, 6, 0],
        ['fd99::/32', MAIN, 6, 1],
      ]);
      await kernel.routes.remove({ ...ofV6, outLinkIndex: 1 });
      assert.equal(seen().length, 2);
    });

    it('drops routes that prefer an address with the address', async () => {
      const { index } = await plugUp();
      await put(index, '10.0.0.5/24');
      await put(index, '10.1.0.5/32');
      await kernel.routes.put(route({ gateway: '10.0.0.1', source: '10.1.0.5' }));
      await kernel.addresses.remove(index, '10.1.0.5/32');
      assert.deepEqual(routes(), ['10.0.0.0/24||0|0']);
    });

    it('drops the IPv4 routes of a link with its last IPv4 address', async () => {
      const { index } = await plugUp();
      for (const address of ['10.0.0.5/24', '10.1.0.5/24']) await put(index, address);
      await kernel.routes.put(route({ gateway: '10.0.0.1', outLinkIndex: index }));
      await kernel.addresses.remove(index, '10.0.0.5/24');
      assert.deepEqual(routes(), ['10.1.0.0/24||0|0', '|10.0.0.1|1024|0']);
      await kernel.addresses.remove(index, '10.1.0.5/24');
      assert.deepEqual(routes(), []);
    });

    it('has rules, each once', async () => {
      const wanted = rule({ source: '10.0.0.0/8', table: 1000, fwMark: 16, fwMask: 255 });
      await kernel.rules.add(wanted);
      assert.deepEqual(
        kernel.view.rules.filter(({ priority }) => priority === 500),
        [wanted],
      );
      await refused('EEXIST', /adding rule 500: from 10\.0\.0\.0\/8 fwmark 0x10 lookup 1000: EEXIST/, () =>
        kernel.rules.add(wanted),
      );
      await kernel.rules.remove(wanted);
      await refused('ENOENT', /removing rule 500/, () => kernel.rules.remove(wanted));
    });

    it('tells each change once, after the view shows it, until one stops listening', async () => {
      const { index } = await plugUp();
      const told: string[] = [];
      const text = (change: KernelChange): string =>
        change.of === 'address' ? `${change.gone ? 'gone' : 'put'} ${change.address.address}` : change.of;
      const stop = kernel.listen((change) => {
        if (change.of !== 'address' || !change.address.address.startsWith('10.')) return;
        assert.equal(kernel.view.addresses.has(addressKey(change.address)), !change.gone);
        told.push(text(change));
      });
      await put(index, '10.0.0.5/24');
      await kernel.addresses.remove(index, '10.0.0.5/24');
      stop();
      await put(index, '10.0.0.6/24');
      assert.deepEqual(told, ['put 10.0.0.5/24', 'gone 10.0.0.5/24']);
    });

    it('has WireGuard, by whichever means', async () => {
      await kernel.wireguard.create('wg0');
      assert.equal(link('wg0').kind, 'wireguard');
      await refused('EEXIST', /wg0/, () => kernel.wireguard.create('wg0'));
      await kernel.wireguard.configure('wg0', {
        privateKey: 'YEocP0e2o1WT5GlvBvQzVF7EeR6z9aCk+ZdZ5NKEuXA=',
        firewallMark: 7,
        peers: [
          {
            publicKey: 'gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=',
            remove: false,
            updateOnly: false,
            presharedKey: 'FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=',
            endpoint: '10.0.0.7:51820',
            keepaliveSeconds: 25,
            replaceAllowedIPs: true,
            allowedIPs: ['10.4.0.0/24', 'fd02::/64'],
          },
        ],
      });
      const state = await kernel.wireguard.read('wg0');
      assert.deepEqual([state?.publicKey, state?.firewallMark], ['rsy8+nAp6NfMKNnohQAYD+gIW3NXHAhDOyrrq1lggBA=', 7]);
      const [peer] = state?.peers ?? [];
      assert.deepEqual([peer?.endpoint, peer?.keepaliveSeconds], ['10.0.0.7:51820', 25]);
      assert.deepEqual([...(peer?.allowedIPs ?? [])].sort(), ['10.4.0.0/24', 'fd02::/64']);
      assert.equal(peer?.presharedKey, 'FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=');
      const { publicKey = '' } = peer ?? {};
      const whole = { remove: false, updateOnly: false, replaceAllowedIPs: true, allowedIPs: ['fd02::/64'] };
      await kernel.wireguard.configure('wg0', { peers: [{ publicKey, ...whole }] });
      const again = (await kernel.wireguard.read('wg0'))?.peers[0];
      assert.deepEqual(again?.allowedIPs, ['fd02::/64']);
      assert.match(again?.presharedKey ?? '', /^(A{43}=)?$/);
      await kernel.links.remove(link('wg0').index);
      assert.equal(kernel.view.linkByName('wg0'), undefined);
      assert.equal(await kernel.wireguard.read('wg0'), undefined);
    });

    it('announces addresses, and says what it can of a card', async () => {
      const { index } = await plugUp();
      await put(index, '10.0.0.5/24');
      await kernel.addresses.announce(index, '10.0.0.5/24');
      await refused('ENODEV', /announcing 10\.0\.0\.5\/24 on link 4711/, () =>
        kernel.addresses.announce(4711, '10.0.0.5/24'),
      );
      const details = await kernel.linkDetails(link('eth0'));
      assert.equal(typeof details, 'object');
      const { features } = await kernel.ethernet.read(link('eth0'));
      assert.ok(Array.isArray(features));
    });
  });
}
