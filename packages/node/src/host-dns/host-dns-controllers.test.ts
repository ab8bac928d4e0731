import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { loadNodeConfig } from '../config/load-node-config.ts';
import { AddressSpec, AddressStatus, NodeAddress } from '../resources/addresses.ts';
import { Member } from '../resources/cluster.ts';
import { DnsCache, DnsResolveCache, DnsUpstream, HostDnsConfig } from '../resources/host-dns.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { HostnameStatus, ResolverStatus } from '../resources/names.ts';
import { planHostDns } from './host-dns-config-controller.ts';
import { parseListen } from './host-dns-settings.ts';
import { hostDnsControllers } from './index.ts';
import { hostNames, memberNames } from './local-names.ts';
import { createFakeHostDns } from './testing/fake-host-dns.ts';

const configOf = (features: string, more = ''): string =>
  `version: v1alpha1\nmachine:\n  type: worker\n  features:\n    hostDNS: ${features}\n${more}`;
const ON = configOf('{ enabled: true }');
const FORWARDING = configOf('{ enabled: true, forwardKubeDNSToHost: true }');
const BOTH_FAMILIES = `${FORWARDING}cluster:
  controlPlane: { endpoint: "https://10.0.0.1:6443" }
  network: { podSubnets: [10.244.0.0/16, "fd00:10:244::/64"] }
`;
const V6_ONLY = BOTH_FAMILIES.replace('10.244.0.0/16, ', '');

describe('what host DNS is to do', () => {
  const plans: [name: string, config: string, listen: readonly string[], v4: string, v6: string][] = [
    ['for processes of the host', ON, ['127.0.0.53:53'], '', ''],
    ['for pods, too', FORWARDING, ['127.0.0.53:53', '169.254.116.108:53'], '169.254.116.108', ''],
    [
      'for pods of both families',
      BOTH_FAMILIES,
      ['127.0.0.53:53', '169.254.116.108:53', '[fd54:616c:6f73:0:204f:5320:444e:531]:53'],
      '169.254.116.108',
      'fd54:616c:6f73:0:204f:5320:444e:531',
    ],
    [
      'for pods of IPv6 only',
      V6_ONLY,
      ['127.0.0.53:53', '[fd54:616c:6f73:0:204f:5320:444e:531]:53'],
      '',
      'fd54:616c:6f73:0:204f:5320:444e:531',
    ],
  ];
  for (const [name, text, listenAddresses, serviceHostDNSAddress, serviceHostDNSAddressV6] of plans)
    it(name, () =>
      assert.deepEqual(planHostDns(loadNodeConfig(text), false), {
        enabled: true,
        listenAddresses,
        serviceHostDNSAddress,
        resolveMemberNames: false,
        serviceHostDNSAddressV6,
      }),
    );

  const switches: [name: string, config: string | undefined, manageAll: boolean, isOn: boolean][] = [
    ['off when the configuration is silent', 'version: v1alpha1\nmachine: { type: worker }\n', true, false],
    ['off when it says so', configOf('{ enabled: false }'), true, false],
    ['on before a machine is configured', undefined, true, true],
    ['off on a host of somebody else that is not configured', undefined, false, false],
    [
      'on when a ResolverConfig says so',
      'apiVersion: v1alpha1\nkind: ResolverConfig\nhostDNS: { enabled: true }\n',
      false,
      true,
    ],
  ];
  for (const [name, text, manageAll, isOn] of switches)
    it(name, () => {
      const config = text === undefined ? undefined : loadNodeConfig(text);
      assert.equal(planHostDns(config, manageAll).enabled, isOn);
    });
});

