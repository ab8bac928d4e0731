import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import type { Logger } from '@bloomery/ports';
import type { Device } from '../config/node-config.ts';
import type { NodeSettings } from '../node-environment.ts';
import {
  AddressSpec,
  DeviceConfigSpec,
  HostnameSpec,
  LAYERED,
  LinkSpec,
  LinkStatus,
  OperatorSpec,
  ResolverSpec,
  RouteSpec,
  TimeServerSpec,
} from '../resources/index.ts';
import { cmdlineControllers } from './index.ts';

const AT = { namespace: LAYERED };

const settings = (cmdline: string): NodeSettings => ({
  stateDir: '/nowhere',
  cmdline,
  manageAll: true,
  hostFiles: false,
  leave: false,
  uuid: '',
  talosVersion: 'v1.13.9',
  root: '/nowhere',
});

async function run(
  cmdline: string,
  links: Readonly<Record<string, Partial<LinkStatus>>> = {},
  devices: Readonly<Record<string, Device>> = {},
) {
  const warnings: string[] = [];
  const note: Logger = {
    debug() {},
    info() {},
    warn: (_event, fields) => void warnings.push(String(fields?.['notice'])),
    error() {},
    with: () => note,
  };
  const controllers = cmdlineControllers({ settings: settings(cmdline) });
  await using runtime = startTestRuntime(controllers, { definitions: [LinkStatus, DeviceConfigSpec], log: note });
  for (const [name, spec] of Object.entries(links)) await runtime.put(LinkStatus, name, LinkStatus.make(spec));
  for (const [id, device] of Object.entries(devices)) await runtime.put(DeviceConfigSpec, id, device);
  await runtime.settled();
  return {
    warnings,
    links: runtime.specs(LinkSpec, AT),
    addresses: runtime.specs(AddressSpec, AT),
    routes: runtime.specs(RouteSpec, AT),
    operators: runtime.specs(OperatorSpec, AT),
    hostnames: runtime.specs(HostnameSpec, AT),
    resolvers: runtime.specs(ResolverSpec, AT),
    timeServers: runtime.specs(TimeServerSpec, AT),
  };
}

const ether: Partial<LinkStatus> = { type: 'ether', index: 2 };

