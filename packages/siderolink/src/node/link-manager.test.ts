import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock, type LogFields, type Logger, silentLog } from '@bloomery/ports';
import { createFakeLink, type FakeLinkServer, GRANT, startFakeLinkServer } from '../testing/fake-link.ts';
import { type LinkManager, startLinkManager } from './link-manager.ts';
import type { LinkInputs } from './node-options.ts';

const V = '[fdae:41e4:649b:9304::7]:50888';
const START_MS = Date.parse('2026-02-03T04:05:06Z');

describe('keeping a machine on the link', () => {
  let clock: FakeClock;
  let server: FakeLinkServer;
  let link: ReturnType<typeof createFakeLink>;
  let warnings: string[];
  let manager: LinkManager | undefined;
  let inputs: LinkInputs;

  beforeEach(async () => {
    clock = createFakeClock(START_MS);
    server = await startFakeLinkServer();
    link = createFakeLink(clock);
    warnings = [];
    inputs = { api: server.api, uuid: 'u-1', talosVersion: 'v1.13.0' };
  });
  afterEach(async () => {
    await manager?.[Symbol.asyncDispose]();
    manager = undefined;
    await server[Symbol.asyncDispose]();
  });

  const log: Logger = {
    ...silentLog,
    warn: (event: string, fields?: LogFields) => void warnings.push(`${event} ${JSON.stringify(fields)}`),
  };
  const start = (...given: readonly (LinkInputs | undefined)[]): LinkManager => {
    const first = given.length === 0 ? inputs : given[0];
    const deps = { clock, log, random: (n: number) => randomBytes(n), startRelay: link.startRelay };
    manager = startLinkManager(first, { ...deps, startDevice: (t, k) => link.startDevice(t, k) });
    return manager;
  };
  const until = async (what: string, isTrue: () => boolean): Promise<void> => {
    const deadline = Date.now() + 10_000;
    while (!isTrue()) {
      assert.ok(Date.now() < deadline, `${what}: waited 10 s in vain; ${JSON.stringify(link.log)}`);
      await clock.advance(0);
    }
  };
  /** Lets virtual time pass in steps until it is so; gives the milliseconds it took. */
  const pass = async (what: string, stepMs: number, isTrue: () => boolean): Promise<number> => {
    const startMs = clock.nowMs();
    while (!isTrue()) {
      assert.ok(clock.nowMs() - startMs < 3_600_000, `${what}: not within an hour; ${JSON.stringify(link.log)}`);
      await clock.advance(stepMs);
      // Calls take real time, in which virtual time must not pass.
      for (let i = 0; i < 3 && !isTrue(); i++) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return clock.nowMs() - startMs;
  };
  const joined = (): Promise<void> => until('joined', () => link.log.some((line) => line.includes('/64')));

  it('provisions, makes the interface with the server as its peer, and is connected with the first handshake', async () => {
    server.answer = { ...GRANT, serverEndpoint: ['b:1', 'c:2', 'a:3'] };
    const { status } = start();
    await joined();
    assert.deepEqual(link.log, ['add siderolink 44', 'siderolink fdae:41e4:649b:9303::abc/64 a:3']);
    const [request] = server.requests;
    assert.equal(request?.nodeUuid, 'u-1');
    assert.equal(request?.talosVersion, 'v1.13.0');
    assert.equal(request?.nodePublicKey.length, 44);
    assert.equal(request?.nodeUniqueToken, '');
    assert.equal(request?.joinToken, undefined);
    assert.equal(request?.wireguardOverGrpc, undefined);
    assert.equal(status().connected, false);
    link.shake();
    await pass('connected', 1_000, () => status().connected);
    assert.deepEqual(status(), {
      connected: true,
      host: '127.0.0.1',
      linkName: 'siderolink',
      grpcTunnel: false,
      nodeAddress: 'fdae:41e4:649b:9303::abc/64',
      serverAddress: 'fdae:41e4:649b:9303::1',
      endpoint: 'a:3',
      lastHandshakeMs: START_MS,
    });
  });

  it('asks with what the API text says', async () => {
    start({ ...inputs, api: `grpc://${server.api}?jointoken=abc&grpc_tunnel=true`, uniqueToken: 'unique' });
    await joined();
    const [request] = server.requests;
    assert.equal(request?.joinToken, 'abc');
    assert.equal(request?.wireguardOverGrpc, true);
    assert.equal(request?.nodeUniqueToken, 'unique');
    assert.equal(link.log[0], 'add siderolink 44', 'the server decides, and it gave no virtual address');
  });

  it('says each cause once, backs off, and joins when the server takes it', async () => {
    server.answer = 'NOT_FOUND';
    const { status } = start();
    await pass('tries', 1_000, () => server.requests.length === 6);
    assert.equal(warnings.length, 1);
    assert.match(status().lastError ?? '', /the server does not know this machine yet; it is tried again$/);
    const waits = [];
    for (let tries = 7; tries < 16; tries++) {
      waits.push(await pass('another try', 1_000, () => server.requests.length === tries));
    }
    assert.ok(Math.max(...waits) <= 38_500, `waits at most 30 s and a quarter: ${waits}`);
    server.answer = 'PERMISSION_DENIED';
    await pass('the other cause', 1_000, () => warnings.length === 2);
    server.answer = GRANT;
    await pass('joined', 1_000, () => link.devices.length === 1);
    await until('the trouble is over', () => status().lastError === undefined);
    assert.equal(status().connected, false);
    link.shake();
    await pass('connected', 1_000, () => status().connected);
    assert.equal(status().lastError, undefined);
    assert.equal(new Set(server.requests.map((request) => request.nodePublicKey)).size, 1, 'one key for all tries');
  });

  it('takes the next endpoint after 275 s without a handshake, then provisions again', async () => {
    server.answer = { ...GRANT, serverEndpoint: ['b:2', 'a:1'] };
    const { status } = start();
    await joined();
    link.shake();
    await pass('connected', 1_000, () => status().connected);
    const silentMs = await pass('the next endpoint', 1_000, () => link.log.length === 3);
    assert.ok(silentMs >= 274_000 && silentMs <= 306_000, `${silentMs}`);
    assert.equal(link.log[2], 'siderolink fdae:41e4:649b:9303::abc/64 b:2');
    assert.equal(status().connected, false);
    assert.match(status().lastError ?? '', /^a:1 does not answer WireGuard/);
    const secondMs = await pass('Provision', 1_000, () => server.requests.length === 2);
    assert.ok(secondMs >= 275_000 && secondMs <= 277_000, `${secondMs}`);
    await until('set up again', () => link.log.length === 4);
    assert.equal(link.devices.length, 1, 'the interface stays');
  });

  it('stays on an endpoint that answers', async () => {
    const { status } = start();
    await joined();
    for (let i = 0; i < 30; i++) {
      link.shake();
      await clock.advance(120_000);
      assert.equal(status().connected, true);
    }
    assert.equal(server.requests.length, 1);
    assert.equal(link.log.length, 2);
  });

  it('goes through a relay where the server gave a virtual address, and never shows that', async () => {
    server.answer = { ...GRANT, serverEndpoint: [V], grpcPeerAddrPort: V };
    const { status } = start();
    await joined();
    assert.deepEqual(link.log, [
      'add siderolinktun 44',
      `relay 1 ${V}`,
      'siderolinktun fdae:41e4:649b:9303::abc/64 127.0.0.1:1',
    ]);
    link.shake();
    await pass('connected', 1_000, () => status().connected);
    assert.equal(status().grpcTunnel, true);
    assert.doesNotMatch(JSON.stringify([status(), warnings]), /9304::7/);
  });

  it('starts the relay again 5 s after another took over, and provisions again when the server knows it no more', async () => {
    server.answer = { ...GRANT, serverEndpoint: [V], grpcPeerAddrPort: V };
    start();
    await joined();
    link.relays[0]?.end({ reason: 'ABORTED', message: '' });
    const abortedMs = await pass('another relay', 500, () => link.relays.length === 2);
    assert.ok(abortedMs >= 5_000 && abortedMs <= 6_000, `${abortedMs}`);
    assert.equal(server.requests.length, 1);
    await until('its endpoint', () => link.log.at(-1)?.endsWith('127.0.0.1:2') === true);
    link.relays[1]?.end({ reason: 'PERMISSION_DENIED', message: '' });
    await pass('Provision', 500, () => server.requests.length === 2);
  });

  it('removes the interface of the other mode when the server changes it', async () => {
    start();
    await joined();
    server.answer = { ...GRANT, serverEndpoint: [V], grpcPeerAddrPort: V };
    await pass('Provision', 1_000, () => server.requests.length === 2);
    await until('the tunnel', () => link.log.at(-1)?.startsWith('siderolinktun') === true);
    const want = ['add siderolink 44', 'remove siderolink', 'add siderolinktun 44'];
    assert.deepEqual(
      link.log.filter((line) => /^(add|remove) /.test(line)),
      want,
    );
  });

  it('discards everything when its inputs change, and nothing when they only are written otherwise', async () => {
    const { update } = start();
    await joined();
    update({ ...inputs, api: `grpc://${server.api}/` });
    await clock.advance(10_000);
    assert.equal(server.requests.length, 1);
    update({ ...inputs, uuid: 'u-2' });
    await until('Provision as another', () => link.devices.length === 2 && link.log.length === 5);
    assert.equal(link.log[2], 'remove siderolink');
    assert.equal(server.requests[1]?.nodeUuid, 'u-2');
  });

  it('waits for inputs, and leaves when they are taken away', async () => {
    const { status, update } = start(undefined);
    await clock.advance(60_000);
    assert.deepEqual(status(), { connected: false, host: '', linkName: '', grpcTunnel: false });
    update(inputs);
    await joined();
    update(undefined);
    await until('left', () => link.log.at(-1) === 'remove siderolink');
    assert.equal(status().linkName, '');
  });

  it('makes the interface again when it went away', async () => {
    const { status } = start();
    await joined();
    link.shake();
    await pass('connected', 1_000, () => status().connected);
    for (const device of link.devices) {
      device.fails = true;
      device.lose('wireguard-go ended');
    }
    await pass('another interface', 500, () => link.devices.length === 2);
    await until('set up', () => link.log.at(-1)?.includes('/64') === true);
    assert.match(warnings.join(), /wireguard-go ended/);
  });

  it('says no token, also when the server repeats it', async () => {
    link.deviceError = new Error('no room for join-token-7, unique-token-7 on this server');
    const { status } = start({ ...inputs, api: `${inputs.api}?jointoken=join-token-7`, uniqueToken: 'unique-token-7' });
    await until('the reason', () => status().lastError !== undefined);
    assert.match(status().lastError ?? '', /: no room for \*\*\*, \*\*\* on this server; it is tried again$/);
    assert.doesNotMatch(warnings.join(), /token-7/);
  });

  it('says why there is no interface, and tries again', async () => {
    link.deviceError = new Error('not permitted');
    const { status } = start();
    await until('the reason', () => status().lastError !== undefined);
    assert.match(status().lastError ?? '', /^joining the link of 127\.0\.0\.1: not permitted; it is tried again$/);
    link.deviceError = undefined;
    await pass('an interface', 500, () => link.devices.length === 1);
  });

  const unusable: readonly (readonly [string, Partial<typeof GRANT>])[] = [
    ['no endpoint', { serverEndpoint: [] }],
    ['no address', { nodeAddressPrefix: 'x' }],
    ['an address without length', { nodeAddressPrefix: 'fd00::1' }],
    ['no server address', { serverAddress: '' }],
  ];
  for (const [title, wrong] of unusable) {
    it(`does not take an answer with ${title}`, async () => {
      server.answer = { ...GRANT, ...wrong };
      const { status } = start();
      await until('the reason', () => status().lastError !== undefined);
      assert.match(status().lastError ?? '', /has not .* that can be used/);
      assert.deepEqual(link.log, []);
    });
  }

  it('tells every change of the status once, until nobody listens', async () => {
    const { onChanged, status } = start();
    const told: boolean[] = [];
    const end = onChanged((next) => {
      assert.deepEqual(next, status());
      told.push(next.connected);
    });
    await joined();
    link.shake();
    await pass('connected', 1_000, () => status().connected);
    assert.deepEqual(told.filter(Boolean), [true]);
    end();
    const before = told.length;
    link.shake();
    await clock.advance(60_000);
    assert.equal(told.length, before);
  });

  it('goes on when an interface cannot be removed', async () => {
    const { status, update } = start();
    await joined();
    link.removalError = new Error('busy');
    update({ ...inputs, uuid: 'u-2' });
    await until('joined as another', () => link.devices.length === 2);
    link.shake();
    await pass('connected', 200, () => status().connected);
    assert.match(warnings.join(), /link\.interface_stays .*busy/);
  });

  it('leaves at its end, also while it waits or asks', async () => {
    const first = start();
    await first[Symbol.asyncDispose]();
    assert.equal(
      link.log.filter((line) => line.startsWith('add')).length,
      link.log.filter((line) => line.startsWith('remove')).length,
    );
    const second = start();
    await joined();
    await second[Symbol.asyncDispose]();
    assert.equal(link.log.at(-1), 'remove siderolink');
  });
});
