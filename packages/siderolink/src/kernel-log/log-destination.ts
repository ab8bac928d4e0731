import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { BloomeryError, type BoundAddress, type Clock } from '@bloomery/ports';

/** What became of a line: taken; lost because part of it may be out; nothing of it is out. */
export type Delivery = 'sent' | 'lost' | 'unsent';

/** A place that kernel log lines go to. Its connection is opened by the first line. */
export interface LogDestination extends Disposable {
  /** `tcp://[address]:port` */
  readonly url: string;
  readonly host: string;
  /** Send one line with its newline. One at a time. @throws the system's error when there is no connection. */
  send(line: Buffer): Promise<Delivery>;
  /** Close the connection; the next line opens another. A line that is being sent is unsent then. */
  reset(): void;
}

const CONNECT_TIMEOUT_MS = 5_000;
const WRITE_TIMEOUT_MS = 5_000;
const URL_FORM = /^(tcp|udp):\/\/(?:\[([0-9a-fA-F:.]+(?:%\w+)?)\]|([^:[\]/?#\s]+)):(\d{1,5})\/?$/;

/**
 * Make a destination from `tcp://HOST:PORT` (lines on one connection) or `udp://HOST:PORT` (a datagram per line, without the
 * newline).
 *
 * @throws BloomeryError BLM_LINK_CONFIG_INVALID for other texts.
 */
export function createLogDestination(url: string, clock: Clock): LogDestination {
  const found = URL_FORM.exec(url);
  const host = found?.[2] ?? found?.[3];
  const port = Number(found?.[4]);
  if (host === undefined || port === 0 || port > 65_535) {
    const message = `reading the kernel log destination ${JSON.stringify(url.slice(0, 200))}: it is not tcp://HOST:PORT or udp://HOST:PORT`;
    throw new BloomeryError('BLM_LINK_CONFIG_INVALID', message);
  }
  return found?.[1] === 'udp' ? udpDestination(url, { host, port }) : tcpDestination(url, { host, port }, clock);
}

function udpDestination(url: string, address: BoundAddress): LogDestination {
  const socket = createSocket(address.host.includes(':') ? 'udp6' : 'udp4').unref();
  socket.on('error', () => {});
  return {
    url,
    host: address.host,
    send: (line) =>
      new Promise((resolve, reject) => {
        const datagram = line.at(-1) === 0x0a ? line.subarray(0, -1) : line;
        socket.send(datagram, address.port, address.host, (error) =>
          error === null ? resolve('sent') : reject(error),
        );
      }),
    reset: () => {},
    [Symbol.dispose]: () => socket.close(),
  };
}

function tcpDestination(url: string, address: BoundAddress, clock: Clock): LogDestination {
  let socket: Socket | undefined;
  const current = async (): Promise<Socket> => {
    if (socket !== undefined) return socket;
    const opening = connect({ ...address, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS });
    socket = opening;
    opening.on('close', () => {
      if (socket === opening) socket = undefined;
    });
    await connected(opening, clock);
    // Whatever the receiver says is of no interest, but its end must be seen.
    return opening.on('error', () => {}).resume();
  };
  return {
    url,
    host: address.host,
    send: async (line) => write(await current(), line, clock),
    reset: () => {
      socket?.destroy();
      socket = undefined;
    },
    [Symbol.dispose]: () => {
      // Not only ended: with the link gone the receiver's end would never come.
      socket?.destroySoon();
      socket = undefined;
    },
  };
}

const KEEPALIVE_MS = 30_000;

async function connected(socket: Socket, clock: Clock): Promise<void> {
  const cancel = clock.after(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('no connection in 5 s')));
  try {
    await new Promise<void>((resolve, reject) => {
      socket
        .once('connect', resolve)
        .once('error', reject)
        .once('close', () => reject(new Error('the connection was given up')));
    });
  } finally {
    cancel();
  }
}

function write(socket: Socket, line: Buffer, clock: Clock): Promise<Delivery> {
  return new Promise((resolve) => {
    let stalled: Delivery | undefined;
    const cancel = clock.after(WRITE_TIMEOUT_MS, () => {
      stalled = isPartlyOut(socket, line.length) ? 'lost' : 'unsent';
      socket.destroy();
    });
    socket.write(line, (error) => {
      cancel();
      resolve(stalled ?? (error ? 'unsent' : 'sent'));
    });
  });
}

/** Node tells only through its handle how much of a write the kernel has not taken yet. */
function isPartlyOut(socket: Socket, lineBytes: number): boolean {
  const handle: unknown = Reflect.get(socket, '_handle');
  const queued: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'writeQueueSize') : 0;
  return typeof queued === 'number' && queued > 0 && queued < lineBytes;
}
