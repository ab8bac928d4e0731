import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ClientRun, makeNeighbour, startClient } from '../testing/client-run.ts';
import { startConnectProxy } from '../testing/connect-proxy.ts';
import { type LinkPlane, startLinkPlane } from '../testing/link-plane.ts';
import { eventually } from '../testing/peer-process.ts';
import { makeTestNamespace, type TestNamespace, whyNoLinkNamespace } from '../testing/test-namespace.ts';

const BY_UDP = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const BY_TUNNEL = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';

describe('bloomery siderolink-client at a plane', { skip: whyNoLinkNamespace(), timeout: 180_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-client-'));
  let plane: LinkPlane;
  let near: TestNamespace;
  let far: TestNamespace;

  before(async () => {
    plane = await startLinkPlane();
    // `near` reaches the plane straight; `far` only us.
    near = makeNeighbour(plane.namespace, '10.98.7');
    far = makeTestNamespace();
    for (const name of [BY_UDP, BY_TUNNEL]) await plane.allocate(name);
  });
  after(async () => {
    near?.end();
    far?.end();
    await plane?.end();
    rmSync(dir, { recursive: true, force: true });
  });

  const run = (namespace: TestNamespace, uuid: string, args: readonly string[], env = {}): ClientRun =>
    startClient({ namespace, uuid, stateDir: join(dir, uuid), args, env });
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
    writeFileSync(config, documents.join('---\n'));
    const second = run(near, BY_UDP, ['--config', config]);
    assert.equal((await second.connected())['nodeAddress'], nodeAddress);
    assert.equal(token(BY_UDP), made);
    const word = `bloomery-client-test-${process.pid}`;
    appendFileSync('/dev/kmsg', `<6>${word}\n`);
    const line = await plane.logged('the kernel log line', ({ msg }) => String(msg).includes(word));
    assert.equal(line['server_uuid'], BY_UDP);
    const addresses = async (): Promise<readonly string[]> => (await plane.binding(BY_UDP)).spec?.addresses ?? [];
    await eventually('its addresses', async () => (await addresses()).includes('10.98.7.2'));
    near.run('ip', 'address', 'add', '10.98.7.9/24', 'dev', 'c10987');
    await eventually('a new address', async () => (await addresses()).includes('10.98.7.9'));
    assert.equal(await second.stop(), 0);
  });

  it('joins through the tunnel and an HTTP proxy where nothing else leads out', async () => {
    await using proxy = await startConnectProxy(far.ownHost, { host: plane.namespace.host, port: 8081 });
    const env = { HTTPS_PROXY: proxy.url };
    const api = ['--api', 'grpc://plane.bloomery.test:8081?grpc_tunnel=true'];
    const first = run(far, BY_TUNNEL, api, env);
    const { grpcTunnel, linkName, serverAddress } = await first.connected();
    assert.deepEqual([grpcTunnel, linkName], [true, 'siderolinktun']);
    assert.ok(proxy.asked.length >= 2, 'Provision and tunnel, each with a connection of its own');
    assert.deepEqual([...new Set(proxy.asked)], ['plane.bloomery.test:8081']);
    assert.equal(await first.stop(), 0);
    const second = run(far, BY_TUNNEL, [...api, '--events', `[${serverAddress}]:4002`], env);
    await eventually('its address', async () => {
      const { spec } = await plane.binding(BY_TUNNEL);
      return spec?.addresses?.includes(far.host);
    });
    assert.equal(await second.stop(), 0);
    assert.doesNotMatch(far.run('ip', 'link', 'show'), /siderolink/);
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

  it('reports a configuration that it cannot follow, over the link that the kernel arguments name', async () => {
    const config = join(dir, 'broken.yaml');
    writeFileSync(config, 'machine: [\n');
    const first = run(near, BY_UDP, ['--api', plane.api]);
    const { serverAddress } = await first.connected();
    await first.stop();
    const cmdline = `siderolink.api=${plane.api} talos.events.sink=[${serverAddress}]:4002`;
    const client = run(near, BY_TUNNEL, ['--config', config, '--cmdline', cmdline]);
    const loaded = await eventually('the condition', async () => {
      const conditions = (await plane.binding(BY_TUNNEL)).status?.conditions ?? [];
      return conditions.find((condition) => condition.type === 'TalosConfigLoaded');
    });
    assert.equal(loaded.status, 'False');
    assert.match(loaded.message ?? '', /reading the machine configuration: /);
    assert.equal(await client.stop(), 0);
  });

  it('says why it is not linked', async () => {
    const stranger = run(near, '6b121f82-24a8-4611-9d23-fa1a5ba564ff', ['--api', plane.api]);
    const why = (): string => String(stranger.status()['lastError'] ?? '');
    await eventually('the reason', () => why() !== '');
    assert.match(why(), /6b121f82-24a8-4611-9d23-fa1a5ba564ff.*does not know this machine yet; it is tried again/);
    assert.equal(await stranger.stop(), 0);
  });
});
