import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createObjectCache, type EventDraft } from '@bloomery/kube';
import { createMemoryClient } from '@bloomery/kube/testing';
import { server, serverBinding } from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { generateWireguardKey, NO_TUNNELS } from '@bloomery/siderolink';
import type { TimelineDraft } from '../../insight/timeline.ts';
import { fakeWireguard } from '../testing/fake-wireguard.ts';
import { keyOf, linkBinding } from '../testing/link-bindings.ts';
import { createLinkLook } from './link-look.ts';
import { createLinkPeers } from './link-peers.ts';
import { createLinkView } from './link-view.ts';
import { reportLinkStates } from './report-link-states.ts';

const START = 1_800_000_000_000;
const K1 = keyOf('1');
const K2 = keyOf('2');

/** The link over two bindings and a fake device; the cache follows the client by `refresh`. */
async function setUp() {
  const clock = createFakeClock(START);
  const bindings = [
    linkBinding('m1', { address: 'fd00::1:1', key: K1 }),
    linkBinding('m2', { address: 'fd00::1:2', key: K2 }, { annotations: { 'bloomery.dev/siderolink-mode': 'tunnel' } }),
    linkBinding('m3', undefined),
  ];
  const client = createMemoryClient({ objects: bindings.map((object) => ({ kind: serverBinding, object })) });
  const cache = createObjectCache();
  const peers = createLinkPeers({ serverPrivateKey: generateWireguardKey(), clock, log: silentLog });
  const refresh = async (): Promise<void> => {
    const { items } = await client.list(serverBinding);
    cache.replace(serverBinding, items);
    await Promise.all(items.map((binding) => peers.put(binding)));
  };
  await refresh();
  cache.put(server, { apiVersion: 'metal.sidero.dev/v1alpha2', kind: 'Server', metadata: { name: 'm1' } });
  const device = fakeWireguard();
  await peers.attach(device);
  let sinceMs: number | undefined = START;
  const marks: TimelineDraft[] = [];
  const events: EventDraft[] = [];
  const look = createLinkLook(peers);
  const deps = {
    client,
    cache,
    peers,
    look,
    deviceSinceMs: () => sinceMs,
    events: { record: (_: unknown, event: EventDraft) => void events.push(event) },
    timeline: { record: (mark: TimelineDraft) => void marks.push(mark) },
    clock,
    log: silentLog,
  };
  const stop = new AbortController();
  const done = reportLinkStates(deps, stop.signal);
  const status = async (name: string) => (await client.get(serverBinding, { name })).status;
  /** Let time pass, the cache following every 10 s. */
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 10_000) {
      await clock.advance(Math.min(10_000, ms - at));
      await refresh();
    }
  };
  return {
    ...deps,
    device,
    marks,
    events,
    status,
    refresh,
    pass,
    view: createLinkView({ ...deps, status: () => ({ state: 'off' }), tunnels: () => NO_TUNNELS }),
    takeDevice: async () => {
      sinceMs = undefined;
      await peers.attach(undefined);
    },
    end: async () => {
      stop.abort();
      await done;
    },
  };
}

const handshake = (ms: number, endpoint: string) => ({
  lastHandshakeMs: ms,
  endpoint,
  receivedBytes: 1_000,
  sentBytes: 2_000,
});
const text = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

