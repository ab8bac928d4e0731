import { createServer, isIPv6, type Server } from 'node:net';
import { type BoundAddress, type Clock, createSocketRoom, type Listen } from '@bloomery/ports';
import type { Resolver } from './resolver.ts';
import { serveTcpConnection } from './tcp-connection.ts';

/** Connections of one listener; with more, the one that said nothing for longest is closed. */
const CONNECTIONS_MAX = 256;
/** Answers that its clients have not taken yet. */
const BACKLOG_MAX_BYTES = 16 << 20;

export interface TcpListener extends AsyncDisposable {
  readonly address: BoundAddress;
}

/** Listen for questions over TCP. @throws an Error with `code` (EADDRINUSE, …) when it cannot be bound. */
export async function startTcpListener(
  listen: Listen | { readonly fd: number },
  deps: { readonly resolver: Resolver; readonly clock: Clock },
): Promise<TcpListener> {
  const room = createSocketRoom(CONNECTIONS_MAX);
  const backlog = { bytes: 0, maxBytes: BACKLOG_MAX_BYTES };
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    room.enter(socket);
    socket.on('data', () => room.renew(socket));
    serveTcpConnection(socket, { ...deps, backlog });
  });
  await bindServer(server, listen);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP listener without an address');
  return {
    address: { host: address.address, port: address.port },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of room.sockets) socket.destroy();
      }),
  };
}

function bindServer(server: Server, listen: Listen | { readonly fd: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen('fd' in listen ? listen : { ...listen, ipv6Only: isIPv6(listen.host) }, () => {
      server.removeListener('error', reject);
      // What fails later is the accepting of one connection, as descriptors run out: it is tried again by itself.
      server.on('error', () => {});
      resolve();
    });
  });
}
