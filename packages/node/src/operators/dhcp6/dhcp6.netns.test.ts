import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { afterEach, describe, it } from 'node:test';
import { until } from '@bloomery/ports';
import { type DhcpRig, type HostLine, makeDhcpRig, whyNoDhcpRig } from '../testing/dhcp-rig.ts';

const RANGE = '--dhcp-range=fd77::50,fd77::60,64,2m';
/** So many times faster the client lives: dnsmasq leases for two minutes at least. */
const SPEED = 30;

const isLeased = ({ outputs }: HostLine): boolean => (outputs?.addresses.length ?? 0) > 0;
const isLost = ({ event }: HostLine): boolean => event === 'dhcp6.lost';

describe('DHCPv6 with a real server', { skip: whyNoDhcpRig() }, () => {
  let rig: DhcpRig | undefined;
  const make = (): DhcpRig => {
    rig = makeDhcpRig('fd77::1/64');
    return rig;
  };
  afterEach(() => rig?.end());

  it('takes everything that the server gives, beside what the kernel takes from its router advertisements', async () => {
    const { startDnsmasq, startHost, line, addresses, leases, host } = make();
    await startDnsmasq(
      '--dhcp-range=fd77::50,fd77::60,slaac,64,2m',
      '--enable-ra',
      '--dhcp-option=option6:dns-server,[fd77::1],[fd77::2]',
      '--dhcp-option=option6:domain-search,eng.lab.example,ops.lab.example',
      '--dhcp-option=option6:ntp-server,[fd77::3]',
    );
    startHost(6, 1);
    const { outputs } = await line('it has a lease', isLeased);
    const [address] = outputs?.addresses ?? [];
    assert.match(address?.address ?? '', /^fd77::[56]\w\/128$/);
    assert.deepEqual([address?.family, address?.scope, address?.layer], ['inet6', 'global', 'operator']);
    assert.deepEqual(outputs?.resolvers, {
      dnsServers: ['fd77::1', 'fd77::2'],
      searchDomains: ['eng.lab.example', 'ops.lab.example'],
      layer: 'operator',
    });
    assert.deepEqual(outputs?.timeServers?.timeServers, ['fd77::3']);
    assert.match(leases(), / 7 fd77::[56]\w \* 00:03:00:01:/);
    await until('the host has it', () => addresses().includes(address?.address ?? ''));
    await until('the kernel has made one of its own', () => addresses().some((one) => /^fd77::.*\/64$/.test(one)));
    const routes = execFileSync('ip', ['-n', host, '-6', 'route'], { encoding: 'utf8' });
    assert.match(routes, /^default via fe80::\S+ dev eth0 proto ra/m);
  });

  it('renews, loses its address when the server stays away, and has one when it is back', async () => {
    const { startDnsmasq, stopDnsmasq, startHost, line, lines, addresses, dnsmasqLog } = make();
    await startDnsmasq(RANGE);
    startHost(6, SPEED);
    await line('it has a lease', isLeased);
    await line('it has renewed', isLeased, lines.length);
    assert.match(dnsmasqLog(), /DHCPRENEW\(srv\)/);
    await stopDnsmasq();
    await line('the lease has ended', isLost);
    await until('the host has no address', () => !addresses().some((one) => one.startsWith('fd77::')));
    await line('it says why', ({ problem }) => problem === 'no DHCPv6 server answers on eth0');
    const sofar = lines.length;
    await startDnsmasq(RANGE);
    await line('it has a lease again', isLeased, sofar);
  });

  it('keeps its address over kill -9 while the server is away, until the lease has ended', async () => {
    const { startDnsmasq, stopDnsmasq, startHost, killHost, line, addresses, lines } = make();
    await startDnsmasq(RANGE);
    startHost(6, 1);
    await line('it has a lease', isLeased);
    const has = (): boolean => addresses().some((one) => one.startsWith('fd77::'));
    await until('the host has it', has);
    await stopDnsmasq();
    await killHost();
    const sofar = lines.length;
    startHost(6, SPEED);
    await line('it goes on with it', isLeased, sofar);
    await line('the lease has ended', isLost, sofar);
    await until('the host has no address', () => !has());
  });

  it('asks after a restart of the host whether its address is right here, and has it again', async () => {
    const { startDnsmasq, startHost, killHost, line, lines, dnsmasqLog, runInHost } = make();
    await startDnsmasq(RANGE);
    startHost(6, 1);
    const [{ address = '' } = {}] = (await line('it has a lease', isLeased)).outputs?.addresses ?? [];
    await killHost();
    runInHost('ip', 'address', 'del', address, 'dev', 'eth0');
    const [sofar, before] = [lines.length, dnsmasqLog()];
    startHost(6, 1);
    const { outputs } = await line('it has a lease again', isLeased, sofar);
    assert.equal(outputs?.addresses[0]?.address, address);
    const since = (): string => dnsmasqLog().slice(before.length);
    await until('it has renewed', () => /DHCPCONFIRM\(srv\)[\s\S]*DHCPRENEW\(srv\)/.test(since()));
    assert.doesNotMatch(since(), /DHCPSOLICIT/);
  });

  it('says that a server has no address to give', async () => {
    const { startDnsmasq, startHost, line } = make();
    await startDnsmasq('--dhcp-range=fd77::,static,64,2m');
    startHost(6, SPEED);
    await line('it says why', ({ problem }) => problem === 'a DHCPv6 server leases no address on eth0 (no addresses)');
  });
});
