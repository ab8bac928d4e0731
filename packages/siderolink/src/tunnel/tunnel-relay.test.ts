import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createGrpcClient } from '@bloomery/grpc';
import { silentLog, systemClock, until } from '@bloomery/ports';
import {
  type FakeDevice,
  openRawMachine,
  startFakeDevice,
  startTunnelRig,
  type TunnelRig,
} from './testing/tunnel-rig.ts';
import { startTunnelRelay, type TunnelRelay, type TunnelRelayOptions } from './tunnel-relay.ts';

const V = '[fdae:41e4:649b:9304::aa]:50888';
const deps = { clock: systemClock, log: silentLog, random: (length: number) => new Uint8Array(length) };

describe('the relay between WireGuard and a tunnel', () => {
  let wireguard: FakeDevice;
  let server: FakeDevice;
  let rig: TunnelRig;
  const relays: TunnelRelay[] = [];
  beforeEach(async () => {
    wireguard = await startFakeDevice();
    server = await startFakeDevice();
    rig = await startTunnelRig(server.port);
    rig.owners.set(V, 'server-1');
  });
  afterEach(async () => {
    for (const relay of relays.splice(0)) await relay[Symbol.asyncDispose]();
    await rig[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await wireguard[Symbol.asyncDispose]();
  });
  const start = async (options: Partial<TunnelRelayOptions> = {}): Promise<TunnelRelay> => {
    const relay = await startTunnelRelay({ virtualAddress: V, dial: () => rig.dial(), ...options }, deps);
    relays.push(relay);
    return relay;
  };
  /** Where the server's WireGuard sees the machine: where it heard it, else where it was told to call it. */
  const serverSide = (): number => [...server.ports].at(-1) ?? Number(rig.opened.at(-1)?.split(':')[1]);

  it('carries datagrams both ways at the endpoint it names', async () => {
    const relay = await start();
    assert.equal(relay.endpoint, `127.0.0.1:${relay.address.port}`);
    wireguard.send('hello', relay.address.port);
    await until('hello', () => server.heard.length === 1);
    server.send('welcome', serverSide());
    await until('welcome', () => wireguard.heard.length === 1);
    assert.deepEqual(
      [server.heard, wireguard.heard, [...wireguard.ports]],
      [['hello'], ['welcome'], [relay.address.port]],
    );
    assert.deepEqual(relay.stats(), { connected: true, connections: 1, sent: 1, received: 1, dropped: 0 });
  });

  it('holds what comes before WireGuard has spoken, at most 100 datagrams', async () => {
    const relay = await start();
    await until('open', () => rig.opened.length === 1);
    for (let n = 0; n < 110; n++) {
      server.send(`early ${n}`, serverSide());
      await until('on its way', () => rig.tunnel.counters().toMachines > n);
    }
    await until('too many', () => relay.stats().dropped === 10);
    wireguard.send('hello', relay.address.port);
    await until('all held', () => wireguard.heard.length === 100);
    assert.deepEqual(
      wireguard.heard,
      Array.from({ length: 100 }, (_, n) => `early ${n + 10}`),
    );
  });

  it('keeps the newest 100 datagrams while there is no server, and connects when it is back', async () => {
    const { port } = rig;
    await rig[Symbol.asyncDispose]();
    const relay = await start();
    for (let n = 0; n < 110; n++) wireguard.send(`packet ${n}`, relay.address.port);
    await until('too many', () => relay.stats().dropped === 10);
    rig = await startTunnelRig(server.port, { port });
    rig.owners.set(V, 'server-1');
    await until('the newest', () => server.heard.length === 100);
    assert.deepEqual(
      server.heard,
      Array.from({ length: 100 }, (_, n) => `packet ${n + 10}`),
    );
  });

  it('connects again when the connection is lost, with a new client each time', async () => {
    let dialed = 0;
    const relay = await start({
      dial: () => {
        dialed += 1;
        return rig.dial();
      },
    });
    wireguard.send('before', relay.address.port);
    await until('before', () => server.heard.length === 1);
    const { port } = rig;
    await rig[Symbol.asyncDispose]();
    await until('noticed', () => !relay.stats().connected);
    rig = await startTunnelRig(server.port, { port });
    rig.owners.set(V, 'server-1');
    await until('connected again', () => relay.stats().connections === 2 && rig.opened.length === 1);
    wireguard.send('after', relay.address.port);
    await until('after', () => server.heard.length === 2);
    server.send('answer', serverSide());
    await until('answer', () => wireguard.heard.length === 1);
    assert.ok(dialed >= 2);
  });

  it('ends when another one takes over', async () => {
    const relay = await start();
    await until('open', () => rig.opened.length === 1);
    const client = rig.dial();
    openRawMachine(client, V);
    const { reason, message } = await relay.ended;
    assert.equal(reason, 'ABORTED');
    assert.match(message, /peer replaced/);
    client.close();
  });

  it('ends when the server does not know the address, at first or later', async () => {
    const unknown = await start({ virtualAddress: '[fdae:41e4:649b:9304::bb]:50888' });
    assert.equal((await unknown.ended).reason, 'PERMISSION_DENIED');
    const known = await start();
    await until('open', () => rig.opened.length === 1);
    rig.tunnel.revoke(V);
    assert.equal((await known.ended).reason, 'PERMISSION_DENIED');
  });

  it('goes on with a WireGuard that is back on another port', async () => {
    const relay = await start();
    wireguard.send('one', relay.address.port);
    await until('one', () => server.heard.length === 1);
    await wireguard[Symbol.asyncDispose]();
    server.send('to nobody', serverSide());
    await until('sent', () => relay.stats().received === 1);
    wireguard = await startFakeDevice();
    await until('heard again', () => {
      wireguard.send('two', relay.address.port);
      return server.heard.includes('two');
    });
    server.send('answer', serverSide());
    await until('answer', () => wireguard.heard.includes('answer'));
  });

  it('gives a connection up on which WireGuard calls without an answer', async () => {
    const relay = await start();
    await until('open', () => rig.opened.length === 1);
    const call = Buffer.alloc(148);
    call[0] = 1;
    for (let n = 0; n < 4; n++) wireguard.send(call, relay.address.port);
    await until('another connection', () => relay.stats().connections === 2);
  });

  it('is disposed while its server does not answer', async () => {
    const silent = createServer(() => {});
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const bound = silent.address();
    const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
    const relay = await start({
      dial: () => createGrpcClient({ address: { host: '127.0.0.1', port }, clock: systemClock }),
    });
    await relay[Symbol.asyncDispose]();
    assert.equal((await relay.ended).reason, 'closed');
    silent.close();
  });

  it('starts and stops a hundred times without leaving a socket behind', async () => {
    const sockets = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'UDPWRAP' || name === 'TCPSocketWrap').length;
    const before = sockets();
    for (let n = 0; n < 100; n++) {
      const relay = await startTunnelRelay({ virtualAddress: V, dial: () => rig.dial() }, deps);
      if (n % 2 === 0) await until('open', () => relay.stats().connected);
      await relay[Symbol.asyncDispose]();
    }
    await until('all closed', () => sockets() <= before);
  });
});
