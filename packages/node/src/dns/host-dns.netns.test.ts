import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { until } from '@bloomery/ports';
import type { HostDnsArguments } from './testing/host-dns-main.ts';

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  try {
    for (const program of ['ip', 'dig', 'unbound', 'nft']) execFileSync('which', [program], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs ip, dig, unbound and nft';
  }
}

const SERVICE = '169.254.116.108';
const SERVICE_V6 = 'fd54:616c:6f73:0:204f:5320:444e:531';
const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8' });

/**
 * A node with a pod beside it and a host behind the pod, each in a network namespace: far – pod – node. The node has the service
 * addresses on its loopback, as the daemon puts them there.
 */
class PodNetwork {
  readonly node = `blmd${process.pid}n`;
  readonly pod = `blmd${process.pid}p`;
  readonly far = `blmd${process.pid}f`;

  constructor() {
    for (const name of [this.node, this.pod, this.far]) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    this.#cable(
      [this.node, 'pod', '10.244.0.1/24', 'fd00:244::1/64'],
      [this.pod, 'eth0', '10.244.0.2/24', 'fd00:244::2/64'],
    );
    this.#cable(
      [this.pod, 'far', '10.245.0.1/24', 'fd00:245::1/64'],
      [this.far, 'eth0', '10.245.0.2/24', 'fd00:245::2/64'],
    );
    ip('-n', this.node, 'address', 'add', `${SERVICE}/32`, 'dev', 'lo');
    ip('-n', this.node, 'address', 'add', `${SERVICE_V6}/128`, 'dev', 'lo', 'nodad');
    ip('-n', this.node, 'route', 'add', '10.245.0.0/24', 'via', '10.244.0.2');
    ip('-n', this.pod, 'route', 'add', 'default', 'via', '10.244.0.1');
    ip('-n', this.pod, '-6', 'route', 'add', 'default', 'via', 'fd00:244::1');
    ip('-n', this.far, 'route', 'add', 'default', 'via', '10.245.0.1');
    this.run(this.pod, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  }

  run(namespace: string, program: string, ...args: readonly string[]): string {
    return ip('netns', 'exec', namespace, program, ...args);
  }

  /** What dig says in a namespace, with its exit code. */
  dig(namespace: string, ...args: readonly string[]): string {
    try {
      return this.run(namespace, 'dig', '+time=1', '+tries=2', '+short', ...args).trim();
    } catch {
      return 'no answer';
    }
  }

  end(): void {
    for (const name of [this.node, this.pod, this.far]) ip('netns', 'del', name);
  }

  #cable(...ends: readonly (readonly [string, string, string, string])[]): void {
    const [[a = '', aLink = ''] = [], [b = '', bLink = ''] = []] = ends;
    ip('-n', a, 'link', 'add', aLink, 'type', 'veth', 'peer', 'name', bLink, 'netns', b);
    for (const [namespace, link, v4, v6] of ends) {
      ip('-n', namespace, 'address', 'add', v4, 'dev', link);
      ip('-n', namespace, 'address', 'add', v6, 'dev', link, 'nodad');
      ip('-n', namespace, 'link', 'set', link, 'up');
    }
  }
}

const UNBOUND = [
  'interface: 127.0.0.1',
  'port: 5300',
  'do-daemonize: no',
  'username: ""',
  'chroot: ""',
  'pidfile: ""',
  'use-syslog: no',
  'local-zone: "test." static',
  'local-data: "host.test. 60 IN A 192.0.2.7"',
  'local-data: "six.test. 60 IN AAAA 2001:db8::7"',
];

