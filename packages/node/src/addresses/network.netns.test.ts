import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { until } from '@bloomery/ports';

const NAME = `blmaddr${process.pid}`;
const WAIT_MS = 20_000;
const skip =
  process.getuid?.() === 0 && spawnSync('ip', ['netns', 'list']).status === 0 ? false : 'needs root and ip netns';

const ip = (...args: readonly string[]): string => execFileSync('ip', ['-n', NAME, ...args], { encoding: 'utf8' });

interface IpAddress {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number; readonly metric?: number }[];
}
interface IpRoute {
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly metric?: number;
  readonly protocol: string;
  readonly type?: string;
  readonly metrics?: readonly { readonly mtu?: number }[];
}
interface IpRule {
  readonly priority: number;
  readonly src: string;
  readonly srclen?: number;
  readonly table?: string;
  readonly fwmark?: string;
}

/** What `ip` says of everything that is not the kernel's own, in a fixed order. */
function seen(): { addresses: readonly string[]; routes: readonly string[]; rules: readonly string[] } {
  const addresses = (JSON.parse(ip('-j', 'addr')) as readonly IpAddress[]).flatMap(({ ifname, addr_info }) =>
    addr_info
      .filter(({ local }) => !local.startsWith('fe80') && !local.startsWith('127.') && local !== '::1')
      .map(({ local, prefixlen, metric }) => `${ifname} ${local}/${prefixlen}${metric ? ` metric ${metric}` : ''}`),
  );
  const routes = ['-4', '-6'].flatMap((family) =>
    (JSON.parse(ip(family, '-j', '-d', 'route', 'show', 'table', 'all')) as readonly IpRoute[])
      .filter(({ protocol }) => protocol !== 'kernel' && protocol !== 'ra')
      .map(({ dst, gateway, dev, metric = 0, type = 'unicast', metrics = [], protocol }) => {
        const via = gateway === undefined ? '' : ` via ${gateway}`;
        const mtu = metrics[0]?.mtu === undefined ? '' : ` mtu ${metrics[0].mtu}`;
        return `${type} ${dst}${via}${dev === undefined ? '' : ` dev ${dev}`} ${metric}${mtu} ${protocol}`;
      }),
  );
  const rules = ['-4', '-6'].flatMap((family) =>
    (JSON.parse(ip(family, '-j', 'rule')) as readonly IpRule[])
      .filter(({ priority }) => priority > 0 && priority < 32_766)
      .map(({ priority, src, srclen, table, fwmark }) =>
        [family, priority, `${src}${srclen ? `/${srclen}` : ''}`, table, fwmark].filter(Boolean).join(' '),
      ),
  );
  return { addresses: addresses.sort(), routes: routes.sort(), rules: rules.sort() };
}

const FOREIGN = {
  addresses: ['eth0 192.168.77.7/24'],
  routes: ['unicast 172.31.0.0/16 via 192.168.77.1 dev eth0 5 boot'],
  rules: ['-4 1000 192.168.0.0/16 77'],
};

