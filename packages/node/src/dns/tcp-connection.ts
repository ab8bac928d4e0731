import type { Socket } from 'node:net';
import type { Clock } from '@bloomery/ports';
import type { Resolver } from './resolver.ts';
import { StreamFramer } from './stream-framer.ts';
import { isLoopback } from './udp-backend.ts';

const READ_MS = 3_000;
const WRITE_MS = 5_000;
const IDLE_MS = 10_000;
/** Questions of one connection under way; no more is read until some are answered. */
const PIPELINE_MAX = 128;

/**
 * Serve a connection: any number of questions, each answered as soon as it can be. It is ended after 10 s without one, when a
 * question does not arrive whole within 3 s, or an answer is not taken within 5 s.
 */
export function serveTcpConnection(
  socket: Socket,
  { resolver, clock }: { readonly resolver: Resolver; readonly clock: Clock },
): void {
  const fromLoopback = isLoopback(socket.remoteAddress ?? '');
  let underWay = 0;
  let cancelTimer = (): void => {};
  const wait = (): void => {
    cancelTimer();
    if (socket.destroyed) return;
    const blocked = socket.writableLength > 0;
    if (underWay > 0 && !blocked) return;
    const delayMs = blocked ? WRITE_MS : framer.isPartial ? READ_MS : IDLE_MS;
    cancelTimer = clock.after(delayMs, () => socket.destroy());
  };
  const answer = (packet: Uint8Array): void => {
    if (!socket.destroyed) socket.write(Buffer.concat([Buffer.of(packet.byteLength >>> 8, packet.byteLength), packet]));
  };
  const readOn = (): void => {
    if (!socket.destroyed && underWay < PIPELINE_MAX && !socket.writableNeedDrain) socket.resume();
  };
  const framer = new StreamFramer((packet) => {
    const reply = resolver.replyFromCache(packet, 'tcp');
    if (reply !== undefined) {
      answer(reply);
      return;
    }
    underWay += 1;
    if (underWay >= PIPELINE_MAX) socket.pause();
    void resolver.resolve({ packet: Uint8Array.from(packet), transport: 'tcp', fromLoopback }).then((answered) => {
      underWay -= 1;
      if (answered !== undefined) answer(answered.packet);
      readOn();
      wait();
    });
  });
  socket.on('data', (chunk: Buffer) => {
    framer.push(chunk);
    // Who takes no answers is asked for no more questions.
    if (socket.writableNeedDrain) socket.pause();
    wait();
  });
  socket.on('drain', () => {
    readOn();
    wait();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => cancelTimer());
  wait();
}
