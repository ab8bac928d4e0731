import type { Socket } from 'node:net';
import type { Clock } from '@bloomery/ports';

/** No method of HTTP/1.1 begins so; the HTTP/2 preface is `PRI * HTTP/2.0 …`. */
const HTTP2_START = Buffer.from('PRI');
/** Type of a TLS record that carries a handshake: the first byte of every TLS connection. */
const TLS_HANDSHAKE = 0x16;

/** What the first bytes of a connection speak. */
export type SniffedProtocol = 'http1' | 'http2' | 'tls';

/**
 * Wait for the first bytes of a connection, put them back, and say what it speaks. A socket that stays silent for `timeoutMs` is
 * destroyed. The preface may arrive in pieces.
 */
export function sniffProtocol(
  socket: Socket,
  clock: Clock,
  timeoutMs: number,
  found: (protocol: SniffedProtocol) => void,
): void {
  let held: Buffer = Buffer.alloc(0);
  const cancel = clock.after(timeoutMs, () => socket.destroy());
  const onData = (chunk: Buffer): void => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const isTls = held[0] === TLS_HANDSHAKE;
    const start = held.subarray(0, HTTP2_START.length);
    const maybe = !isTls && HTTP2_START.subarray(0, start.length).equals(start);
    if (maybe && start.length < HTTP2_START.length) return;
    stop();
    socket.pause();
    socket.unshift(held);
    found(isTls ? 'tls' : maybe ? 'http2' : 'http1');
    // node:http2 and node:tls read what was put back by themselves.
    if (!maybe && !isTls) socket.resume();
  };
  const stop = (): void => {
    cancel();
    socket.off('data', onData);
    socket.off('close', stop);
    socket.off('end', onEnd);
  };
  const onEnd = (): void => {
    socket.destroy();
  };
  socket.on('data', onData);
  socket.on('close', stop);
  socket.on('end', onEnd);
}
