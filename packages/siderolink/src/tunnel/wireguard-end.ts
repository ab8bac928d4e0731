import { openLoopbackSocket } from './loopback-socket.ts';

/** The relay's side of WireGuard on this host. */
export interface WireguardEnd extends AsyncDisposable {
  /** On 127.0.0.1: what WireGuard has as its peer's endpoint. */
  readonly port: number;
  /** Hand a datagram to WireGuard; while it has not spoken yet, hold it. */
  deliver(datagram: Uint8Array): void;
}

/** What happens at it. */
export interface WireguardEndEvents {
  readonly onDatagram: (datagram: Uint8Array) => void;
  readonly onDelivered: () => void;
  readonly onDropped: () => void;
}

const HELD_MAX = 100;

/**
 * Open it on a free port. It talks with whoever speaks first and hears nobody else, until that one's port is closed: then
 * WireGuard may come back on another.
 *
 * @throws the system's error when there is no port.
 */
export async function openWireguardEnd(events: WireguardEndEvents): Promise<WireguardEnd> {
  let held: Uint8Array[] = [];
  const socket = await openLoopbackSocket({
    onDatagram: (datagram, fromPort) => {
      if (socket.peerPort === undefined) {
        socket.connect(fromPort);
        const waiting = held;
        held = [];
        for (const one of waiting) deliver(one);
      }
      events.onDatagram(datagram);
    },
    onError: () => socket.disconnect(),
  });
  const deliver = (datagram: Uint8Array): void => {
    if (socket.peerPort === undefined) {
      // A copy: the datagram is a view of a larger chunk.
      if (held.push(datagram.slice()) <= HELD_MAX) return;
      held.shift();
      events.onDropped();
    } else if (socket.send(datagram)) events.onDelivered();
    else events.onDropped();
  };
  return { port: socket.port, deliver, [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose]() };
}