describe('names that need no server', () => {
  it('members are known by host name and id, in full and by their first label', () =>
    assert.deepEqual(
      memberNames([
        { names: ['Node-1.Example.', 'id-1'], addresses: ['10.0.0.1', 'fd00::1'] },
        { names: ['node-1', 'id-2'], addresses: ['10.0.0.2'] },
      ]),
      new Map([
        ['node-1.example', ['10.0.0.1', 'fd00::1']],
        ['node-1', ['10.0.0.1', 'fd00::1']],
        ['id-1', ['10.0.0.1', 'fd00::1']],
        ['id-2', ['10.0.0.2']],
      ]),
    ));

  it('names of the hosts file have all their addresses, in lower case, and localhost is one', () =>
    assert.deepEqual(
      hostNames([
        { address: '10.0.0.5', names: ['Registry.Local', 'r'] },
        { address: 'fd00::5', names: ['registry.local.'] },
      ]),
      new Map([
        ['registry.local', ['10.0.0.5', 'fd00::5']],
        ['r', ['10.0.0.5']],
        ['localhost', ['127.0.0.1', '::1']],
      ]),
    ));

  it('addresses to listen on are read', () => {
    assert.deepEqual(parseListen('127.0.0.53:53'), [{ host: '127.0.0.53', port: 53 }]);
    assert.deepEqual(parseListen('[fd00::1]:53'), [{ host: 'fd00::1', port: 53 }]);
    assert.deepEqual(parseListen('rubbish'), []);
  });
});

