import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { createGrpcClient, createGrpcHandler, type GrpcClient, type RawCall } from '@bloomery/grpc';
import { silentLog, systemClock } from '@bloomery/ports';
import { linkTunnelProto } from '@bloomery/wire';
import fc from 'fast-check';
import { createConnectionBounds } from './connection-bounds.ts';
import { startMachineListener } from './machine-listener.ts';

/** What the bounds see of a socket. */
class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort: number;
  destroyed = false;
  constructor(remoteAddress: string, remotePort: number) {
    super();
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
  get asSocket(): Socket {
    return this as unknown as Socket;
  }
}

describe('the bounds of connections', () => {
  it('hold for all and for each address, and places come back', () => {
    const bounds = createConnectionBounds({ connections: 3, connectionsPerAddress: 2, tunnels: 0 });
    const sockets = ['a', 'a', 'a', 'b', 'c'].map((address, port) => new FakeSocket(address, port));
    assert.deepEqual(
      sockets.map((socket) => bounds.admit(socket.asSocket)),
      [true, true, false, true, false],
    );
    sockets[0]?.destroy();
    assert.deepEqual(
      [bounds.admit(new FakeSocket('c', 9).asSocket), bounds.admit(new FakeSocket('a', 9).asSocket)],
      [true, false],
    );
    bounds.closeAll();
    assert.ok(sockets.every(({ destroyed }) => destroyed));
    assert.ok(bounds.admit(new FakeSocket('c', 9).asSocket));
  });

  it('give the place of a connection with a tunnel to others, and take it back when the tunnel ends', () => {
    const bounds = createConnectionBounds({ connections: 10, connectionsPerAddress: 1, tunnels: 2 });
    const open = (port: number): boolean => bounds.admit(new FakeSocket('balancer', port).asSocket);
    assert.deepEqual([open(1), open(2)], [true, false]);
    const ends = [
      bounds.carry({ remoteAddress: 'balancer', remotePort: 1 }),
      bounds.carry({ remoteAddress: 'balancer', remotePort: 1 }),
    ];
    assert.deepEqual([open(2), open(3)], [true, false]);
    bounds.carry({ remoteAddress: 'balancer', remotePort: 2 });
    assert.deepEqual([open(3), open(4)], [true, false]);
    bounds.carry({ remoteAddress: 'balancer', remotePort: 3 });
    assert.equal(open(4), false, 'two tunnels are exempt, the third counts');
    ends[0]?.();
    assert.equal(open(4), false);
    ends[1]?.();
    assert.equal(open(4), false, 'two of three count now');
  });

  it('come back to nothing, whatever happens in which order', () => {
    const action = fc.tuple(fc.constantFrom('open', 'close', 'carry', 'end'), fc.nat(7));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const limits = { connections: 5, connectionsPerAddress: 3, tunnels: 2 };
        const bounds = createConnectionBounds(limits);
        const open = new Map<number, FakeSocket>();
        const ends: (() => void)[] = [];
        for (const [what, n] of actions) {
          const peer = new FakeSocket(n % 2 === 0 ? 'even' : 'odd', n);
          if (what === 'open' && !open.has(n) && bounds.admit(peer.asSocket)) open.set(n, peer);
          if (what === 'close') {
            open.get(n)?.destroy();
            open.delete(n);
          }
          if (what === 'carry') ends.push(bounds.carry(peer));
          if (what === 'end') ends.shift()?.();
          assert.ok(open.size <= limits.connections + limits.tunnels);
        }
        bounds.closeAll();
        for (const end of ends) end();
        const again = [0, 2, 4, 6, 1, 3, 5].map((n) =>
          bounds.admit(new FakeSocket(n % 2 === 0 ? 'even' : 'odd', n).asSocket),
        );
        assert.deepEqual(again, [true, true, true, false, true, true, false]);
      }),
    );
  });
});

describe('the machine port with machines behind one address', () => {
  it('holds more tunnels than connections, and keeps its bound for those it does not know', async () => {
    const path = '/sidero.link.WireGuardOverGRPCService/CreateStream';
    const tunnel = {
      path,
      open: (call: RawCall) => {
        if (call.context.metadata['x-known'] !== 'yes') return call.finish('PERMISSION_DENIED');
        call.accept();
        call.stream.resume();
      },
    };
    const grpc = createGrpcHandler([{ name: 'tunnel', methods: [tunnel] }], { log: silentLog, clock: systemClock });
    await using service = await startMachineListener(
      { host: '127.0.0.1', port: 0 },
      {
        serve: () => ({ routes: [], grpc }),
        log: silentLog,
        clock: systemClock,
        limits: { connections: 4, connectionsPerAddress: 2, tunnels: 20 },
      },
    );
    const clients: GrpcClient[] = [];
    const open = (known: 'yes' | 'no') => {
      const client = createGrpcClient({ address: service.address, clock: systemClock });
      clients.push(client);
      const method = linkTunnelProto.WireGuardOverGRPCService.method.createStream;
      const call = client.open(method, { metadata: { 'x-known': known } });
      call.stream.resume();
      return call;
    };
    for (let n = 0; n < 20; n++) await once(open('yes').stream, 'response');
    const refused = [open('no'), open('no')];
    await Promise.all(refused.map((call) => assert.rejects(call.ended(), /peer|PERMISSION_DENIED/)));
    await assert.rejects(
      open('yes').ended(),
      /ECONNRESET|closed|without a status|socket/,
      'the places of unknown ones are taken',
    );
    for (const client of clients) client.close();
  });
});
