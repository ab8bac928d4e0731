import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { createFakeClock, silentLog, until } from '@bloomery/ports';
import { loadNodeConfig } from '../config/load-node-config.ts';
import { createEtcFiles, type EtcFiles } from '../network-status/etc-files.ts';
import { resolverControllers } from '../resolvers/index.ts';
import { NodeAddress } from '../resources/addresses.ts';
import { DnsResolveCache, HostDnsConfig } from '../resources/host-dns.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { HostnameStatus, ResolverStatus } from '../resources/names.ts';
import { appendHosts, renderHosts } from './hosts-file.ts';
import { createHostFileKeeper, ETC_FILES, fileControllers, type HostFileKeeper } from './index.ts';
import { renderResolvConf } from './resolv-conf.ts';

const DEFINITIONS = [MachineConfig, HostnameStatus, NodeAddress, ResolverStatus, HostDnsConfig, DnsResolveCache];
const HOST_DNS = HostDnsConfig.make({ enabled: true, listenAddresses: ['127.0.0.53:53'] });
const EXTRA = `version: v1alpha1
machine:
  type: worker
  network:
    extraHostEntries:
      - { ip: 10.9.0.1, aliases: [registry.local, mirror.local] }
`;
const NAMESERVERS = 'version: v1alpha1\nmachine: { type: worker, network: { nameservers: [10.0.0.1] } }\n';

