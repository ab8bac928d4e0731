import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { createGrpcClient, createGrpcHandler } from '@bloomery/grpc';
import { type Service, silentLog, systemClock, until } from '@bloomery/ports';
import { generateWireguardKey, startTunnelRelay, type TunnelRelay, virtualAddress } from '@bloomery/siderolink';
import { createTestAuthority } from '@bloomery/talos/testing';
import { startMachineListener } from '../../boot/machine-listener.ts';
import { createLinkPeers, type LinkPeers } from '../peers/link-peers.ts';
import { type FakeWireguard, fakeWireguard } from '../testing/fake-wireguard.ts';
import { keyOf, linkBinding } from '../testing/link-bindings.ts';
import { createTunnelService, type TunnelService } from './tunnel-service.ts';

const serverPrivateKey = generateWireguardKey();
const [K1, K2] = [keyOf('1'), keyOf('2')];
const tunnelled = (key: string, revision: number, isUp = false) =>
  linkBinding(
    'm',
    { address: 'fd00::a', key },
    {
      revision,
      annotations: { 'bloomery.dev/siderolink-mode': 'tunnel' },
      ...(isUp ? { status: { link: 'up' } } : {}),
    },
  );

const dir = mkdtempSync(join(tmpdir(), 'blm-tunnel-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const authority = await createTestAuthority();
const issued = await authority.issue('plane', ['127.0.0.1']);
const tls = { certFile: join(dir, 'tls.crt'), keyFile: join(dir, 'tls.key') };
writeFileSync(tls.certFile, issued.certificatePem);
writeFileSync(tls.keyFile, issued.keyPem);

for (const isSecure of [false, true]) {
  describe(`tunnels at the machine port, ${isSecure ? 'by TLS' : 'in plain text'}`, () => {
    let peers: LinkPeers;
    let device: FakeWireguard;
    /** The UDP end of the device, and of the machine's WireGuard. */
    let ends: { readonly server: Socket; readonly machine: Socket };
    let tunnel: TunnelService;
    let port: Service;
    const relays: TunnelRelay[] = [];

    beforeEach(async () => {
      peers = createLinkPeers({ serverPrivateKey, clock: systemClock, log: silentLog });
      device = fakeWireguard();
      await peers.attach(device);
      ends = { server: await udp(), machine: await udp() };
      tunnel = createTunnelService({
        peers,
        devicePort: () => ends.server.address().port,
        clock: systemClock,
        log: silentLog,
        limits: { callAfterMs: 50 },
      });
      port = await startMachineListener(
        { host: '127.0.0.1', port: 0 },
        {
          serve: () => ({
            routes: [],
            grpc: createGrpcHandler([tunnel.service], { log: silentLog, clock: systemClock }),
          }),
          log: silentLog,
          clock: systemClock,
          tls,
        },
      );
    });
    afterEach(async () => {
      for (const relay of relays.splice(0)) await relay[Symbol.asyncDispose]();
      tunnel[Symbol.dispose]();
      await port[Symbol.asyncDispose]();
      for (const socket of Object.values(ends)) socket.close();
    });
    const relayOf = async (key: string): Promise<TunnelRelay> => {
      const secure = isSecure ? { tls: { ca: authority.certificatePem } } : {};
      const relay = await startTunnelRelay(
        {
          virtualAddress: virtualAddress(serverPrivateKey, key),
          dial: () => createGrpcClient({ address: port.address, clock: systemClock, ...secure }),
        },
        { clock: systemClock, log: silentLog, random: (length) => new Uint8Array(length) },
      );
      relays.push(relay);
      return relay;
    };

    it('carry packets both ways, and end with the key of the machine', async () => {
      await peers.put(tunnelled(K1, 1));
      const relay = await relayOf(K1);
      ends.machine.send('hello', relay.address.port, '127.0.0.1');
      const [hello, { port: from }] = await once(ends.server, 'message');
      assert.equal(String(hello), 'hello');
      ends.server.send('welcome', from, '127.0.0.1');
      const [welcome] = await once(ends.machine, 'message');
      assert.equal(String(welcome), 'welcome');
      await peers.put(tunnelled(K2, 2));
      assert.equal((await relay.ended).reason, 'PERMISSION_DENIED');
      assert.equal(tunnel.counters().streams, 0);
      const next = await relayOf(K2);
      await until('the new key', () => next.stats().connected && tunnel.counters().streams === 1);
    });

    it('end with the binding, and with the mode', async () => {
      const byUdp = linkBinding('m', { address: 'fd00::a', key: K1 }, { revision: 2 });
      const ways: [revision: number, end: () => Promise<void>][] = [
        [1, () => peers.put(byUdp)],
        [3, () => peers.remove(tunnelled(K1, 4))],
      ];
      for (const [revision, end] of ways) {
        await peers.put(tunnelled(K1, revision));
        const relay = await relayOf(K1);
        await until('open', () => tunnel.counters().streams === 1);
        await end();
        assert.equal((await relay.ended).reason, 'PERMISSION_DENIED');
      }
    });

    it('let the device call a silent machine that was linked, and again when there is another device', async () => {
      await peers.put(tunnelled(K1, 1, true));
      await relayOf(K1);
      await until('the call', () => /127\.0\.0\.1:\d+$/.test(device.list()[0] ?? ''));
      const called = device.list();
      const fresh = fakeWireguard();
      await peers.attach(fresh);
      assert.deepEqual(fresh.list(), [`${K1} fd00::a/128 -`]);
      tunnel.deviceIsUp();
      await until('the call by the new device', () => fresh.list()[0] === called[0]);
    });

    it('leave a machine alone that was never linked: it calls by itself', async () => {
      await peers.put(tunnelled(K1, 1));
      await relayOf(K1);
      await until('open', () => tunnel.counters().streams === 1);
      tunnel.deviceIsUp();
      await peers.call([K1]);
      assert.deepEqual(device.list(), [`${K1} fd00::a/128 -`]);
    });
  });
}

async function udp(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
