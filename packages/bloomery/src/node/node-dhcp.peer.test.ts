import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type DhcpRig, makeDhcpRig, whyNoDhcpRig } from '@bloomery/node/testing';
import { until } from '@bloomery/ports';
import { type NodeProcess, startNode, TALOSCTL } from '../testing/node-process.ts';

const skip = TALOSCTL.missing || whyNoDhcpRig();

const config = (network = ''): string => `version: v1alpha1
machine:
  type: worker
${network}`;

const DHCP = `  network:
    interfaces:
      - interface: eth0
        dhcp: true
        dhcpOptions:
          routeMetric: 512
          ipv6: true
`;

interface Route {
  readonly dst: string;
  readonly gateway?: string;
  readonly metric?: number;
}

describe('a node and a real DHCP server', { skip }, () => {
  let rig: DhcpRig;
  let node: NodeProcess | undefined;
  beforeEach(() => {
    rig = makeDhcpRig('10.77.0.1/24', 'fd77::1/64');
    node = undefined;
  });
  afterEach(async () => {
    await node?.stop();
    node?.clean();
    await rig.end();
  });

  const start = async (text: string, args: readonly string[] = [], dir?: string): Promise<NodeProcess> => {
    const namespace = { name: rig.host, run: rig.runInHost, end: () => {} };
    const options = { config: text, args: ['--host-files', 'off', ...args] };
    node = await startNode(namespace, dir === undefined ? options : { ...options, dir });
    return node;
  };
  const addresses = (): readonly string[] => rig.addresses().filter((address) => !address.startsWith('fe80'));
  const routes = (): readonly Route[] =>
    JSON.parse(rig.runInHost('ip', '-j', 'route')).map(({ dst, gateway, metric }: Route) => ({
      dst,
      gateway,
      metric,
    }));
  const mtu = (): number => JSON.parse(rig.runInHost('ip', '-j', 'link', 'show', 'eth0'))[0].mtu;
  const get = (...args: readonly string[]): string => {
    const { code, stdout, stderr } = node?.talosctl(['get', ...args]) ?? assert.fail('no node');
    assert.equal(code, 0, stderr);
    return stdout;
  };

  it('has addresses, routes, MTU and name servers of the leases, loses them with its cable, and gives all back', async () => {
    await rig.startDnsmasq(
      '--dhcp-range=10.77.0.50,10.77.0.60,255.255.255.0,2m',
      '--dhcp-range=fd77::50,fd77::60,64,2m',
      '--dhcp-option=option:mtu,1400',
      '--dhcp-option=option:dns-server,10.77.0.1',
      '--dhcp-option=option:domain-search,lab.example',
    );
    const before = mtu();
    const daemon = await start(config(DHCP));
    const isThere = (): boolean =>
      addresses().some((one) => one.endsWith('/24')) && addresses().some((one) => one.endsWith('/128'));
    await until('both leases are there', isThere, { explain: daemon.stderr });
    await until('the default route is there', () => routes().some(({ dst }) => dst === 'default'));
    const [route] = routes().filter(({ dst }) => dst === 'default');
    assert.deepEqual(route, { dst: 'default', gateway: '10.77.0.1', metric: 512 });
    await until('the MTU is that of the lease', () => mtu() === 1_400);
    await until('name servers are known', () => /\["10\.77\.0\.1"\]\s+\["lab\.example"\]/.test(get('resolvers')), {
      explain: () => get('resolvers'),
    });
    assert.match(get('addressspecs', '--namespace', 'network-config'), /dhcp4\/eth0\/eth0\/10\.77\.0\.\d+\/24/);

    rig.runInServer('ip', 'link', 'set', 'srv', 'down');
    await until('the lease is gone', () => !addresses().some((one) => one.startsWith('10.77.')));
    await until('it says why', () =>
      /problem: waits for link eth0, which is (down|lowerLayerDown)/.test(
        get('operatorspecs', 'dhcp4/eth0', '-o', 'yaml'),
      ),
    );
    rig.runInServer('ip', 'link', 'set', 'srv', 'up');
    await until('it is back', () => addresses().some((one) => one.startsWith('10.77.')), { explain: daemon.stderr });

    await daemon.stop();
    assert.deepEqual([rig.addresses().filter((one) => !one.startsWith('fe80')), routes(), mtu()], [[], [], before]);
  });

  it('keeps addresses and routes of its leases over kill -9, also when the servers are gone, and gives all back', async () => {
    const setting = (name: string): string => rig.runInHost('sysctl', '-n', `net.ipv6.conf.eth0.${name}`).trim();
    rig.runInHost('sysctl', '-qw', 'net.ipv6.conf.eth0.forwarding=1');
    assert.equal(setting('accept_ra'), '1');
    await rig.startDnsmasq(
      '--dhcp-range=10.77.0.50,10.77.0.60,255.255.255.0,30m',
      '--dhcp-range=fd77::50,fd77::60,64,30m',
    );
    // The static address is only in the first configuration: when it goes, what an earlier run has left is gone.
    const killed = await start(config(`${DHCP}        addresses: [10.99.0.9/32]\n`));
    const leased = (): readonly string[] => addresses().filter((one) => one !== '10.99.0.9/32');
    const hasDefault = (): boolean => routes().some(({ dst }) => dst === 'default');
    const isThere = (): boolean => leased().length === 2 && hasDefault() && addresses().length === 3;
    await until('leases and static address are there', isThere, { explain: killed.stderr });
    const before = leased();
    const leases = join(killed.dir, 'dhcp-leases.json');
    await until('both leases are on disk', () => Object.keys(JSON.parse(readFileSync(leases, 'utf8'))).length === 2);
    await killed.stop('SIGKILL');
    await rig.stopDnsmasq();
    node = undefined;
    const again = await start(config(DHCP), [], killed.dir);
    await until('what nobody asks for is taken away', () => !addresses().includes('10.99.0.9/32'), {
      explain: again.stderr,
    });
    assert.deepEqual([addresses(), hasDefault()], [before, true]);
    const why = (id: string): string => get('operatorspecs', id, '-o', 'yaml');
    await until('it says that nobody answers', () => why('dhcp4/eth0').includes('no DHCP server answers on eth0'));
    assert.equal(setting('accept_ra'), '2');
    await again.stop();
    assert.deepEqual([addresses(), routes(), setting('accept_ra')], [[], [], '1']);
  });

  it('follows kernel arguments without a server', async () => {
    const cmdline =
      'ip=10.77.0.5::10.77.0.1:24:node-9.lab:eth0:off:10.77.0.2 talos.environment=https_proxy=http://me:secret@proxy:1';
    const daemon = await start(config(), ['--cmdline', cmdline]);
    await until('the address is there', () => addresses().includes('10.77.0.5/24'), { explain: daemon.stderr });
    await until('the route is there', () =>
      routes().some(({ dst, gateway }) => dst === 'default' && gateway === '10.77.0.1'),
    );
    assert.match(get('linkspecs', '--namespace', 'network-config'), /cmdline\/eth0/);
    assert.match(
      get('hostnamespecs', '--namespace', 'network-config', '-o', 'yaml'),
      /hostname: node-9\n\s+domainname: lab\n/,
    );
    assert.match(get('environments'), /\["https_proxy=http:\/\/me:\*\*\*@proxy:1"\]/);
  });
});