describe('kernel arguments as specs', () => {
  it('a static address has its link, route, name and servers on layer cmdline', async () => {
    const found = await run('ip=10.3.4.5::10.3.4.1:255.255.255.0:node-1.lab.example:eth0:off:10.3.4.2::10.3.4.3', {
      eth0: ether,
    });
    assert.deepEqual(found.links, {
      'cmdline/eth0': LinkSpec.make({ name: 'eth0', up: true, layer: 'cmdline' }),
    });
    assert.deepEqual(Object.keys(found.addresses), ['cmdline/eth0/10.3.4.5/24']);
    assert.deepEqual(
      found.routes['cmdline/inet4/10.3.4.1//1024'],
      RouteSpec.make({
        family: 'inet4',
        gateway: '10.3.4.1',
        outLinkName: 'eth0',
        table: 'main',
        priority: 1024,
        type: 'unicast',
        protocol: 'boot',
        layer: 'cmdline',
      }),
    );
    assert.deepEqual(found.hostnames, {
      'cmdline/hostname': { hostname: 'node-1', domainname: 'lab.example', layer: 'cmdline' },
    });
    assert.deepEqual(found.resolvers['cmdline/resolvers']?.dnsServers, ['10.3.4.2']);
    assert.deepEqual(found.timeServers['cmdline/timeservers']?.timeServers, ['10.3.4.3']);
    assert.deepEqual(found.operators, {});
    assert.deepEqual(found.warnings, []);
  });

  it('a gateway outside of the network is first made reachable, and later gateways are less preferred', async () => {
    const { routes } = await run('ip=10.0.0.5::10.9.9.1::::: ip=10.1.0.5::10.1.0.1:24::eth1', {
      eth0: ether,
      eth1: ether,
    });
    const priorities = Object.entries(routes).map(([id, { dst, src, scope }]) => [id, dst, src, scope]);
    assert.deepEqual(priorities, [
      ['cmdline/inet4//10.9.9.1/32/1024', '10.9.9.1/32', '10.0.0.5', 'link'],
      ['cmdline/inet4/10.1.0.1//1025', '', '', 'global'],
      ['cmdline/inet4/10.9.9.1//1024', '', '', 'global'],
    ]);
  });

  it('a link that is not named is the first physical one, as soon as there is one', async () => {
    assert.deepEqual((await run('ip=10.3.4.5')).links, {});
    const { addresses } = await run('ip=10.3.4.5', {
      bond0: { ...ether, kind: 'bond' },
      enp5s0: ether,
      enp6s0: ether,
      lo: { type: 'loopback' },
    });
    assert.deepEqual(Object.keys(addresses), ['cmdline/enp5s0/10.3.4.5/32']);
  });

  it('links may be named by alias or alternative name', async () => {
    const { operators, links } = await run('ip=enx525400000001:dhcp', {
      eth0: { ...ether, altNames: ['enx525400000001'] },
    });
    assert.deepEqual(Object.keys(links), ['cmdline/eth0']);
    const { operator, linkName, requireUp, dhcp4 } = operators['cmdline/dhcp4/eth0'] ?? OperatorSpec.make();
    assert.deepEqual([operator, linkName, requireUp, dhcp4.routeMetric], ['dhcp4', 'eth0', true, 1024]);
  });

  it('links that the configuration says to ignore have none', async () => {
    const ignored = { interface: 'uplink', ignore: true, addresses: [], routes: [], vlans: [], mtu: 0 };
    const { links, addresses, routes, operators } = await run(
      'ip=10.0.0.5::10.0.0.1:24::eth0:dhcp ip=eth1:dhcp',
      { eth0: { ...ether, alias: 'uplink' }, eth1: ether },
      { 'uplink/000': ignored },
    );
    assert.deepEqual(Object.keys({ ...links, ...addresses, ...routes, ...operators }), [
      'cmdline/eth1',
      'cmdline/dhcp4/eth1',
    ]);
  });

  it('a bond has its links, and a VLAN on it its parent', async () => {
    const { links } = await run('bond=bond1:eth0,eth1:mode=active-backup,primary=eth1:9000 vlan=bond1.5:bond1', {
      eth0: { ...ether, index: 2 },
      eth1: { ...ether, index: 3 },
    });
    assert.deepEqual(Object.keys(links), ['cmdline/bond1', 'cmdline/bond1.5', 'cmdline/eth0', 'cmdline/eth1']);
    const bond = links['cmdline/bond1'];
    assert.deepEqual(
      [bond?.kind, bond?.logical, bond?.mtu, bond?.bondMaster.mode, bond?.bondMaster.primary],
      ['bond', true, 9000, 'active-backup', 3],
    );
    assert.deepEqual(links['cmdline/eth1']?.bondSlave, { masterName: 'bond1', slaveIndex: 1 });
    const vlan = links['cmdline/bond1.5'];
    assert.deepEqual(
      [vlan?.kind, vlan?.parentName, vlan?.vlan],
      ['vlan', 'bond1', { vlanID: 5, vlanProtocol: '802.1q' }],
    );
  });

  it('the name of talos.hostname goes before the one of ip=', async () => {
    const { hostnames } = await run('ip=10.0.0.5::::from-ip:eth0 talos.hostname=own.example');
    assert.deepEqual(hostnames['cmdline/hostname'], { hostname: 'own', domainname: 'example', layer: 'cmdline' });
  });

  it('an argument that cannot be read is said once and does not stop the others', async () => {
    const { warnings, links } = await run(
      'ip=10.0.0.999::::: bond=b:a:x=1 vlan=oops talos.hostname=-bad- ip=eth0:dhcp',
      {
        eth0: ether,
        eth1: ether,
      },
    );
    assert.deepEqual(Object.keys(links), ['cmdline/eth0']);
    assert.deepEqual(warnings, [
      'ip=10.0.0.999:::::: client "10.0.0.999" is no IP address',
      'host name "-bad-" is none',
      'bond=b:a:x=1: unknown option x',
      'vlan=oops: it names no link behind a colon',
    ]);
  });
});