describe('states of the link on ServerBindings', () => {
  it('come with the handshake, by UDP and by tunnel, and are told once', async () => {
    const { device, status, pass, marks, events, end } = await setUp();
    device.set(K1, handshake(START + 1_000, '10.0.0.2:4242'));
    device.set(K2, handshake(START + 2_000, '127.0.0.1:5000'));
    await pass(20_000);
    assert.deepEqual(await status('m1'), {
      link: 'up',
      lastHandshake: text(START + 1_000),
      linkEndpoint: '10.0.0.2:4242',
      conditions: [
        {
          type: 'SideroLinkConnected',
          status: 'True',
          message: `WireGuard over UDP from 10.0.0.2:4242; last handshake ${text(START + 1_000)}`,
          lastTransitionTime: text(START + 4_000),
        },
      ],
    });
    const tunnelled = await status('m2');
    assert.deepEqual([tunnelled?.link, tunnelled?.linkEndpoint], ['up', undefined]);
    assert.equal(
      tunnelled?.conditions?.[0]?.message,
      `WireGuard through the gRPC tunnel; last handshake ${text(START + 2_000)}`,
    );
    assert.equal(await status('m3'), undefined);
    assert.deepEqual(
      marks.map(({ event, about }) => [event, about]),
      [
        ['LinkUp', { server: 'm1' }],
        ['LinkUp', { server: 'm2' }],
      ],
    );
    assert.deepEqual(
      events.map(({ reason }) => reason),
      ['LinkUp'],
      'an Event for the Server that there is',
    );
    await end();
  });

  it('are written ten times an hour at most while a machine is up, and once when it is silent', async () => {
    const { client, device, status, pass, end } = await setUp();
    const versions = new Set<string | undefined>();
    for (let minute = 0; minute < 60; minute += 2) {
      device.set(K1, handshake(START + minute * 60_000, '10.0.0.2:4242'));
      await pass(120_000);
      versions.add((await client.get(serverBinding, { name: 'm1' })).metadata.resourceVersion);
    }
    assert.ok(versions.size <= 7, `${versions.size} versions`);
    await pass(300_000);
    assert.equal((await status('m1'))?.link, 'down');
    assert.equal((await status('m1'))?.conditions?.[0]?.reason, 'LinkDown');
    await end();
  });

  it('say never only when a machine stays away', async () => {
    const { status, pass, end } = await setUp();
    await pass(20_000);
    assert.equal(await status('m1'), undefined);
    await pass(20_000);
    assert.equal((await status('m1'))?.link, 'never');
    assert.equal((await status('m1'))?.conditions?.[0]?.reason, 'LinkNeverUp');
    await end();
  });

  it('are down when there is no device for 275 s', async () => {
    const { device, status, pass, takeDevice, end } = await setUp();
    device.set(K1, handshake(START, '10.0.0.2:4242'));
    await pass(20_000);
    await takeDevice();
    await pass(200_000);
    assert.equal((await status('m1'))?.link, 'up');
    await pass(100_000);
    assert.equal((await status('m1'))?.link, 'down');
    assert.match((await status('m1'))?.conditions?.[0]?.message ?? '', /device of this plane is down/);
    await end();
  });

  it('come some seconds after a machine asked for its address', async () => {
    const { client, clock, device, refresh, status, end } = await setUp();
    await clock.advance(1_000);
    const key = keyOf('3');
    const spec = { siderolink: { address: 'fd00::1:3/64', publicKey: key } };
    await client.patch(serverBinding, { name: 'm3' }, { type: 'merge', body: { spec } });
    await refresh();
    device.set(key, handshake(START, '10.0.0.3:1'));
    await clock.advance(4_000);
    assert.equal((await status('m3'))?.link, 'up');
    await end();
  });

  it('do not stop because one machine is gone meanwhile', async () => {
    const { client, device, status, clock, end } = await setUp();
    device.set(K1, handshake(START, '10.0.0.1:1'));
    device.set(K2, handshake(START, '10.0.0.2:2'));
    await client.delete(serverBinding, { name: 'm1' });
    await clock.advance(20_000);
    assert.equal((await status('m2'))?.link, 'up');
    await end();
  });
});

describe('the view of the link', () => {
  it('is what the last look saw', async () => {
    const { device, view, pass, end } = await setUp();
    device.set(K1, handshake(START + 1_000, '10.0.0.2:4242'));
    await pass(20_000);
    const [first, second, ...more] = view.peers();
    assert.deepEqual(first, {
      server: 'm1',
      hostname: '',
      mode: 'udp',
      state: 'up',
      lastHandshakeMs: START + 1_000,
      endpoint: '10.0.0.2:4242',
      receivedBytes: 1_000,
      sentBytes: 2_000,
      address: 'fd00::1:1',
      publicKey: K1,
    });
    assert.deepEqual([second?.server, second?.mode, second?.state, more], ['m2', 'tunnel', 'never', []]);
    assert.deepEqual([view.peer('m1'), view.peer('m3'), view.peer('m4')], [first, undefined, undefined]);
    assert.deepEqual(view.metrics(), {
      peers: { up: 1, stale: 0, never: 1 },
      receivedBytes: 1_000,
      sentBytes: 2_000,
      handshakes: 1,
      tunnels: NO_TUNNELS,
    });
    await end();
  });
});
