import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Listen, Logger } from '@bloomery/ports';
import type { Resolver } from './resolver.ts';
import { isLoopback, type UdpBackend, type UdpSocket } from './udp-backend.ts';

/** Questions of all sockets that wait for an answer; more are dropped, clients ask again. */
const WAITING_MAX = 2_000;

/**
 * Datagrams by Node's own means, on the thread of the caller: for hosts without the native parts.
 *
 * @param counts What was counted by another way before.
 */
export function createPortableUdp(resolver: Resolver, log: Logger, counts = { hits: 0, shed: 0 }): UdpBackend {
  const sockets = new Set<Socket>();
  let waiting = 0;
  const receive = (socket: Socket, packet: Buffer, from: RemoteInfo): void => {
    const reply = resolver.replyFromCache(packet, 'udp');
    if (reply !== undefined) {
      send(socket, Buffer.from(reply), from);
      return;
    }
    if (waiting >= WAITING_MAX) {
      counts.shed += 1;
      return;
    }
    waiting += 1;
    void resolver.resolve({ packet, transport: 'udp', fromLoopback: isLoopback(from.address) }).then((answered) => {
      waiting -= 1;
      if (answered !== undefined && sockets.has(socket)) send(socket, answered.packet, from);
    });
  };
  return {
    counts,
    async bind(listen, hopLimit) {
      const socket = await bindSocket(listen);
      socket.setTTL(hopLimit);
      sockets.add(socket);
      // What a client does to its own answers (ICMP messages) is no matter of the socket.
      socket.on('error', (error) => log.debug('dns.socket-error', { error: error.message }));
      socket.on('message', (packet, from) => receive(socket, packet, from));
      return udpSocket(socket, sockets);
    },
    // The resolver's cache is the only one here.
    remember() {},
    forget() {},
    clear() {},
    async [Symbol.asyncDispose]() {
      await Promise.all([...sockets].map((socket) => udpSocket(socket, sockets)[Symbol.asyncDispose]()));
    },
  };
}

function send(socket: Socket, packet: Uint8Array, to: RemoteInfo): void {
  // Without a callback an error would be thrown at the socket; an answer that cannot be sent is like one that is lost.
  socket.send(packet, to.port, to.address, () => {});
}

function bindSocket({ host, port }: Listen): Promise<Socket> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', ipv6Only: isIPv6(host) });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, host, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function udpSocket(socket: Socket, sockets: Set<Socket>): UdpSocket {
  const { address, port } = socket.address();
  return {
    address: { host: address, port },
    setHopLimit: (hopLimit) => {
      socket.setTTL(hopLimit);
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        if (!sockets.delete(socket)) return resolve();
        socket.close(() => resolve());
      }),
  };
}