const HEAD = 'version: v1alpha1\nmachine:\n  type: worker\n';
const FULL = `${HEAD}  network:
    interfaces:
      - interface: eth0
        addresses: [10.11.0.5/24, 10.11.0.6, "fd11::5/64"]
        routes:
          - network: 0.0.0.0/0
            gateway: 10.11.0.1
          - network: 172.16.0.0/14
            gateway: 10.11.0.1
            metric: 77
            mtu: 1400
            source: 10.11.0.5
          - network: ::/0
            gateway: fd11::1
          - network: fd22::/48
---
apiVersion: v1alpha1
kind: LinkConfig
name: uplink
addresses:
  - address: 10.12.0.5/24
    routePriority: 512
routes:
  - destination: 10.13.0.0/16
    gateway: 10.12.0.1
    table: "100"
---
apiVersion: v1alpha1
kind: BlackholeRouteConfig
name: 10.99.0.0/16
---
apiVersion: v1alpha1
kind: BlackholeRouteConfig
name: fd99::/32
metric: 5
---
apiVersion: v1alpha1
kind: RoutingRuleConfig
name: "1000"
src: 10.13.0.0/16
table: "100"
fwMark: 16
`;
const ALL = {
  addresses: [
    ...['eth0 10.11.0.5/24', 'eth0 10.11.0.6/32', 'eth0 10.12.0.5/24 metric 512', 'eth0 192.168.77.7/24'],
    'eth0 fd11::5/64',
  ],
  routes: [
    'blackhole 10.99.0.0/16 1024 static',
    'blackhole fd99::/32 dev lo 5 static',
    'unicast 10.13.0.0/16 via 10.12.0.1 dev eth0 1024 static',
    'unicast 172.16.0.0/14 via 10.11.0.1 dev eth0 77 mtu 1400 static',
    'unicast 172.31.0.0/16 via 192.168.77.1 dev eth0 5 boot',
    'unicast default via 10.11.0.1 dev eth0 1024 static',
    'unicast default via fd11::1 dev eth0 1024 static',
    'unicast fd22::/48 dev eth0 1024 static',
  ],
  rules: ['-4 1000 10.13.0.0/16 100 0x10', '-4 1000 192.168.0.0/16 77'],
};

/** All that the kernel tells of addresses and routes from now until it is stopped. */
async function monitorNetwork(): Promise<AsyncDisposable & { readonly stop: () => Promise<string> }> {
  const monitor = spawn('ip', ['-n', NAME, '-o', 'monitor', 'address', 'route']);
  let said = '';
  monitor.stdout.on('data', (data) => {
    said += data;
  });
  /** Once it tells of this, it has told of all that happened before. */
  const mark = (destination: string): Promise<unknown> => {
    const isTold = (): boolean => {
      for (const verb of ['add', 'del']) ip('route', verb, 'blackhole', destination);
      return said.includes(destination);
    };
    return until(`ip tells of ${destination}`, isTold, { deadlineMs: WAIT_MS });
  };
  await mark('192.0.2.1');
  return {
    stop: async () => {
      await mark('192.0.2.2');
      return said;
    },
    [Symbol.asyncDispose]: async () => void monitor.kill(),
  };
}

