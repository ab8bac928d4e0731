import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { afterEach, describe, it } from 'node:test';
import { until } from '@bloomery/ports';
import { type DhcpRig, type HostLine, makeDhcpRig, whyNoDhcpRig } from '../testing/dhcp-rig.ts';

const RANGE = '--dhcp-range=10.77.0.50,10.77.0.60,255.255.255.0,2m';
/** So many times faster the client lives: dnsmasq leases for two minutes at least. */
const SPEED = 30;
/** Where a renewal must be answered: the client waits for that some 20 s of its life, which a busy machine may need for other things. */
const RENEWAL_SPEED = 10;

const isLeased = ({ outputs }: HostLine): boolean => (outputs?.addresses.length ?? 0) > 0;
const isLost = (reason: string) => (line: HostLine) => line.event === 'dhcp4.lost' && line.reason === reason;
const count = (text: string, word: string): number => text.split(word).length - 1;

describe('DHCPv4 with a real server', { skip: whyNoDhcpRig() }, () => {
  let rig: DhcpRig | undefined;
  const make = (): DhcpRig => {
    rig = makeDhcpRig('10.77.0.1/24');
    return rig;
  };
  afterEach(() => rig?.end());

  it('takes everything that the server gives, and the host has the address', async () => {
    const { startDnsmasq, startHost, line, addresses, leases, mac } = make();
    await startDnsmasq(
      RANGE,
      '--dhcp-option=option:router,10.77.0.254',
      '--dhcp-option=121,10.0.0.0/8,10.77.0.2,0.0.0.0/0,10.77.0.1',
      '--dhcp-option=option:dns-server,10.77.0.1,9.9.9.9',
      '--dhcp-option=option:domain-search,eng.lab.example,ops.lab.example',
      '--dhcp-option=option:ntp-server,10.77.0.3',
      '--dhcp-option=option:mtu,1400',
      '--dhcp-option=option:domain-name,lab.example',
      `--dhcp-host=${execMac(rig)},10.77.0.57,given-name`,
    );
    startHost(4, 1);
    const { outputs } = await line('it has a lease', isLeased);
    assert.deepEqual(
      outputs?.addresses.map(({ address, linkName, priority, layer }) => [address, linkName, priority, layer]),
      [['10.77.0.57/24', 'eth0', 1024, 'operator']],
    );
    assert.deepEqual(
      outputs?.routes.map(({ dst, gateway, src, scope }) => [dst, gateway, src, scope]),
      [
        ['10.0.0.0/8', '10.77.0.2', '10.77.0.57', 'global'],
        ['', '10.77.0.1', '10.77.0.57', 'global'],
      ],
    );
    assert.deepEqual(
      outputs?.links.map(({ name, mtu }) => [name, mtu]),
      [['eth0', 1400]],
    );
    assert.deepEqual(outputs?.resolvers, {
      dnsServers: ['10.77.0.1', '9.9.9.9'],
      searchDomains: ['eng.lab.example', 'ops.lab.example'],
      layer: 'operator',
    });
    assert.deepEqual(outputs?.timeServers?.timeServers, ['10.77.0.3']);
    assert.deepEqual(outputs?.hostname, { hostname: 'given-name', domainname: 'lab.example', layer: 'operator' });
    await until('the host has it', () => addresses().includes('10.77.0.57/24'));
    assert.match(leases(), new RegExp(`${mac} 10\\.77\\.0\\.57 given-name 01:${mac}`));
  });

  it('renews by unicast with its server, without looking for another', async () => {
    const { startDnsmasq, startHost, line, dnsmasqLog, lines, server } = make();
    // No broadcast reaches it after the first minute of the client's life: only what is sent to its own address.
    await startDnsmasq(RANGE);
    startHost(4, RENEWAL_SPEED);
    await line('it has a lease', isLeased);
    execFileSync('ip', ['netns', 'exec', server, 'nft', '-f', '-'], {
      input:
        'add table ip t\nadd chain ip t c { type filter hook input priority 0; }\nadd rule ip t c ip daddr 255.255.255.255 drop\n',
    });
    const sofar = lines.length;
    await line('it has renewed', isLeased, sofar);
    await line('it has renewed again', isLeased, lines.length);
    assert.equal(count(dnsmasqLog(), 'DHCPDISCOVER(srv)'), 1);
    assert.ok(!lines.some(({ event }) => event === 'dhcp4.renewByBroadcast'));
  });

  it('tells the name of the host in a lease of its own', async () => {
    const { startDnsmasq, startHost, leases } = make();
    await startDnsmasq(RANGE);
    startHost(4, SPEED, 'node-7');
    await until('the server knows it', () => leases().includes(' node-7 '));
  });

  it('lets the address go when the server stays away, and takes one when it is back', async () => {
    const { startDnsmasq, stopDnsmasq, startHost, line, addresses, lines } = make();
    await startDnsmasq(RANGE);
    startHost(4, SPEED);
    await line('it has a lease', isLeased);
    await stopDnsmasq();
    await line('the lease has ended', isLost('expired'));
    await until('the host has no address', () => !addresses().some((address) => address.startsWith('10.77.')));
    await line('it says why', ({ problem }) => problem === 'no DHCP server answers on eth0');
    const sofar = lines.length;
    await startDnsmasq(RANGE);
    await line('it has a lease again', isLeased, sofar);
  });

  it('begins anew when the server refuses to renew', async () => {
    const { startDnsmasq, stopDnsmasq, startHost, line, addresses, lines } = make();
    await startDnsmasq(RANGE, '--dhcp-authoritative');
    startHost(4, RENEWAL_SPEED);
    await line('it has a lease', isLeased);
    const sofar = lines.length;
    await stopDnsmasq();
    await startDnsmasq('--dhcp-range=10.77.0.150,10.77.0.160,255.255.255.0,2m', '--dhcp-authoritative');
    await line('the lease is refused', isLost('refused'), sofar);
    const again = await line('it has another', isLeased, sofar + 1);
    assert.match(again.outputs?.addresses[0]?.address ?? '', /^10\.77\.0\.1[56]\d\/24$/);
    await until(
      'the host has only that',
      () => addresses().filter((address) => address.startsWith('10.77.')).length === 1,
    );
  });

  it('keeps its address over kill -9 while the server is away, until the lease has ended', async () => {
    const { startDnsmasq, stopDnsmasq, startHost, killHost, line, addresses, lines } = make();
    await startDnsmasq(RANGE);
    startHost(4, 1);
    await line('it has a lease', isLeased);
    const has = (): boolean => addresses().some((address) => address.startsWith('10.77.'));
    await until('the host has it', has);
    await stopDnsmasq();
    await killHost();
    const sofar = lines.length;
    startHost(4, SPEED);
    await line('it goes on with it', isLeased, sofar);
    await line('it says that nobody answers', ({ problem }) => problem === 'no DHCP server answers on eth0', sofar);
    await line('the lease has ended', isLost('expired'), sofar);
    await until('the host has no address', () => !has());
    const again = lines.length;
    await startDnsmasq(RANGE);
    await line('it has a lease again', isLeased, again);
  });

  it('asks after a restart of the host for the address that it had, and discovers none', async () => {
    const { startDnsmasq, startHost, killHost, line, lines, dnsmasqLog, runInHost } = make();
    await startDnsmasq(RANGE);
    startHost(4, 1);
    const [{ address = '' } = {}] = (await line('it has a lease', isLeased)).outputs?.addresses ?? [];
    await killHost();
    runInHost('ip', 'address', 'flush', 'dev', 'eth0', 'scope', 'global');
    const [sofar, before] = [lines.length, dnsmasqLog()];
    startHost(4, 1);
    const { outputs } = await line('it has a lease again', isLeased, sofar);
    assert.equal(outputs?.addresses[0]?.address, address);
    const since = dnsmasqLog().slice(before.length);
    assert.match(since, /DHCPREQUEST\(srv\)[\s\S]*DHCPACK\(srv\)/);
    assert.equal(count(since, 'DHCPDISCOVER(srv)'), 0);
  });

  it('begins anew where it comes up in another network', async () => {
    const { startDnsmasq, stopDnsmasq, startHost, killHost, line, lines, runInHost, runInServer } = make();
    await startDnsmasq(RANGE);
    startHost(4, 1);
    await line('it has a lease', isLeased);
    await killHost();
    await stopDnsmasq();
    runInHost('ip', 'address', 'flush', 'dev', 'eth0', 'scope', 'global');
    runInServer('ip', 'address', 'flush', 'dev', 'srv', 'scope', 'global');
    runInServer('ip', 'address', 'add', '10.99.0.1/24', 'dev', 'srv');
    await startDnsmasq('--dhcp-range=10.99.0.50,10.99.0.60,255.255.255.0,2m');
    const sofar = lines.length;
    startHost(4, 1);
    const { outputs } = await line('it has a lease', isLeased, sofar);
    assert.match(outputs?.addresses[0]?.address ?? '', /^10\.99\.0\.[56]\d\/24$/);
  });

  it('survives a server that sends rubbish, and takes only the good answer', async () => {
    const { startServer, startHost, line, addresses, stopHost, lines, server } = make();
    execFileSync('ip', ['-n', server, 'route', 'add', '255.255.255.255/32', 'dev', 'srv']);
    startServer('hostile-dhcp4.ts');
    startHost(4, SPEED);
    const { outputs } = await line('it has a lease', isLeased);
    assert.deepEqual(
      outputs?.addresses.map(({ address }) => address),
      ['10.77.0.99/24'],
    );
    assert.deepEqual(
      [outputs?.links, outputs?.routes, outputs?.resolvers, outputs?.hostname],
      [[], [], undefined, undefined],
    );
    await until('the host has it', () => addresses().includes('10.77.0.99/24'));
    await stopHost();
    assert.deepEqual(lines.at(-1), { event: 'stopped' });
  });

  it('has and renews a lease of a server behind a relay', async () => {
    const { startDnsmasq, startHost, line, lines, server, host, end, runInHost, runInServer } = make();
    const far = `${server}far`;
    const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
    rig = { ...(rig ?? assert.fail('no rig')), end: () => end().finally(() => ip('netns', 'del', far)) };
    ip('netns', 'add', far);
    ip('-n', server, 'link', 'add', 'wan', 'type', 'veth', 'peer', 'name', 'lan', 'netns', far);
    ip('-n', server, 'address', 'add', '10.78.0.2/24', 'dev', 'wan');
    ip('-n', server, 'link', 'set', 'wan', 'up');
    ip('-n', far, 'address', 'add', '10.78.0.1/24', 'dev', 'lan');
    ip('-n', far, 'link', 'set', 'lan', 'up');
    ip('-n', far, 'route', 'add', '10.77.0.0/24', 'via', '10.78.0.2');
    runInServer('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await startDnsmasq('--dhcp-relay=10.77.0.1,10.78.0.1', '--interface=wan');
    const options = ['--interface=lan', '--dhcp-range=10.77.0.50,10.77.0.60,255.255.255.0,2m', '--no-ping', '--port=0'];
    const server2 = spawn('ip', [
      'netns',
      'exec',
      far,
      'dnsmasq',
      '-k',
      '-C',
      '/dev/null',
      '-l',
      '/dev/null',
      '--user=root',
      ...options,
    ]);
    try {
      startHost(4, RENEWAL_SPEED);
      const { outputs } = await line('it has a lease', isLeased);
      assert.match(outputs?.addresses[0]?.address ?? '', /^10\.77\.0\.[56]\d\/24$/);
      runInHost('ip', 'route', 'add', 'default', 'via', '10.77.0.1');
      const sofar = lines.length;
      await line('it has renewed', isLeased, sofar);
      assert.ok(!lines.some(({ event }) => event === 'dhcp4.lost'), host);
    } finally {
      server2.kill('SIGKILL');
    }
  });

  it('hears answers that are sent to its future address, past the filter of reverse paths', async () => {
    const { startDnsmasq, startHost, line, host } = make();
    for (const name of ['all', 'eth0']) {
      execFileSync('ip', ['netns', 'exec', host, 'sysctl', '-qw', `net.ipv4.conf.${name}.rp_filter=1`]);
    }
    await startDnsmasq(RANGE);
    startHost(4, 1);
    await line('it has a lease', isLeased);
  });
});

const execMac = (rig: DhcpRig | undefined): string => rig?.mac ?? '';
