import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createObjectCache } from '@bloomery/kube';
import { environment, server, serverBinding } from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { createBootMarks } from './boot-marks.ts';
import { memorySessionStore } from './boot-session-file.ts';
import { createBootSessions } from './boot-session-registry.ts';
import { createIpxeRoute } from './ipxe-route.ts';

const NAME = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const MAC = '52:54:00:00:00:01';

function setUp(insecureMetadata = false) {
  const clock = createFakeClock();
  const cache = createObjectCache();
  const metadata = (name: string) => ({ name, resourceVersion: '1' });
  cache.put(server, { apiVersion: 'v', kind: 'Server', metadata: metadata(NAME) });
  cache.put(serverBinding, { apiVersion: 'v', kind: 'ServerBinding', metadata: metadata(NAME) });
  const files = { kernel: { url: 'http://x/k' }, initrd: { url: 'http://x/i' } };
  const conditions = ['http://x/k', 'http://x/i'].map((url) => ({ type: 'Ready', status: 'True', url }));
  const rest = { spec: files, status: { conditions } };
  cache.put(environment, { apiVersion: 'v', kind: 'Environment', metadata: metadata('default'), ...rest });
  const sessions = createBootSessions({ clock, random: (n) => new Uint8Array(n).fill(7), store: memorySessionStore });
  const route = createIpxeRoute({
    cache,
    events: { record() {} },
    marks: createBootMarks({ record() {} }, clock, silentLog),
    sessions,
    serverName: (uuid) => uuid,
    endpoint: { host: '10.0.0.1', port: 8081 },
    linkAddress: () => 'fd00::1',
    linkApi: () => ({ tls: true, tunnel: true, joinToken: 'J' }),
    bootFromDiskMethod: 'ipxe-exit',
    extraAgentKernelArgs: [],
    learn: () => {},
    insecureMetadata,
  });
  const api = async (address: string): Promise<string | undefined> => {
    const query = new URLSearchParams({ uuid: NAME, mac: MAC });
    const { signal } = new AbortController();
    const answer = await route.handle({ method: 'GET', path: '/ipxe', query, headers: {}, address, signal });
    return / (siderolink\.api=\S+)/.exec(String(answer.body))?.[1];
  };
  return { sessions, api };
}

describe('the join token of a machine', () => {
  it('stands in a boot script only where the token of the boot does', async () => {
    const { sessions, api } = setUp();
    const open = 'siderolink.api=https://10.0.0.1:8081?grpc_tunnel=true';
    assert.equal(await api('10.0.0.9'), open, 'nobody expects a boot');
    sessions.expectPowered(NAME);
    assert.equal(await api('10.0.0.9'), 'siderolink.api=https://10.0.0.1:8081?jointoken=J&grpc_tunnel=true');
    assert.equal(await api('10.0.0.10'), open, 'a second asker');
  });
  it('stands in all boot scripts where the metadata is open to everybody', async () => {
    assert.match((await setUp(true).api('10.0.0.9')) ?? '', /jointoken=J&/);
  });
});
