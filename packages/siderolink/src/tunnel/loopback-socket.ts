import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** A UDP socket on 127.0.0.1 that talks with one port of this host at a time. */
export interface LoopbackSocket extends AsyncDisposable {
  readonly port: number;
  /** The port it talks with; undefined: none yet, or nobody listened there. */
  readonly peerPort: number | undefined;
  /** Talk with this port from now on, and hear nobody else. */
  connect(port: number): void;
  /** Hear everybody on this host again. */
  disconnect(): void;
  /** False: not carried, for want of a peer or because it is above 65,507 bytes. Never throws. */
  send(datagram: Uint8Array): boolean;
}

/** What happens at a loopback socket. */
export interface LoopbackEvents {
  /** Without a peer anybody on this host may have sent it. */
  readonly onDatagram: (datagram: Uint8Array, fromPort: number) => void;
  /** A datagram could not be sent, or the peer's port is closed. */
  readonly onError: (error: Error) => void;
}

/** Enough for some milliseconds of the fastest link; the kernel may give less. In bytes. */
const BUFFER_BYTES = 1024 * 1024;
const BIND_ATTEMPTS = 5;
const UDP_MAX_BYTES = 65_507;

/**
 * Open a socket on a free port.
 *
 * @throws the system's error when there is none: too many open files, mostly.
 */
export async function openLoopbackSocket({ onDatagram, onError }: LoopbackEvents): Promise<LoopbackSocket> {
  const socket = await bindChosenPort();
  let peerPort: number | undefined;
  let closing: Promise<void> | undefined;
  socket.on('message', (datagram, { port }) => onDatagram(datagram, port));
  socket.on('error', onError);
  return {
    port: socket.address().port,
    get peerPort() {
      return peerPort;
    },
    connect: (port) => {
      if (port === peerPort) return;
      if (peerPort !== undefined) socket.disconnect();
      peerPort = port;
      socket.connect(port, '127.0.0.1');
    },
    disconnect: () => {
      if (peerPort !== undefined) socket.disconnect();
      peerPort = undefined;
    },
    send: (datagram) => {
      if (peerPort === undefined || datagram.length > UDP_MAX_BYTES) return false;
      socket.send(datagram);
      return true;
    },
    [Symbol.asyncDispose]: () => (closing ??= closed(socket)),
  };
}

/**
 * Linux gives the port back when a socket leaves its peer, unless it was asked for by number: find a free one, then ask for it.
 */
async function bindChosenPort(): Promise<Socket> {
  for (let attempt = 1; ; attempt++) {
    const probe = await bound(0);
    const { port } = probe.address();
    await closed(probe);
    try {
      return await bound(port);
    } catch (error) {
      if (attempt === BIND_ATTEMPTS) throw error;
    }
  }
}

async function bound(port: number): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: BUFFER_BYTES,
    sendBufferSize: BUFFER_BYTES,
    // Addresses only, so a connect is done when it returns.
    lookup: (host, _options, callback) => callback(null, host, 4),
  });
  const listening = once(socket, 'listening');
  socket.bind({ port, address: '127.0.0.1', exclusive: true });
  await listening;
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  const done = once(socket, 'close');
  socket.close();
  await done;
}