describe('host DNS', () => {
  const start = (onConfigured = () => {}) => {
    const dns = createFakeHostDns();
    const settings = {
      ...{ stateDir: '/nowhere', cmdline: '', hostFiles: false, leave: false, uuid: '', talosVersion: 'v1.13.9' },
      ...{ manageAll: false, root: '/nowhere' },
    };
    const definitions = [MachineConfig, ResolverStatus, HostnameStatus, NodeAddress, AddressStatus, Member];
    return { dns, runtime: startTestRuntime(hostDnsControllers({ settings }, dns, { onConfigured }), { definitions }) };
  };
  const resolvers = (...dnsServers: readonly string[]) => ResolverStatus.make({ dnsServers });

  it('listens, asks the resolvers in their order, and shows both', async () => {
    const { dns, runtime } = start();
    await using _ = runtime;
    await runtime.put(ResolverStatus, 'resolvers', resolvers('10.0.0.1', 'fd00::1'));
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(ON));
    await runtime.advance(1_000);
    const last = dns.settings.at(-1);
    assert.deepEqual(last?.listen, [{ host: '127.0.0.53', port: 53 }]);
    assert.equal(last?.hopLimit, 1);
    assert.deepEqual(
      last?.upstreams.map(({ address }) => address),
      ['10.0.0.1', 'fd00::1'],
    );
    assert.deepEqual(runtime.specs(DnsResolveCache), {
      'tcp-127.0.0.53:53': { status: 'running' },
      'udp-127.0.0.53:53': { status: 'running' },
    });
    const more = { protocol: '', tlsServerName: '' };
    assert.deepEqual(runtime.specs(DnsUpstream), {
      '#000 10.0.0.1': { healthy: 'true', addr: '10.0.0.1:53', ...more },
      '#001 fd00::1': { healthy: 'true', addr: '[fd00::1]:53', ...more },
    });
  });

  it('serves pods at an address of its own, with answers that may travel one hop further', async () => {
    const { dns, runtime } = start();
    await using _ = runtime;
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(BOTH_FAMILIES));
    await runtime.advance(1_000);
    assert.equal(dns.settings.at(-1)?.hopLimit, 2);
    // An address that the host does not have yet is waited for.
    assert.deepEqual(dns.settings.at(-1)?.listen, [{ host: '127.0.0.53', port: 53 }]);
    assert.equal(
      runtime.specs(DnsResolveCache)['udp-169.254.116.108:53']?.status,
      'waits for the address 169.254.116.108',
    );
    for (const address of ['169.254.116.108/32', 'fd54:616c:6f73:0:204f:5320:444e:531/128']) {
      await runtime.put(AddressStatus, `lo/${address}`, AddressStatus.make({ address }));
    }
    assert.equal(dns.settings.at(-1)?.listen.length, 3);
    assert.deepEqual(Object.keys(runtime.specs(DnsResolveCache)), [
      'tcp-127.0.0.53:53',
      'tcp-169.254.116.108:53',
      'tcp6-[fd54:616c:6f73:0:204f:5320:444e:531]:53',
      'udp-127.0.0.53:53',
      'udp-169.254.116.108:53',
      'udp6-[fd54:616c:6f73:0:204f:5320:444e:531]:53',
    ]);
    const lo = { linkName: 'lo', flags: 0x80, layer: 'operator' as const };
    const v6 = 'fd54:616c:6f73:0:204f:5320:444e:531/128';
    assert.deepEqual(runtime.specs(AddressSpec, { namespace: LAYERED }), {
      'operator/lo/169.254.116.108/32': AddressSpec.make({
        ...{ ...lo, address: '169.254.116.108/32', family: 'inet4', scope: 'host' },
      }),
      [`operator/lo/${v6}`]: AddressSpec.make({ ...lo, address: v6, family: 'inet6', scope: 'global' }),
    });
  });

  it('stops when it is switched off, and takes its address away', async () => {
    const { dns, runtime } = start();
    await using _ = runtime;
    await runtime.put(ResolverStatus, 'resolvers', resolvers('10.0.0.1'));
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(FORWARDING));
    await runtime.advance(1_000);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(configOf('{ enabled: false }')));
    await runtime.advance(1_000);
    assert.deepEqual(dns.settings.at(-1)?.listen, []);
    assert.deepEqual(
      [runtime.specs(DnsResolveCache), runtime.specs(DnsUpstream), runtime.specs(DnsCache)],
      [{}, {}, {}],
    );
    assert.deepEqual(runtime.specs(AddressSpec, { namespace: LAYERED }), {});
    assert.equal(runtime.specs(HostDnsConfig)['config']?.enabled, false);
  });

  it('tells why it cannot listen, and of servers that do not answer', async () => {
    const { dns, runtime } = start();
    await using _ = runtime;
    await runtime.put(ResolverStatus, 'resolvers', resolvers('10.0.0.1', '10.0.0.2'));
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(ON));
    dns.refuse('127.0.0.53', 'EADDRINUSE: dnsmasq (pid 71) has it');
    dns.setHealthy('10.0.0.1', false);
    await runtime.advance(1_000);
    assert.equal(runtime.specs(DnsResolveCache)['udp-127.0.0.53:53']?.status, 'EADDRINUSE: dnsmasq (pid 71) has it');
    const healthy = Object.values(runtime.specs(DnsUpstream)).map((upstream) => upstream.healthy);
    assert.deepEqual(healthy, ['false', 'true']);
    dns.refuse('127.0.0.53', undefined);
    dns.setHealthy('10.0.0.1', true);
    await runtime.advance(1_000);
    assert.equal(runtime.specs(DnsResolveCache)['udp-127.0.0.53:53']?.status, 'running');
    assert.equal(runtime.specs(DnsUpstream)['#000 10.0.0.1']?.healthy, 'true');
  });

  it('asks servers as the configuration says, and those of single domains for these', async () => {
    const { dns, runtime } = start();
    await using _ = runtime;
    await runtime.put(ResolverStatus, 'resolvers', resolvers('10.0.0.2', '10.0.0.3'));
    await runtime.put(
      MachineConfig,
      ACTIVE_CONFIG,
      loadNodeConfig(`apiVersion: v1alpha1
kind: ResolverConfig
nameservers: [{ address: 10.0.0.2, protocol: DoT, tlsServerName: dns.example }]
hostDNS: { enabled: true }
domains:
  - name: corp.example
    nameservers: [{ address: 10.1.0.1 }]
`),
    );
    await runtime.advance(1_000);
    const corp = { address: '10.1.0.1', port: 53, protocol: 'Do53' };
    assert.deepEqual(dns.settings.at(-1)?.upstreams, [
      { address: '10.0.0.2', port: 853, protocol: 'DoT', tlsServerName: 'dns.example' },
      { address: '10.0.0.3', port: 53, protocol: 'Do53' },
    ]);
    assert.deepEqual(dns.settings.at(-1)?.domains, new Map([['corp.example', [corp]]]));
    assert.deepEqual(runtime.specs(DnsUpstream), {
      '#000 DoT 10.0.0.2': { healthy: 'true', addr: '10.0.0.2:853', protocol: 'DoT', tlsServerName: 'dns.example' },
      '#001 10.0.0.3': { healthy: 'true', addr: '10.0.0.3:53', protocol: '', tlsServerName: '' },
      'corp.example #000 10.1.0.1': { healthy: 'true', addr: '10.1.0.1:53', protocol: '', tlsServerName: '' },
    });
  });

  it('says when the server was told of the configuration, not before', async () => {
    let times = 0;
    const { dns, runtime } = start(() => {
      times += 1;
    });
    await using _ = runtime;
    await runtime.put(ResolverStatus, 'resolvers', resolvers('10.0.0.1'));
    await runtime.advance(1_000);
    assert.equal(times, 0);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(ON));
    await runtime.advance(1_000);
    assert.ok(times > 0);
    assert.equal(dns.settings.at(-1)?.listen.length, 1);
  });

  it('knows members when it is to, static hosts, and its own name', async () => {
    const { dns, runtime } = start();
    await using _ = runtime;
    const member = Member.make({ hostname: 'node-2', addresses: ['10.0.0.2'] });
    await runtime.put(Member, 'id-2', member);
    await runtime.put(HostnameStatus, 'hostname', { hostname: 'Node-1', domainname: 'example' });
    await runtime.put(NodeAddress, 'default', NodeAddress.make({ addresses: ['10.0.0.1/24', 'fd00::1/64'] }));
    const hosts = '  network:\n    extraHostEntries: [{ ip: 10.9.0.1, aliases: [registry.local] }]\n';
    await runtime.put(
      MachineConfig,
      ACTIVE_CONFIG,
      loadNodeConfig(`${ON}${hosts}---
apiVersion: v1alpha1
kind: StaticHostConfig
name: 10.9.0.2
hostnames: [mirror.local]
`),
    );
    await runtime.advance(1_000);
    assert.deepEqual(dns.settings.at(-1)?.members, new Map());
    assert.deepEqual(
      dns.settings.at(-1)?.staticHosts,
      new Map([
        ['registry.local', ['10.9.0.1']],
        ['mirror.local', ['10.9.0.2']],
        ['node-1.example', ['10.0.0.1', 'fd00::1']],
        ['node-1', ['10.0.0.1', 'fd00::1']],
        ['localhost', ['127.0.0.1', '::1']],
      ]),
    );
    await runtime.put(
      MachineConfig,
      ACTIVE_CONFIG,
      loadNodeConfig(configOf('{ enabled: true, resolveMemberNames: true }')),
    );
    await runtime.advance(1_000);
    assert.deepEqual(
      dns.settings.at(-1)?.members,
      new Map([
        ['node-2', ['10.0.0.2']],
        ['id-2', ['10.0.0.2']],
      ]),
    );
  });

  it('shows the counters of its cache every few seconds, and writes nothing while they stay', async () => {
    const { dns, runtime } = start();
    await using _ = runtime;
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(ON));
    dns.count({ hits: 7, misses: 3, positive: 2, negative: 1 });
    await runtime.advance(5_000);
    assert.deepEqual(runtime.specs(DnsCache), {
      host: { entries: 3, negative: 1, hits: 7, misses: 3, coalesced: 0, stale: 0, failures: 0, dropped: 0 },
    });
    const version = runtime.state.get(DnsCache, 'host')?.metadata.version;
    await runtime.advance(20_000);
    assert.equal(runtime.state.get(DnsCache, 'host')?.metadata.version, version);
  });
});