describe('pods ask the name server of their node', { skip: whyNot() }, () => {
  let network: PodNetwork;
  const dir = mkdtempSync(join(tmpdir(), 'blm-dns-'));
  const children: ChildProcess[] = [];
  const start = (namespace: string, program: string, ...args: readonly string[]): ChildProcess => {
    const child = spawn('ip', ['netns', 'exec', namespace, program, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(child);
    return child;
  };
  const startNode = async (hopLimit: number): Promise<ChildProcess> => {
    const given: HostDnsArguments = {
      datagrams: 'native',
      listen: ['127.0.0.53', SERVICE, SERVICE_V6].map((host) => ({ host, port: 53 })),
      hopLimit,
      upstreams: [{ address: '127.0.0.1', port: 5300, protocol: 'Do53' }],
    };
    const main = join(import.meta.dirname, 'testing/host-dns-main.ts');
    const child = start(
      network.node,
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      main,
      JSON.stringify(given),
    );
    const [line] = await once(createInterface({ input: child.stdout ?? assert.fail('no output') }), 'line');
    assert.doesNotMatch(String(line), /problem/);
    return child;
  };
  const stop = async (child: ChildProcess): Promise<void> => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  };

  before(async () => {
    network = new PodNetwork();
    const file = join(dir, 'unbound.conf');
    writeFileSync(file, `server:\n${UNBOUND.map((line) => `  ${line}\n`).join('')}`);
    start(network.node, 'unbound', '-c', file);
    await until(
      'unbound answers',
      () => network.dig(network.node, '@127.0.0.1', '-p', '5300', 'host.test') === '192.0.2.7',
    );
  });
  after(async () => {
    await Promise.all(children.filter(({ exitCode }) => exitCode === null).map(stop));
    network.end();
    rmSync(dir, { recursive: true, force: true });
  });

  it('with two hops the host itself, the pod and who is right behind it are answered, UDP and TCP, both families', async () => {
    const node = await startNode(2);
    const ask = (...args: readonly string[]): string => network.dig(network.pod, ...args);
    assert.equal(network.dig(network.node, '@127.0.0.53', 'host.test'), '192.0.2.7');
    assert.equal(network.dig(network.node, '@127.0.0.53', '+tcp', 'host.test'), '192.0.2.7');
    assert.equal(ask(`@${SERVICE}`, 'host.test'), '192.0.2.7');
    assert.equal(ask(`@${SERVICE}`, '+tcp', 'host.test'), '192.0.2.7');
    assert.equal(ask(`@${SERVICE_V6}`, 'six.test', 'AAAA'), '2001:db8::7');
    assert.equal(ask(`@${SERVICE_V6}`, '+tcp', 'six.test', 'AAAA'), '2001:db8::7');
    assert.equal(network.dig(network.far, `@${SERVICE}`, 'host.test'), '192.0.2.7');
    assert.equal(network.dig(network.far, `@${SERVICE}`, '+tcp', 'host.test'), '192.0.2.7');
    await stop(node);
  });
  it('with one hop nobody behind a router is answered', async () => {
    const node = await startNode(1);
    assert.equal(network.dig(network.pod, `@${SERVICE}`, 'host.test'), '192.0.2.7');
    assert.match(network.dig(network.far, `@${SERVICE}`, 'host.test'), /no answer|timed out/);
    assert.match(network.dig(network.far, `@${SERVICE}`, '+tcp', 'host.test'), /no answer|timed out/);
    await stop(node);
  });
  it('answers pass connection tracking and masquerading as CNIs set them up', async () => {
    const node = await startNode(2);
    const rules = `table inet cni {
      chain post { type nat hook postrouting priority srcnat; oifname != "lo" ip saddr 10.244.0.0/24 masquerade; }
      chain pre { type nat hook prerouting priority dstnat; ip daddr 10.96.0.10 udp dport 53 dnat ip to ${SERVICE}:53; ip daddr 10.96.0.10 tcp dport 53 dnat ip to ${SERVICE}:53; }
      chain in { type filter hook input priority filter; policy accept; ct state invalid drop; }
    }`;
    execFileSync('ip', ['netns', 'exec', network.node, 'nft', '-f', '-'], { input: rules });
    assert.equal(network.dig(network.pod, '@10.96.0.10', 'host.test'), '192.0.2.7');
    assert.equal(network.dig(network.pod, '@10.96.0.10', '+tcp', 'host.test'), '192.0.2.7');
    assert.equal(network.dig(network.pod, `@${SERVICE}`, 'host.test'), '192.0.2.7');
    await stop(node);
  });
});
