import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createTestAuthority } from '@bloomery/talos/testing';
import { type ClientRun, makeNeighbour, startClient } from '../testing/client-run.ts';
import { startConnectProxy } from '../testing/connect-proxy.ts';
import { LINK_PEER } from '../testing/link-peer.ts';
import { eventually } from '../testing/peer-process.ts';
import { type TestNamespace, whyNoLinkNamespace } from '../testing/test-namespace.ts';
import { startUpstreamAgent, type UpstreamAgent } from '../testing/upstream-agent.ts';

const UUID = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
/** Of upstream's agent, whose installation has no name. */
const SERVER = 'fdae:41e4:649b:9303::1';
const SINKS = ['--kernel-log', `tcp://[${SERVER}]:4001`, '--events', `[${SERVER}]:4002`];

describe('our client at the upstream agent', {
  skip: LINK_PEER.missing || whyNoLinkNamespace(),
  timeout: 180_000,
}, () => {
  let dir: string;
  let agent: UpstreamAgent | undefined;
  let host: TestNamespace | undefined;
  let client: ClientRun | undefined;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-agent-'));
  });
  afterEach(async () => {
    await client?.stop();
    host?.end();
    agent?.end();
    rmSync(dir, { recursive: true, force: true });
  });
  const startAgent = async (...args: readonly string[]): Promise<UpstreamAgent> => {
    agent = await startUpstreamAgent(...args);
    host = makeNeighbour(agent.namespace, '10.98.8');
    return agent;
  };
  const start = (api: string, args: readonly string[], env = {}): ClientRun => {
    assert.ok(host);
    const stateDir = join(dir, 'state');
    client = startClient({ namespace: host, uuid: UUID, stateDir, args: ['--api', api, ...args], env });
    return client;
  };
  const hears = async (from: string): Promise<void> => {
    const word = `bloomery-agent-test-${process.pid}-${from.length}-${Math.random()}`;
    appendFileSync('/dev/kmsg', `<6>${word}\n`);
    const fact = await agent?.peer.told('the kernel log line', (f) => JSON.stringify(f).includes(word));
    assert.equal(fact?.['src_address'], from);
  };

  for (const [way, query, name] of [
    ['UDP', '', 'siderolink'],
    ['the tunnel', '?grpc_tunnel=true', 'siderolinktun'],
  ] as const) {
    it(`joins over ${way}, and its log and events arrive`, async () => {
      const { api, peer } = await startAgent();
      const status = await start(`grpc://${api}${query}`, SINKS).connected();
      assert.deepEqual([status['linkName'], status['serverAddress']], [name, SERVER]);
      const own = String(status['nodeAddress']).split('/')[0] ?? '';
      await hears(own);
      const event = await peer.told('the addresses', (f) => String(f['type']).endsWith('AddressEvent'));
      assert.match(String(event['id']), /^[0-9a-v]{20}$/);
      assert.match(JSON.stringify(event['payload']), /10\.98\.8\.2/);
      await peer.told('its stage', (f) => String(f['type']).endsWith('MachineStatusEvent'));
      assert.equal(await client?.stop(), 0);
      assert.doesNotMatch(host?.run('ip', 'link', 'show') ?? '', /siderolink/);
    });
  }

  it('is refused without the join token, and taken with it, by TLS through a proxy, over the tunnel', async () => {
    const ca = await createTestAuthority();
    const leaf = await ca.issue('plane', ['plane.test']);
    const file = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    };
    const tls = ['-tls-cert', file('leaf.crt', leaf.certificatePem), '-tls-key', file('leaf.key', leaf.keyPem)];
    const { namespace } = await startAgent('-token', 'right', ...tls);
    assert.ok(host);
    await using proxy = await startConnectProxy(host.ownHost, { host: namespace.host, port: 4000 });
    const args = ['--ca', file('ca.crt', ca.certificatePem), ...SINKS];
    const env = { HTTPS_PROXY: proxy.url };
    const stranger = start('https://plane.test:4000?jointoken=wrong', args, env);
    const why = (): string => String(stranger.status()['lastError'] ?? '');
    await eventually('the refusal', () => why() !== '');
    assert.match(why(), /invalid join token; check the join token/);
    await stranger.stop();
    const status = await start('https://plane.test:4000?jointoken=right&grpc_tunnel=true', args, env).connected();
    await hears(String(status['nodeAddress']).split('/')[0] ?? '');
    assert.deepEqual([...new Set(proxy.asked)], ['plane.test:4000']);
  });

  it('finds back after the agent was started anew, which knows it no more', async () => {
    const { api, restart } = await startAgent();
    const first = await start(`grpc://${api}?grpc_tunnel=true`, SINKS).connected();
    await hears(String(first['nodeAddress']).split('/')[0] ?? '');
    await restart();
    const again = await eventually(
      'another address',
      () => {
        const status = client?.status();
        return status?.['connected'] === true && status['nodeAddress'] !== first['nodeAddress'] && status;
      },
      () => JSON.stringify(client?.status()),
    );
    await hears(String(again['nodeAddress']).split('/')[0] ?? '');
  });
});
