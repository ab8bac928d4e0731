import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { createFakeClock } from '@bloomery/ports';
import fc from 'fast-check';
import { loadNodeConfig, readNodeConfig } from '../config/load-node-config.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { HostnameStatus, ResolverSpec, ResolverStatus } from '../resources/names.ts';
import { parseResolvConf } from './host-resolvers.ts';
import { resolverControllers } from './index.ts';
import { resolverSection } from './resolver-section.ts';

const LEGACY = `
version: v1alpha1
machine:
  type: worker
  features:
    hostDNS: { enabled: true, forwardKubeDNSToHost: true }
  network:
    nameservers: [9.9.9.9, "2620:fe::9"]
    searchDomains: [a.example]
    disableSearchDomain: true
`;
const DOCUMENT = `
apiVersion: v1alpha1
kind: ResolverConfig
nameservers:
  - address: 10.0.0.1
  - address: 10.0.0.2
    protocol: DoT
    tlsServerName: dns.example
searchDomains:
  domains: [b.example]
  disableDefault: true
hostDNS:
  enabled: true
  resolveMemberNames: true
domains:
  - name: Corp.Example.
    nameservers:
      - address: 10.1.0.1
`;
const NO_RESOLVERS = 'version: v1alpha1\nmachine: { type: worker }\n';

describe('what a configuration says of resolvers', () => {
  it('reads machine.network and machine.features.hostDNS', () =>
    assert.deepEqual(resolverSection(loadNodeConfig(LEGACY)), {
      servers: [
        { address: '9.9.9.9', port: 53, protocol: 'Do53' },
        { address: '2620:fe::9', port: 53, protocol: 'Do53' },
      ],
      searchDomains: ['a.example'],
      isDefaultSearchOff: true,
      hostDns: { enabled: true, forwardKubeDNSToHost: true },
      domains: new Map(),
    }));

  it('reads ResolverConfig documents', () =>
    assert.deepEqual(resolverSection(loadNodeConfig(DOCUMENT)), {
      servers: [
        { address: '10.0.0.1', port: 53, protocol: 'Do53' },
        { address: '10.0.0.2', port: 853, protocol: 'DoT', tlsServerName: 'dns.example' },
      ],
      searchDomains: ['b.example'],
      isDefaultSearchOff: true,
      hostDns: { enabled: true, resolveMemberNames: true },
      domains: new Map([['corp.example', [{ address: '10.1.0.1', port: 53, protocol: 'Do53' }]]]),
    }));

  it('keeps the link of a link-local server, without which nobody reaches it', () => {
    const servers = (...nameservers: readonly string[]) =>
      resolverSection(
        readNodeConfig(`machine: { type: worker, network: { nameservers: ${JSON.stringify(nameservers)} } }`),
      ).servers.map(({ address }) => address);
    assert.deepEqual(servers('FE80::0:1%eth0', 'fe80::2'), ['fe80::1%eth0', 'fe80::2']);
    assert.deepEqual(servers('10.0.0.1%eth0', 'fe80::1%', 'fe80::1%a b', 'fe80::1%a%b', 'fe80::1%a\nsearch x'), []);
    assert.deepEqual(parseResolvConf('nameserver fe80::1%eth0\n').servers, ['fe80::1%eth0']);
  });

  it('is empty without a configuration', () =>
    assert.deepEqual(resolverSection(undefined), {
      servers: [],
      searchDomains: [],
      isDefaultSearchOff: false,
      hostDns: {},
      domains: new Map(),
    }));
});

describe('resolv.conf', () => {
  it('is read as the C library reads it', () =>
    assert.deepEqual(
      parseResolvConf(
        '# a comment\nnameserver 192.0.2.1\n\tnameserver 2001:db8::1 \nnameserver rubbish\ndomain a.example\nsearch b.example c.example\noptions edns0\n',
      ),
      { servers: ['192.0.2.1', '2001:db8::1'], searchDomains: ['b.example', 'c.example'] },
    ));

  it('may hold anything', () => {
    fc.assert(fc.property(fc.string({ maxLength: 500 }), (text) => Array.isArray(parseResolvConf(text).servers)));
  });
});

describe('resolvers of a host', () => {
  const start = (manageAll: boolean, files: Readonly<Record<string, string>> = {}) => {
    const settings = {
      ...{ stateDir: '/nowhere', cmdline: '', hostFiles: false, leave: false, uuid: '', talosVersion: 'v1.13.9' },
      ...{ manageAll, root: '/nowhere' },
    };
    const keeper = {
      original: async (path: string) => (files[path] === undefined ? undefined : Buffer.from(files[path])),
    };
    return startTestRuntime(resolverControllers({ clock: createFakeClock(0), settings }, keeper), {
      definitions: [MachineConfig, HostnameStatus],
    });
  };
  const statusOf = (runtime: ReturnType<typeof start>) => runtime.specs(ResolverStatus)['resolvers'];

  it('are those of Talos when all is managed and nobody names others', async () => {
    await using runtime = start(true);
    await runtime.settled();
    assert.deepEqual(statusOf(runtime), { dnsServers: ['1.1.1.1', '8.8.8.8'], searchDomains: [] });
  });

  it('are its own when only what the configuration names is managed', async () => {
    await using runtime = start(false, { '/etc/resolv.conf': 'nameserver 192.0.2.1\nsearch own.example\n' });
    await runtime.settled();
    assert.deepEqual(statusOf(runtime), { dnsServers: ['192.0.2.1'], searchDomains: ['own.example'] });
  });

  it('are those that systemd-resolved asks where its stub stands in resolv.conf', async () => {
    await using runtime = start(false, {
      '/etc/resolv.conf': 'nameserver 127.0.0.53\noptions edns0 trust-ad\n',
      '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.9\nsearch lan\n',
    });
    await runtime.settled();
    assert.deepEqual(statusOf(runtime), { dnsServers: ['192.0.2.9'], searchDomains: [] });
  });

  it('are those of the configuration, and go back when it names none', async () => {
    await using runtime = start(true);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(LEGACY));
    assert.deepEqual(statusOf(runtime), { dnsServers: ['9.9.9.9', '2620:fe::9'], searchDomains: ['a.example'] });
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(NO_RESOLVERS));
    assert.deepEqual(statusOf(runtime), { dnsServers: ['1.1.1.1', '8.8.8.8'], searchDomains: [] });
    assert.deepEqual(Object.keys(runtime.specs(ResolverSpec, { namespace: LAYERED })), ['default/resolvers']);
  });

  it('search the domain of the host name, unless the configuration says not to', async () => {
    await using runtime = start(true);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(NO_RESOLVERS));
    await runtime.put(HostnameStatus, 'hostname', { hostname: 'node-1', domainname: 'lab.example' });
    assert.deepEqual(statusOf(runtime)?.searchDomains, ['lab.example']);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(DOCUMENT));
    assert.deepEqual(statusOf(runtime), { dnsServers: ['10.0.0.1', '10.0.0.2'], searchDomains: ['b.example'] });
  });

  it('do not exist where there are none', async () => {
    await using runtime = start(false);
    await runtime.settled();
    assert.equal(statusOf(runtime), undefined);
  });
});