describe('addresses, routes and rules of a real kernel', { skip }, () => {
  let daemon: ChildProcessWithoutNullStreams;
  let errors = '';
  let problems: Readonly<Record<string, string>> = {};

  const apply = (config: string): void => void daemon.stdin.write(`${JSON.stringify(config)}\n`);
  const become = async (want: ReturnType<typeof seen>): Promise<void> => {
    const isSo = (): boolean => JSON.stringify(seen()) === JSON.stringify(want);
    await until('the network is as wanted', isSo, { deadlineMs: WAIT_MS }).catch(() => {});
    assert.deepEqual(seen(), want, `${JSON.stringify(problems)} ${errors}`);
  };
  const plug = (): void => {
    ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'peer0');
    ip('link', 'set', 'eth0', 'alias', 'uplink');
    for (const name of ['eth0', 'peer0']) ip('link', 'set', name, 'up');
  };

  before(async () => {
    execFileSync('ip', ['netns', 'add', NAME]);
    execFileSync('ip', ['netns', 'exec', NAME, 'sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0']);
    ip('link', 'set', 'lo', 'up');
    plug();
    ip('addr', 'add', '192.168.77.7/24', 'dev', 'eth0');
    ip('route', 'add', '172.31.0.0/16', 'via', '192.168.77.1', 'metric', '5');
    ip('rule', 'add', 'priority', '1000', 'from', '192.168.0.0/16', 'table', '77');
    const program = join(import.meta.dirname, 'testing/network-daemon.ts');
    daemon = spawn('ip', ['netns', 'exec', NAME, process.execPath, program]);
    daemon.stderr.on('data', (data) => {
      errors += data;
    });
    let isReady = false;
    createInterface({ input: daemon.stdout }).on('line', (line) => {
      if (line === 'ready') isReady = true;
      else problems = JSON.parse(line);
    });
    await until('the controllers run', () => isReady, { deadlineMs: WAIT_MS });
  });

  after(async () => {
    daemon.stdin.end();
    if (daemon.exitCode === null) await new Promise((resolve) => daemon.once('exit', resolve));
    execFileSync('ip', ['netns', 'del', NAME]);
  });

  it('leave everything alone without a configuration', () => assert.deepEqual(seen(), FOREIGN));

  it('are those of the configuration beside those of others', async () => {
    apply(FULL);
    await become(ALL);
    await until('there are no problems', () => Object.keys(problems).length === 0, { deadlineMs: WAIT_MS });
  });

  it('are changed in place where the kernel can do that', async () => {
    await using monitor = await monitorNetwork();
    const swap = (texts: readonly string[]): readonly string[] =>
      texts.map((text) => text.replace('metric 512', 'metric 600').replace('mtu 1400', 'mtu 1300'));
    apply(FULL.replace('routePriority: 512', 'routePriority: 600').replace('mtu: 1400', 'mtu: 1300'));
    await become({ ...ALL, addresses: swap(ALL.addresses), routes: swap(ALL.routes) });
    assert.doesNotMatch(await monitor.stop(), /Deleted .*(inet|via)/);
    apply(FULL);
    await become(ALL);
  });

  it('are replaced one by the other without a moment without a way out, also the only address of a link', async () => {
    const only = (address: string): string =>
      `${HEAD}  network:
    interfaces:
      - interface: eth1
        addresses: [${address}]
        routes:
          - network: 10.60.0.0/16
            gateway: 10.50.0.1
`;
    ip('link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'peer1');
    for (const name of ['eth1', 'peer1']) ip('link', 'set', name, 'up');
    const routes = [...FOREIGN.routes, 'unicast 10.60.0.0/16 via 10.50.0.1 dev eth1 1024 static'].sort();
    const having = (address: string) => ({ ...FOREIGN, addresses: [...FOREIGN.addresses, `eth1 ${address}`], routes });
    apply(only('10.50.0.5/24'));
    await become(having('10.50.0.5/24'));
    // A route of somebody else, which nobody would put back.
    ip('route', 'add', '10.70.0.0/16', 'via', '10.50.0.1', 'dev', 'eth1', 'metric', '9');
    routes.push('unicast 10.70.0.0/16 via 10.50.0.1 dev eth1 9 boot');
    routes.sort();

    await using monitor = await monitorNetwork();
    for (const address of ['10.50.0.6/24', '10.50.0.6/16', '10.50.0.7/16', '10.50.0.5/24']) {
      apply(only(address));
      await become(having(address));
    }
    assert.doesNotMatch(await monitor.stop(), /10\.60\.0\.0|10\.70\.0\.0/);
    ip('link', 'del', 'eth1');
    apply(FULL);
    await become(ALL);
  });

  it('that somebody else made otherwise are taken over with all routes that hang on them', async () => {
    ip('link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'peer1');
    for (const name of ['eth1', 'peer1']) ip('link', 'set', name, 'up');
    ip('addr', 'add', '10.80.0.5/24', 'dev', 'eth1', 'noprefixroute');
    ip('route', 'add', '10.80.0.0/24', 'dev', 'eth1', 'src', '10.80.0.5', 'metric', '100');
    ip('route', 'add', '10.81.0.0/16', 'via', '10.80.0.1', 'src', '10.80.0.5');
    await using monitor = await monitorNetwork();
    apply(`${HEAD}  network:\n    interfaces:\n      - interface: eth1\n        addresses: [10.80.0.5/24]\n`);
    const isTaken = (): boolean => !ip('addr', 'show', 'dev', 'eth1').includes('noprefixroute');
    await until('the address is as configured', isTaken, { deadlineMs: WAIT_MS });
    const said = await monitor.stop();
    assert.match(said, /10\.80\.0\.0\/24 dev eth1 proto kernel/);
    assert.doesNotMatch(said, /10\.81\.0\.0|metric 100/);
    assert.match(ip('addr', 'show', 'dev', 'eth1'), /inet 10\.80\.0\.5\/24 /);
    assert.doesNotMatch(ip('addr', 'show', 'dev', 'eth1'), /10\.80\.0\.5\/32/);
    ip('link', 'del', 'eth1');
    apply(FULL);
    await become(ALL);
  });

  it('come back after their link was down', async () => {
    ip('link', 'set', 'eth0', 'down');
    ip('link', 'set', 'eth0', 'up');
    ip('route', 'add', '172.31.0.0/16', 'via', '192.168.77.1', 'metric', '5');
    await become(ALL);
  });

  it('come back after their link was taken out and put in again', async () => {
    ip('link', 'del', 'eth0');
    plug();
    ip('addr', 'add', '192.168.77.7/24', 'dev', 'eth0');
    ip('route', 'add', '172.31.0.0/16', 'via', '192.168.77.1', 'metric', '5');
    await become(ALL);
  });

  it('come back when somebody takes them away', async () => {
    ip('addr', 'del', '10.12.0.5/24', 'dev', 'eth0');
    ip('route', 'del', '172.16.0.0/14');
    ip('-6', 'route', 'del', 'default');
    ip('rule', 'del', 'priority', '1000', 'from', '10.13.0.0/16');
    await become(ALL);
  });

  it('that the kernel refuses are told with its words, the others go on, and the gateway is found once it can be', async () => {
    apply(
      FULL.replace('gateway: 10.11.0.1\n          - network: 172', 'gateway: 10.200.0.1\n          - network: 172'),
    );
    const without = ALL.routes.filter((text) => text !== 'unicast default via 10.11.0.1 dev eth0 1024 static');
    await become({ ...ALL, routes: without });
    await until('a problem is told', () => 'inet4/10.200.0.1//1024' in problems, { deadlineMs: WAIT_MS });
    assert.match(problems['inet4/10.200.0.1//1024'] ?? '', /ENETUNREACH.*(gateway|Nexthop)/i);
    ip('addr', 'add', '10.200.0.9/24', 'dev', 'eth0');
    await become({
      ...ALL,
      addresses: [...ALL.addresses, 'eth0 10.200.0.9/24'].sort(),
      routes: [...without, 'unicast default via 10.200.0.1 dev eth0 1024 static'].sort(),
    });
    await until('the problem has ended', () => Object.keys(problems).length === 0, { deadlineMs: WAIT_MS });
    ip('addr', 'del', '10.200.0.9/24', 'dev', 'eth0');
  });

  it('that go take no address of others with them, though the kernel would', async () => {
    apply(FULL);
    await become(ALL);
    ip('addr', 'add', '10.11.0.50/24', 'dev', 'eth0');
    ip('addr', 'add', '10.12.0.50/24', 'dev', 'eth0');
    const others = ['eth0 10.11.0.50/24', 'eth0 10.12.0.50/24'];
    await become({ ...ALL, addresses: [...ALL.addresses, ...others].sort() });
    apply(HEAD);
    await become({ ...FOREIGN, addresses: [...FOREIGN.addresses, ...others].sort() });
    apply(FULL);
    await become({ ...ALL, addresses: [...ALL.addresses, ...others].sort() });
    ip('addr', 'del', '10.11.0.50/24', 'dev', 'eth0');
    ip('addr', 'del', '10.12.0.50/24', 'dev', 'eth0');
    await become(ALL);
  });

  it('are gone with the configuration, and those of others are as they were', async () => {
    apply(HEAD);
    await become(FOREIGN);
    await until('there are no problems', () => Object.keys(problems).length === 0, { deadlineMs: WAIT_MS });
  });
});
