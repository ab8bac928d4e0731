import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type LinkPlane, startLinkPlane } from '../testing/link-plane.ts';
import { eventually } from '../testing/peer-process.ts';
import { makeTestNamespace, type TestNamespace, whyNoLinkNamespace } from '../testing/test-namespace.ts';

const PROGRAM = join(import.meta.dirname, '../main.ts');
const BY_UDP = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const BY_TUNNEL = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';

/** One run of the command, with the last status that it printed. */
interface ClientRun {
  readonly status: () => Readonly<Record<string, unknown>>;
  readonly connected: () => Promise<Readonly<Record<string, unknown>>>;
  /** Exit code after SIGTERM. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

describe('bloomery siderolink-client at a plane', { skip: whyNoLinkNamespace(), timeout: 180_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-client-'));
  const children: ChildProcess[] = [];
  let plane: LinkPlane;
  let near: TestNamespace;
  let far: TestNamespace;

  before(async () => {
    plane = await startLinkPlane();
    near = makeTestNamespace();
    far = makeTestNamespace();
    // `near` reaches the plane straight; `far` only us.
    const [nearName = '', planeName = ''] = [near, plane.namespace].map((namespace) => namespace.within.at(-1));
    const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
    ip('link', 'add', 'direct', 'netns', nearName, 'type', 'veth', 'peer', 'name', 'direct', 'netns', planeName);
    for (const [name, host] of [
      [nearName, 2],
      [planeName, 1],
    ] as const) {
      ip('-n', name, 'address', 'add', `10.98.7.${host}/24`, 'dev', 'direct');
      ip('-n', name, 'link', 'set', 'direct', 'up');
    }
    near.run('ip', 'route', 'add', plane.namespace.host, 'via', '10.98.7.1');
    for (const name of [BY_UDP, BY_TUNNEL]) await plane.allocate(name);
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    near?.end();
    far?.end();
    await plane?.end();
    rmSync(dir, { recursive: true, force: true });
  });

  const run = (namespace: TestNamespace, uuid: string, args: readonly string[], env = {}): ClientRun => {
    const state = join(dir, uuid);
    const command = ['siderolink-client', '--json', '--uuid', uuid, '--state', state, '--cmdline', '', ...args];
    const [program = '', ...within] = namespace.within;
    const child = spawn(program, [...within, process.execPath, PROGRAM, ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    children.push(child);
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += String(chunk);
    });
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const status = (): Readonly<Record<string, unknown>> => JSON.parse(text.split('\n').at(-2) ?? '{}');
    return {
      status,
      connected: () =>
        eventually(
          'the link',
          () => status()['connected'] === true && status(),
          () => text,
        ),
      stop: (signal = 'SIGTERM') => {
        child.kill(signal);
        return exited;
      },
    };
  };
  const token = (uuid: string): unknown => JSON.parse(readFileSync(join(dir, uuid, 'meta.json'), 'utf8'))['0x10'];

  it('joins by UDP, leaves at SIGTERM, and comes back to the same address with the same token', async () => {
    const first = run(near, BY_UDP, ['--api', plane.api]);
    const { nodeAddress, serverAddress, linkName, grpcTunnel } = await first.connected();
    assert.deepEqual([linkName, grpcTunnel], ['siderolink', false]);
    assert.equal((await plane.binding(BY_UDP)).spec?.siderolink?.address, nodeAddress);
    assert.match(near.run('ip', 'link', 'show', 'siderolink'), /mtu 1280/);
    const made = token(BY_UDP);
    assert.equal(await first.stop(), 0);
    assert.doesNotMatch(near.run('ip', 'link', 'show'), /siderolink/);

    const config = join(dir, 'config.yaml');
    const documents = [
      `apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: grpc://${plane.api}\n`,
      `apiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: "[${serverAddress}]:4002"\n`,
      `apiVersion: v1alpha1\nkind: KmsgLogConfig\nname: remote-log\nurl: "tcp://[${serverAddress}]:4001"\n`,
    ];
    execFileSync('tee', [config], { input: documents.join('---\n'), stdio: ['pipe', 'ignore', 'inherit'] });
    const second = run(near, BY_UDP, ['--config', config]);
    assert.equal((await second.connected())['nodeAddress'], nodeAddress);
    assert.equal(token(BY_UDP), made);
    const word = `bloomery-client-test-${process.pid}`;
    appendFileSync('/dev/kmsg', `<6>${word}\n`);
    const line = await plane.logged('the kernel log line', ({ msg }) => String(msg).includes(word));
    assert.equal(line['server_uuid'], BY_UDP);
    const addresses = async (): Promise<readonly string[]> => (await plane.binding(BY_UDP)).spec?.addresses ?? [];
    await eventually('its addresses', async () => (await addresses()).includes('10.98.7.2'));
    near.run('ip', 'address', 'add', '10.98.7.9/24', 'dev', 'direct');
    await eventually('a new address', async () => (await addresses()).includes('10.98.7.9'));
    assert.equal(await second.stop(), 0);
  });

  it('joins through the tunnel and an HTTP proxy where nothing else leads out', async () => {
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request, client) => {
      asked.push(String(request.url));
      const upstream = connect(8081, plane.namespace.host, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
      for (const socket of [client, upstream]) socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => proxy.listen(0, far.ownHost, resolve));
    const address = proxy.address();
    const port = typeof address === 'object' ? address?.port : 0;
    try {
      const api = ['--api', 'grpc://plane.bloomery.test:8081?grpc_tunnel=true'];
      const first = run(far, BY_TUNNEL, api, { HTTPS_PROXY: `http://${far.ownHost}:${port}` });
      const { grpcTunnel, linkName, serverAddress } = await first.connected();
      assert.deepEqual([grpcTunnel, linkName], [true, 'siderolinktun']);
      assert.ok(asked.length >= 2, 'Provision and tunnel, each with a connection of its own');
      assert.deepEqual([...new Set(asked)], ['plane.bloomery.test:8081']);
      assert.equal(await first.stop(), 0);
      const events = [...api, '--events', `[${serverAddress}]:4002`];
      const second = run(far, BY_TUNNEL, events, { HTTPS_PROXY: `http://${far.ownHost}:${port}` });
      await eventually('its address', async () => {
        const { spec } = await plane.binding(BY_TUNNEL);
        return spec?.addresses?.includes(far.host);
      });
      assert.equal(await second.stop(), 0);
      assert.doesNotMatch(far.run('ip', 'link', 'show'), /siderolink/);
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  });

  it('removes what it left behind when it was killed, also when it comes back through the tunnel', async () => {
    const killed = run(near, BY_UDP, ['--api', plane.api]);
    const { nodeAddress } = await killed.connected();
    await killed.stop('SIGKILL');
    assert.match(near.run('ip', 'link', 'show'), /siderolink:/);
    const again = run(near, BY_UDP, ['--api', `${plane.api}?grpc_tunnel=true`]);
    assert.equal((await again.connected())['nodeAddress'], nodeAddress);
    const links = near.run('ip', '-o', 'link', 'show');
    assert.deepEqual(links.match(/siderolink\w*/g), ['siderolinktun']);
    assert.equal(await again.stop(), 0);
    assert.doesNotMatch(near.run('ip', 'link', 'show'), /siderolink/);
  });

  it('says why it is not linked', async () => {
    const stranger = run(near, '6b121f82-24a8-4611-9d23-fa1a5ba564ff', ['--api', plane.api]);
    const why = (): string => String(stranger.status()['lastError'] ?? '');
    await eventually('the reason', () => why() !== '');
    assert.match(why(), /6b121f82-24a8-4611-9d23-fa1a5ba564ff.*does not know this machine yet; it is tried again/);
    assert.equal(await stranger.stop(), 0);
  });
});