describe('the text of files', () => {
  it('resolv.conf names three servers at most', () =>
    assert.equal(
      renderResolvConf(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'], ['a.example', 'b.example']),
      'nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n\nsearch a.example b.example\n',
    ));
  it('resolv.conf has no search line without domains', () =>
    assert.equal(renderResolvConf(['127.0.0.53'], []), 'nameserver 127.0.0.53\n'));
  it('hosts has the machine’s names, and further ones by address', () =>
    assert.equal(
      renderHosts({ address: '10.5.0.2', names: ['foo.example.com', 'foo'] }, [
        { address: '10.9.0.2', names: ['b'] },
        { address: '10.9.0.1', names: ['a'] },
        { address: '10.9.0.2', names: ['c', 'd'] },
      ]),
      [
        '127.0.0.1 localhost',
        '10.5.0.2  foo.example.com foo',
        '::1       localhost ip6-localhost ip6-loopback',
        'ff02::1   ip6-allnodes',
        'ff02::2   ip6-allrouters',
        '10.9.0.1  a',
        '10.9.0.2  b c d',
        '',
      ].join('\n'),
    ));
  it('hosts takes as many names and addresses as a configuration can have', () => {
    const name = (i: number): string => `n${i}`;
    const names = Array.from({ length: 150_000 }, (_, i) => ({ address: '10.9.0.1', names: [name(i)] }));
    const addresses = Array.from({ length: 150_000 }, (_, i) => ({ address: `fd00::${i.toString(16)}`, names: ['x'] }));
    const lines = appendHosts('', [...names, ...addresses]).split('\n');
    assert.equal(lines.length, 1 + 1 + 150_000 + 1);
    assert.equal(lines[1]?.split(' ').at(-1), 'n149999');
  });
  it('hosts of somebody else is kept, with further names behind it', () =>
    assert.equal(
      appendHosts('127.0.0.1 localhost\n127.0.1.1 laptop', [{ address: '10.9.0.1', names: ['a', 'b'] }]),
      '127.0.0.1 localhost\n127.0.1.1 laptop\n# Added by bloomery node; taken out again when it stops.\n10.9.0.1 a b\n',
    ));
});

describe('files of the host', () => {
  let folder: string;
  let root: string;
  let keeper: HostFileKeeper;
  let etcFiles: EtcFiles;
  const clock = createFakeClock(0);
  const text = (name: string): string => readFileSync(join(root, 'etc', name), 'utf8');
  const start = (manageAll: boolean, hostFiles = true) => {
    keeper = createHostFileKeeper({ root, stateDir: join(folder, 'state'), enabled: hostFiles, log: silentLog });
    etcFiles = createEtcFiles(hostFiles ? ETC_FILES : []);
    const settings = {
      ...{ stateDir: join(folder, 'state'), cmdline: '', leave: false, uuid: '', talosVersion: 'v1.13.9' },
      ...{ manageAll, hostFiles, root },
    };
    const controllers = fileControllers({ clock, settings }, { files: keeper, etcFiles });
    return startTestRuntime(controllers, { definitions: DEFINITIONS, clock });
  };
  const resolvers = ResolverStatus.make({ dnsServers: ['10.0.0.1', '10.0.0.2'], searchDomains: ['lab.example'] });
  const answering = { status: 'running' };
  const LOCAL = 'udp-127.0.0.53:53';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'blm-etc-'));
    root = join(folder, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    writeFileSync(join(root, 'etc/resolv.conf'), 'nameserver 192.0.2.1\n');
    writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n127.0.1.1 laptop\n');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are written as on Talos when all is managed, and put back', async () => {
    const runtime = start(true);
    assert.equal(etcFiles.isReady(), false);
    await runtime.put(ResolverStatus, 'resolvers', resolvers);
    await runtime.put(HostnameStatus, 'hostname', { hostname: 'node-1', domainname: '' });
    await runtime.put(NodeAddress, 'default', NodeAddress.make({ addresses: ['10.5.0.2/24'] }));
    assert.equal(text('resolv.conf'), 'nameserver 10.0.0.1\nnameserver 10.0.0.2\n\nsearch lab.example\n');
    assert.match(text('hosts'), /^127\.0\.0\.1 localhost\n10\.5\.0\.2 {2}node-1\n/);
    assert.equal(etcFiles.isReady(), true);
    await runtime[Symbol.asyncDispose]();
    await keeper.restore();
    assert.equal(text('resolv.conf'), 'nameserver 192.0.2.1\n');
    assert.equal(text('hosts'), '127.0.0.1 localhost\n127.0.1.1 laptop\n');
  });

  it('name the local server only while it answers', async () => {
    await using runtime = start(true);
    await runtime.put(ResolverStatus, 'resolvers', resolvers);
    await runtime.put(HostDnsConfig, 'config', HOST_DNS);
    assert.match(text('resolv.conf'), /^nameserver 10\.0\.0\.1\n/);
    await runtime.put(DnsResolveCache, LOCAL, answering);
    assert.equal(text('resolv.conf'), 'nameserver 127.0.0.53\n\nsearch lab.example\n');
    await runtime.put(DnsResolveCache, LOCAL, { status: 'EADDRINUSE' });
    assert.match(text('resolv.conf'), /^nameserver 10\.0\.0\.1\n/);
  });

  it('stay as they are on a host of somebody else while the configuration says nothing of them', async () => {
    await using runtime = start(false);
    await runtime.put(ResolverStatus, 'resolvers', resolvers);
    await runtime.put(HostnameStatus, 'hostname', { hostname: 'node-1', domainname: '' });
    assert.equal(text('resolv.conf'), 'nameserver 192.0.2.1\n');
    assert.equal(text('hosts'), '127.0.0.1 localhost\n127.0.1.1 laptop\n');
    assert.equal(etcFiles.isReady(), true);
  });

  it('get what the configuration names on a host of somebody else, and lose it again', async () => {
    await using runtime = start(false);
    await runtime.put(ResolverStatus, 'resolvers', resolvers);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(EXTRA));
    assert.match(text('hosts'), /127\.0\.1\.1 laptop\n# Added.*\n10\.9\.0\.1 registry\.local mirror\.local\n$/);
    assert.equal(text('resolv.conf'), 'nameserver 192.0.2.1\n');
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(NAMESERVERS));
    assert.equal(text('hosts'), '127.0.0.1 localhost\n127.0.1.1 laptop\n');
    assert.match(text('resolv.conf'), /^nameserver 10\.0\.0\.1\n/);
    await runtime.put(HostDnsConfig, 'config', HOST_DNS);
    await runtime.put(DnsResolveCache, LOCAL, answering);
    assert.match(text('resolv.conf'), /^nameserver 127\.0\.0\.53\n/);
  });

  it('are written again when somebody else wrote them', async () => {
    await using runtime = start(true);
    await runtime.put(ResolverStatus, 'resolvers', resolvers);
    writeFileSync(join(root, 'etc/resolv.conf'), 'nameserver 203.0.113.1\n');
    await until('the file is written again', async () => {
      await runtime.advance(1_000);
      return text('resolv.conf').startsWith('nameserver 10.0.0.1\n');
    });
    assert.equal(String(await keeper.original('/etc/resolv.conf')), 'nameserver 203.0.113.1\n');
  });

  it('that another program writes tell whom the host asks', async () => {
    keeper = createHostFileKeeper({ root, stateDir: join(folder, 'state'), enabled: true, log: silentLog });
    const settings = {
      ...{ stateDir: join(folder, 'state'), cmdline: '', leave: false, uuid: '', talosVersion: 'v1.13.9' },
      ...{ manageAll: false, hostFiles: true, root },
    };
    const environment = { clock, settings };
    await using runtime = startTestRuntime(
      [
        ...resolverControllers(environment, keeper),
        ...fileControllers(environment, { files: keeper, etcFiles: createEtcFiles(ETC_FILES) }),
      ],
      { definitions: DEFINITIONS, clock },
    );
    await runtime.put(HostDnsConfig, 'config', HOST_DNS);
    await runtime.put(DnsResolveCache, LOCAL, answering);
    assert.equal(text('resolv.conf'), 'nameserver 127.0.0.53\n');
    writeFileSync(join(root, 'etc/resolv.conf'), 'nameserver 203.0.113.1\nsearch new.example\n');
    await until('host DNS stands in the file again, and the new server is asked', async () => {
      await runtime.advance(1_000);
      const asked = runtime.specs(ResolverStatus)['resolvers']?.dnsServers;
      return asked?.[0] === '203.0.113.1' && text('resolv.conf') === 'nameserver 127.0.0.53\n\nsearch new.example\n';
    });
  });

  it('are not touched when they may not be, but pods have theirs', async () => {
    await using runtime = start(true, false);
    await runtime.put(ResolverStatus, 'resolvers', resolvers);
    await runtime.put(HostDnsConfig, 'config', { ...HOST_DNS, serviceHostDNSAddress: '169.254.116.108' });
    assert.equal(text('resolv.conf'), 'nameserver 192.0.2.1\n');
    assert.equal(text('hosts'), '127.0.0.1 localhost\n127.0.1.1 laptop\n');
    assert.equal(existsSync(join(folder, 'state/host-files')), false);
    assert.equal(
      readFileSync(join(folder, 'state/resolved/resolv.conf'), 'utf8'),
      'nameserver 169.254.116.108\n\nsearch lab.example\n',
    );
    assert.equal(etcFiles.isReady(), true);
  });

  it('that cannot be written are told of, and the others are written', async () => {
    rmSync(join(root, 'etc/resolv.conf'));
    mkdirSync(join(root, 'etc/resolv.conf'));
    await using runtime = start(true);
    await runtime.put(ResolverStatus, 'resolvers', resolvers);
    await runtime.advance(1_000);
    assert.match(text('hosts'), /ip6-allrouters/);
    assert.equal(etcFiles.isReady(), false);
    rmSync(join(root, 'etc/resolv.conf'), { recursive: true });
    await runtime.advance(5_000);
    assert.match(text('resolv.conf'), /^nameserver 10\.0\.0\.1\n/);
    assert.equal(etcFiles.isReady(), true);
  });
});
