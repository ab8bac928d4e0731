import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { until } from '@bloomery/ports';
import {
  BLOOMERY,
  makeNodeNamespace,
  type NodeNamespace,
  type NodeProcess,
  startNode,
  TALOSCTL,
  whyNoNodeNamespace,
} from '../testing/node-process.ts';

const skip = TALOSCTL.missing || whyNoNodeNamespace() || whyNoPrograms();

function whyNoPrograms(): string | false {
  try {
    execFileSync('which', ['dnsmasq', 'dig'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs dnsmasq and dig';
  }
}

const FIRST = '127.0.0.2';
const SECOND = '127.0.0.3';
const CORP = '127.0.0.4';
const POD_ADDRESS = '169.254.116.108';

const CONFIG = `version: v1alpha1
machine:
  type: worker
  network:
    extraHostEntries:
      - ip: 10.9.0.1
        aliases: [registry.local]
---
apiVersion: v1alpha1
kind: ResolverConfig
nameservers:
  - address: ${FIRST}
  - address: ${SECOND}
hostDNS:
  enabled: true
  forwardKubeDNSToHost: true
domains:
  - name: corp.example
    nameservers:
      - address: ${CORP}
`;

let namespace: NodeNamespace;
let pod: NodeNamespace;
const servers = new Map<string, ChildProcess>();

/** A dnsmasq that answers for every name below example, each at an address that tells which one it is. */
async function startUpstream(address: string): Promise<void> {
  const answer = `--address=/example/192.0.2.${address.slice(-1)}`;
  // Debugging mode (-d) would serve nobody else while a connection is open.
  const flags = [
    '--keep-in-foreground',
    '--user=root',
    '--no-resolv',
    '--no-hosts',
    '--pid-file=',
    '--bind-interfaces',
  ];
  const command = ['netns', 'exec', namespace.name, 'dnsmasq', ...flags, `--listen-address=${address}`, answer];
  // A group of its own: it forks for connections.
  const child = spawn('ip', command, { stdio: 'ignore', detached: true });
  servers.set(address, child);
  await until(`dnsmasq answers at ${address}`, () => dig(address, 'ready.example') !== '', { deadlineMs: 20_000 });
}

async function stopUpstream(address: string): Promise<void> {
  const child = servers.get(address);
  if (child?.pid === undefined) return;
  servers.delete(address);
  const isOver = child.exitCode !== null || child.signalCode !== null;
  const ended = isOver ? Promise.resolve() : new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid, 'SIGKILL');
  await ended;
}

/** Answers of a server, one a line; empty: none. */
function dig(server: string, name: string, { of = namespace, more = [] as readonly string[] } = {}): string {
  try {
    return of.run('dig', '+short', '+time=3', '+tries=1', `@${server}`, name, ...more).trim();
  } catch {
    return '';
  }
}

const wait = (what: string, ask: () => boolean | undefined): Promise<boolean> =>
  until(what, ask, { deadlineMs: 20_000 });

const rows = (node: NodeProcess, ...args: readonly string[]): readonly string[] => {
  const { code, stdout, stderr } = node.talosctl(['get', ...args]);
  assert.equal(code, 0, stderr);
  return stdout
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/\s+/g, ' '));
};

