import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { until } from '@bloomery/ports';

const DEADLINE_MS = 15_000;

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  try {
    execFileSync('ip', ['netns', 'list'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs ip with network namespaces';
  }
}

const whyNoWireguard = (): string | false => {
  try {
    execFileSync('which', ['wg', 'wireguard-go', 'socat'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs wg, wireguard-go and socat';
  }
};

/** What `ip -j -d link` says of a link, as far as these tests look. */
interface IpLink {
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly master?: string;
  readonly address?: string;
  readonly ifalias?: string;
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: Readonly<Record<string, unknown>> };
}

interface ShownPeer {
  readonly publicKey: string;
  readonly lastHandshakeMs: number;
  readonly allowedIPs: readonly string[];
}

/** The controllers at work in a network namespace of their own. */
class LinkHost implements AsyncDisposable {
  readonly name: string;
  readonly lines: Readonly<Record<string, unknown>>[] = [];
  readonly #dir = mkdtempSync(join(tmpdir(), 'blm-links-'));
  #child: ChildProcess | undefined;

  constructor(name: string) {
    this.name = `blml${process.pid}${name}`;
    execFileSync('ip', ['netns', 'add', this.name]);
  }

  ip(...args: readonly string[]): string {
    return execFileSync('ip', ['-n', this.name, ...args], { encoding: 'utf8' });
  }

  run(program: string, ...args: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.name, program, ...args], { encoding: 'utf8' });
  }

  links(): Readonly<Record<string, IpLink>> {
    const links: readonly IpLink[] = JSON.parse(this.ip('-j', '-d', 'link', 'show'));
    return Object.fromEntries(links.map((link) => [link.ifname, link]));
  }

  async start(): Promise<void> {
    const program = join(import.meta.dirname, 'testing/run-links.ts');
    const child = spawn('ip', ['netns', 'exec', this.name, process.execPath, program, this.#dir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(JSON.parse(line)));
    await until('the daemon is ready', () => this.lines.some((line) => line['ready'] === true), {
      deadlineMs: DEADLINE_MS,
    });
  }

  apply(config: string): void {
    this.#child?.stdin?.write(`${JSON.stringify(config)}\n`);
  }

  /** Peers of a WireGuard device, as the daemon knows them now. */
  async peers(device: string): Promise<readonly ShownPeer[]> {
    const from = this.lines.length;
    this.#child?.stdin?.write(`${JSON.stringify({ show: device })}\n`);
    const isAnswer = (line: Readonly<Record<string, unknown>>): boolean => line['shown'] === device;
    const answer = await until('peers are shown', () => this.lines.slice(from).find(isAnswer), {
      deadlineMs: DEADLINE_MS,
    });
    return answer['peers'] as readonly ShownPeer[];
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  }

  /** Waits until `ip` shows what is wanted. */
  async shows(want: (links: Readonly<Record<string, IpLink>>) => boolean): Promise<void> {
    await until('ip shows the links', () => want(this.links()), { deadlineMs: DEADLINE_MS });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child !== undefined && child.exitCode === null) {
      child.stdin?.end();
      await new Promise((resolve) => child.once('exit', resolve));
    }
    execFileSync('ip', ['netns', 'del', this.name]);
    rmSync(this.#dir, { recursive: true });
  }
}

const interfaces = (text: string): string =>
  `version: v1alpha1\nmachine:\n  type: worker\n  network:\n    interfaces:\n${text}`;
const kindOf = (link: IpLink | undefined): string | undefined => link?.linkinfo?.info_kind;
const isUp = (link: IpLink | undefined): boolean => link?.flags.includes('UP') === true;

describe('links of a real kernel', { skip: whyNot() }, () => {
  it('are made as the configuration says, changed in place, and removed', async () => {
    await using host = new LinkHost('a');
    host.ip('link', 'add', 'port0', 'type', 'veth', 'peer', 'name', 'far0');
    host.ip('link', 'add', 'port1', 'type', 'veth', 'peer', 'name', 'far1');
    await host.start();
    host.apply(
      interfaces(
        '    - interface: br0\n      mtu: 1400\n      bridge: {interfaces: [port0, port1], stp: {enabled: true}}\n',
      ),
    );
    await host.shows(
      ({ br0, port0, port1 }) => isUp(br0) && port0?.master === 'br0' && isUp(port1) && port1?.master === 'br0',
    );
    const { br0 } = host.links();
    assert.equal(kindOf(br0), 'bridge');
    assert.equal(br0?.mtu, 1400);
    assert.equal(br0?.linkinfo?.info_data?.['stp_state'], 1);
    const { address } = host.links()['br0'] ?? {};

    host.apply(
      interfaces('    - interface: br0\n      mtu: 1400\n      bridge: {interfaces: [port1], stp: {enabled: false}}\n'),
    );
    await host.shows(({ br0, port0 }) => br0?.linkinfo?.info_data?.['stp_state'] === 0 && port0?.master === undefined);
    const changed = host.links();
    assert.equal(changed['br0']?.address !== undefined && changed['port1']?.master, 'br0');
    assert.equal(
      host.lines.filter(({ event, do: step }) => event === 'link.step' && step === 'remove').length,
      0,
      address,
    );

    host.apply(interfaces('    - interface: port1\n'));
    await host.shows(({ br0, port1 }) => br0 === undefined && port1?.master === undefined);
  });

  it('are pairs, and are made again when somebody removes them', async () => {
    await using host = new LinkHost('b');
    await host.start();
    const pair = (peer: string): string =>
      `apiVersion: v1alpha1\nkind: VethConfig\nname: here\nmtu: 1300\npeer: {name: ${peer}}\n`;
    host.apply(pair('there'));
    await host.shows(({ here, there }) => isUp(here) && here?.mtu === 1300 && isUp(there));
    host.ip('link', 'del', 'here');
    await host.shows(({ here, there }) => isUp(here) && isUp(there));
    host.apply(pair('else'));
    await host.shows((links) => isUp(links['here']) && isUp(links['else']) && links['there'] === undefined);
  });

  it('that match a selector are configured, also those that come later', async () => {
    await using host = new LinkHost('c');
    const plug = (n: number): string =>
      host.ip('link', 'add', `nic${n}`, 'address', `02:ee:00:00:00:0${n}`, 'type', 'veth', 'peer', 'name', `sw${n}`);
    for (const n of [1, 2, 3]) plug(n);
    await host.start();
    host.apply(interfaces("    - deviceSelector: {hardwareAddr: '02:ee:*'}\n      mtu: 1234\n"));
    const configured = (n: number) => (links: Readonly<Record<string, IpLink>>) =>
      links[`nic${n}`]?.mtu === 1234 && isUp(links[`nic${n}`]);
    for (const n of [1, 2, 3]) await host.shows(configured(n));
    plug(4);
    await host.shows(configured(4));
    assert.notEqual(host.links()['sw1']?.mtu, 1234);
  });

  it('that cannot be made say why, and the others are made', async () => {
    await using host = new LinkHost('d');
    host.ip('link', 'add', 'port0', 'type', 'veth', 'peer', 'name', 'far0');
    await host.start();
    host.apply(
      interfaces(
        '    - interface: lo\n      dummy: true\n    - interface: port0\n      mtu: 70000\n    - interface: far0\n      mtu: 1400\n',
      ),
    );
    await host.shows(({ far0 }) => isUp(far0) && far0?.mtu === 1400);
    const problems = await until(
      'both are refused',
      () => {
        const refused = host.lines.filter(({ event }) => event === 'spec.refused');
        const byId = Object.fromEntries(refused.map(({ id, problem }) => [id, String(problem)]));
        return Object.keys(byId).length === 2 && byId;
      },
      { deadlineMs: DEADLINE_MS, explain: () => JSON.stringify(host.lines) },
    );
    assert.match(problems['port0'] ?? '', /^setting the MTU of port0 to 70000: E[A-Z]+ /);
    assert.equal(problems['lo'], 'cannot make dummy lo: hardware has this name');
  });

  it('are the same after the daemon was killed and started again', async () => {
    await using host = new LinkHost('e');
    host.ip('link', 'add', 'port0', 'type', 'veth', 'peer', 'name', 'far0');
    const config = interfaces('    - interface: br0\n      bridge: {interfaces: [port0]}\n');
    await host.start();
    host.apply(config);
    await host.shows(({ br0, port0 }) => isUp(br0) && port0?.master === 'br0');
    await host.kill();
    host.ip('link', 'set', 'port0', 'nomaster');
    await host.start();
    host.apply(config);
    await host.shows(({ br0, port0 }) => isUp(br0) && port0?.master === 'br0');
  });
});

describe('WireGuard between two hosts', { skip: whyNot() || whyNoWireguard() }, () => {
  let hosts: readonly [LinkHost, LinkHost];
  const newKey = (): string => execFileSync('wg', ['genkey'], { encoding: 'utf8' }).trim();
  const publicKey = (key: string): string => execFileSync('wg', ['pubkey'], { encoding: 'utf8', input: key }).trim();

  before(async () => {
    hosts = [new LinkHost('w'), new LinkHost('x')];
    const [a, b] = hosts;
    a.ip('link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', b.name);
    for (const [at, host] of hosts.entries()) {
      host.ip('address', 'add', `198.18.7.${at + 1}/24`, 'dev', 'cable');
      host.ip('link', 'set', 'cable', 'up');
      host.ip('link', 'set', 'lo', 'up');
    }
    await Promise.all(hosts.map((host) => host.start()));
  });

  after(async () => {
    for (const host of hosts) await host[Symbol.asyncDispose]();
  });

  it('is made of the configuration: they shake hands, and packets pass', async () => {
    const keys = [newKey(), newKey()] as const;
    const config = (own: 0 | 1, more = ''): string =>
      interfaces(
        [
          ...[
            '- interface: wg7',
            '  mtu: 1380',
            '  wireguard:',
            `    privateKey: ${keys[own]}`,
            '    listenPort: 51999',
            '    peers:',
          ],
          ...[
            `    - publicKey: ${publicKey(keys[own === 0 ? 1 : 0])}`,
            `      endpoint: 198.18.7.${own === 0 ? 2 : 1}:51999`,
          ],
          ...['      persistentKeepaliveInterval: 25s', '      allowedIPs: [10.77.0.9/24]'],
          more,
        ]
          .filter((line) => line !== '')
          .map((line) => `    ${line}\n`)
          .join(''),
      );
    for (const at of [0, 1] as const) hosts[at].apply(config(at));
    for (const [at, host] of hosts.entries()) {
      await host.shows(({ wg7 }) => isUp(wg7) && wg7?.mtu === 1380);
      host.ip('address', 'add', `10.77.0.${at + 1}/24`, 'dev', 'wg7');
    }
    const echo = spawn('ip', ['netns', 'exec', hosts[1].name, 'socat', 'TCP-LISTEN:7,fork,reuseaddr', 'PIPE']);
    const asked = (): string => {
      const args = ['netns', 'exec', hosts[0].name, 'socat', '-t2', '-', 'TCP:10.77.0.2:7,connect-timeout=1'];
      const { stdout } = spawnSync('ip', args, { input: 'through the tunnel', encoding: 'utf8' });
      return stdout;
    };
    try {
      await until('packets pass', () => asked() === 'through the tunnel', { deadlineMs: DEADLINE_MS });
    } finally {
      echo.kill();
    }
    const [first] = await hosts[0].peers('wg7');
    assert.equal(first?.publicKey, publicKey(keys[1]));
    assert.deepEqual(first?.allowedIPs, ['10.77.0.0/24']);
    assert.ok((first?.lastHandshakeMs ?? 0) > 0);

    // Another peer comes and goes: the session of the first lives on.
    const another = publicKey(newKey());
    const hasPeers = (count: number) => async () => {
      const peers = await hosts[0].peers('wg7');
      return peers.length === count && peers;
    };
    hosts[0].apply(config(0, `    - {publicKey: ${another}, allowedIPs: [10.78.0.0/24]}`));
    await until('the peer is there', hasPeers(2), { deadlineMs: DEADLINE_MS });
    hosts[0].apply(config(0));
    const peers = await until('the peer is gone', hasPeers(1), { deadlineMs: DEADLINE_MS });
    assert.equal(peers[0]?.lastHandshakeMs, first?.lastHandshakeMs);

    const said = hosts.flatMap(({ lines }) => lines.map((line) => JSON.stringify(line))).join('\n');
    for (const key of keys) assert.equal(said.includes(key), false);
    hosts[0].apply(interfaces('    - interface: lo\n'));
    await hosts[0].shows(({ wg7 }) => wg7 === undefined);
  });
});