describe('host DNS of a daemon', { skip, timeout: 120_000 }, () => {
  let node: NodeProcess;

  before(async () => {
    namespace = makeNodeNamespace(['eth0']);
    pod = makeNodeNamespace([]);
    const ip = (...args: readonly string[]): void => void execFileSync('ip', args);
    ip('-n', namespace.name, 'link', 'add', 'pod0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.name);
    for (const [of, link, address] of [
      [namespace, 'pod0', '10.88.0.1/24'],
      [pod, 'eth0', '10.88.0.2/24'],
    ] as const) {
      ip('-n', of.name, 'address', 'add', address, 'dev', link);
      ip('-n', of.name, 'link', 'set', link, 'up');
    }
    ip('-n', pod.name, 'route', 'add', 'default', 'via', '10.88.0.1');
    for (const address of [FIRST, SECOND, CORP]) await startUpstream(address);
    node = await startNode(namespace, { config: CONFIG });
    await wait('pods are served', () => rows(node, 'dnsresolvecaches').every((row) => row.endsWith('running')));
  });
  after(async () => {
    await node?.stop();
    node?.clean();
    for (const address of [...servers.keys()]) await stopUpstream(address);
    namespace?.end();
    pod?.end();
  });

  it('answers processes of the host over UDP and TCP', () => {
    assert.equal(dig('127.0.0.53', 'www.example'), '192.0.2.2');
    assert.equal(dig('127.0.0.53', 'tcp.example', { more: ['+tcp'] }), '192.0.2.2');
  });

  it('knows the hosts of the configuration', () => {
    assert.equal(dig('127.0.0.53', 'Registry.Local'), '10.9.0.1');
    assert.deepEqual(dig('127.0.0.53', 'localhost'), '127.0.0.1');
  });

  it('asks the servers of a domain for the names of that domain', () => {
    assert.equal(dig('127.0.0.53', 'www.corp.example'), '192.0.2.4');
    assert.equal(dig('127.0.0.53', 'corp.example'), '192.0.2.4');
    assert.equal(dig('127.0.0.53', 'notcorp.example'), '192.0.2.2');
  });

  it('answers a pod in its own network namespace', () => {
    assert.equal(dig(POD_ADDRESS, 'pod.example', { of: pod }), '192.0.2.2');
    assert.equal(dig(POD_ADDRESS, 'registry.local', { of: pod, more: ['+tcp'] }), '10.9.0.1');
  });

  it('gives pods a resolv.conf of their own', () =>
    assert.match(readFileSync(join(node.dir, 'resolved/resolv.conf'), 'utf8'), /^nameserver 169\.254\.116\.108\n/));

  it('shows what it does to talosctl', () => {
    assert.deepEqual(
      rows(node, 'dnsupstreams').map((row) => row.replace(/ \d+ (true|false) /, ' $1 ')),
      [
        `127.0.0.1 network DNSUpstream #000 ${FIRST} true ${FIRST}:53`,
        `127.0.0.1 network DNSUpstream #001 ${SECOND} true ${SECOND}:53`,
        `127.0.0.1 network DNSUpstream corp.example #000 ${CORP} true ${CORP}:53`,
      ],
    );
    const listeners = rows(node, 'dnsresolvecache').map((row) => row.split(' ').at(3));
    const transports = ['tcp', 'udp'].flatMap((name) => [`${name}-127.0.0.53:53`, `${name}-${POD_ADDRESS}:53`]);
    assert.deepEqual(listeners, transports.sort());
    assert.match(rows(node, 'hostdnsconfigs')[0] ?? '', /HostDNSConfig config \d+ true$/);
    assert.match(rows(node, 'resolvers')[0] ?? '', /\["127\.0\.0\.2","127\.0\.0\.3"\]/);
    const spec = node.talosctl(['get', 'hostdnsconfig', 'config', '-o', 'yaml']).stdout;
    assert.match(spec, /serviceHostDNSAddress: 169\.254\.116\.108/);
  });

  it('counts hits of its cache', async () => {
    for (let i = 0; i < 20; i++) dig('127.0.0.53', 'counted.example');
    await wait('the hits are counted', () => Number(rows(node, 'dnscaches')[0]?.split(' ').at(6)) >= 19);
  });

  it('says on the command line which cache or server answered', () => {
    const query = (...args: readonly string[]): string => namespace.run(BLOOMERY, 'dns', 'query', ...args);
    assert.match(
      query('traced.example', '--trace'),
      /answered by upstream 127\.0\.0\.2:53 in .*\n {2}\+0 ms +127\.0\.0\.2:53 /,
    );
    assert.match(query('traced.example', '--trace'), /answered from the cache, \d+ s old in /);
    assert.match(query('registry.local', '--trace'), /answered from the hosts of the configuration/);
    assert.match(query('a.corp.example', '--trace'), /answered by upstream 127\.0\.0\.4:53 of domain corp\.example/);
    const { answers, trace } = JSON.parse(query('traced.example', '--trace', '--json'));
    assert.equal(answers[0].data, '192.0.2.2');
    assert.equal(trace.answeredBy, 'cache');
  });

  it('asks the next server when the first is dead, and shows that', async () => {
    await stopUpstream(FIRST);
    assert.equal(dig('127.0.0.53', 'failover.example'), '192.0.2.3');
    await wait('it is shown', () => rows(node, 'dnsupstreams')[0]?.includes(' false '));
    await startUpstream(FIRST);
    await wait('it is healthy again', () => rows(node, 'dnsupstreams')[0]?.includes(' true '));
  });

  it('takes up another configuration without a restart', async () => {
    const file = join(node.dir, 'changed.yaml');
    writeFileSync(file, CONFIG.replace('10.9.0.1', '10.9.0.7').replace('forwardKubeDNSToHost: true', ''));
    const { code, stderr } = node.talosctl(['apply-config', '-f', file, '--mode', 'no-reboot']);
    assert.equal(code, 0, stderr);
    await wait('the host has its new address', () => dig('127.0.0.53', 'registry.local') === '10.9.0.7');
    await wait('pods are served no longer', () => rows(node, 'dnsresolvecaches').length === 2);
    await wait('the address is gone', () => !namespace.run('ip', 'address', 'show', 'lo').includes(POD_ADDRESS));
  });
});

describe('host DNS whose port is taken', { skip, timeout: 120_000 }, () => {
  it('names who has it, leaves resolv.conf alone, and takes the port when it is free', async () => {
    const own = makeNodeNamespace([]);
    namespace = own;
    await startUpstream('127.0.0.53');
    const node = await startNode(own, { config: CONFIG });
    try {
      await wait('the owner is named', () =>
        rows(node, 'dnsresolvecaches').some((row) => /udp-127\.0\.0\.53:53 .*dnsmasq/.test(row)),
      );
      await stopUpstream('127.0.0.53');
      await wait('it listens', () =>
        rows(node, 'dnsresolvecaches').some((row) => /udp-127\.0\.0\.53:53 \d+ running/.test(row)),
      );
      const endpoints = (): unknown => JSON.parse(readFileSync(join(node.dir, 'endpoints.json'), 'utf8'));
      await wait('it says where', () => isDeepStrictEqual(endpoints(), { api: node.api, dns: '127.0.0.53:53' }));
    } finally {
      await node.stop();
      node.clean();
      await stopUpstream('127.0.0.53');
      own.end();
    }
  });
});

describe('files of a host with a daemon', { skip, timeout: 120_000 }, () => {
  const ORIGINAL = 'nameserver 192.0.2.99\nsearch own.example\n';
  const HOSTS = '127.0.0.1 localhost\n127.0.1.1 laptop\n';
  let folder: string;
  let own: NodeNamespace;
  const dirs: NodeProcess[] = [];
  const text = (name: string): string => readFileSync(join(folder, 'etc', name), 'utf8');
  /** A copy of /etc in the place of /etc, and a host name of its own: this machine's stay as they are. */
  const startWith = async (config: string, dir?: string, ...args: readonly string[]): Promise<NodeProcess> => {
    const script = 'mount --bind "$0" /etc && exec "$@"';
    const node = await startNode(own, {
      config,
      args: ['--host-files', 'on', ...args],
      through: ['unshare', '--mount', '--uts', 'sh', '-c', script, join(folder, 'etc')],
      ...(dir === undefined ? {} : { dir }),
    });
    dirs.push(node);
    return node;
  };
  const start = (dir?: string, ...args: readonly string[]): Promise<NodeProcess> => startWith(CONFIG, dir, ...args);
  const isLocal = (): boolean => text('resolv.conf').startsWith('nameserver 127.0.0.53\n');

  before(() => {
    own = makeNodeNamespace([]);
    folder = mkdtempSync(join(tmpdir(), 'blm-etc-'));
    mkdirSync(join(folder, 'etc'));
    for (const name of ['passwd', 'group', 'nsswitch.conf', 'localtime']) {
      if (existsSync(join('/etc', name))) execFileSync('cp', ['-L', join('/etc', name), join(folder, 'etc', name)]);
    }
    writeFileSync(join(folder, 'etc/resolv.conf'), ORIGINAL);
    writeFileSync(join(folder, 'etc/hosts'), HOSTS);
  });
  afterEach(() => {
    for (const node of dirs.splice(0)) node.clean();
  });
  after(() => {
    own?.end();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it('are changed while it runs, and as they were afterwards', async () => {
    const node = await start();
    await wait('resolv.conf names host DNS', isLocal);
    await wait('hosts has the further names', () => text('hosts').includes('10.9.0.1 registry.local\n'));
    assert.ok(text('hosts').startsWith(HOSTS));
    assert.equal(node.talosctl(['read', '/etc/resolv.conf']).stdout, text('resolv.conf'));
    assert.equal(await node.stop(), 0);
    assert.equal(text('resolv.conf'), ORIGINAL);
    assert.equal(text('hosts'), HOSTS);
  });

  it('are as they were after it was killed, started and stopped again', async () => {
    const killed = await start();
    await wait('resolv.conf names host DNS', isLocal);
    await killed.stop('SIGKILL');
    assert.ok(isLocal());
    const node = await start(killed.dir);
    await wait('resolv.conf names host DNS again', isLocal);
    await node.stop();
    assert.equal(text('resolv.conf'), ORIGINAL);
    assert.equal(text('hosts'), HOSTS);
  });

  it('are as they were after it was killed, also when its configuration is spoilt meanwhile', async () => {
    const first = await start();
    await wait('resolv.conf names the server', isLocal);
    await first.stop('SIGKILL');
    writeFileSync(join(first.dir, 'config.yaml'), 'spoilt');
    await assert.rejects(startWith('spoilt, too', first.dir), /BLM_TALOS_CONFIG_INVALID/);
    assert.deepEqual([text('resolv.conf'), text('hosts')], [ORIGINAL, HOSTS]);
  });

  it('stay with --leave, and are put back by a later run', async () => {
    const leaving = await start(undefined, '--leave');
    await wait('resolv.conf names host DNS', isLocal);
    await leaving.stop();
    assert.ok(isLocal());
    const node = await start(leaving.dir);
    await node.stop();
    assert.equal(text('resolv.conf'), ORIGINAL);
    assert.equal(text('hosts'), HOSTS);
  });
});
