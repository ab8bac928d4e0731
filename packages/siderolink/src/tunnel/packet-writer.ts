import type { Writable } from 'node:stream';
import { encodePeerPackets } from '@bloomery/wire';

/** Sends datagrams into a gRPC stream: everything of one turn of the event loop in one write, never more than it can take. */
export interface PacketWriter {
  /** Queue a datagram. Of more than 100 the oldest is dropped: WireGuard's content repeats what is lost. */
  push(datagram: Uint8Array): void;
  /** Write to this stream from now on; what is queued is kept. undefined: hold. */
  attach(stream: Writable | undefined): void;
}

const QUEUE_MAX = 100;
/** About 200 packets of the link, in bytes: above it the stream's reader is slow, and nothing more is written. */
const WRITE_MAX_BYTES = 256 * 1024;

/** @param dropped Called for each datagram that nobody read in time. */
export function createPacketWriter(dropped: () => void): PacketWriter {
  let queue: Uint8Array[] = [];
  let stream: Writable | undefined;
  let isScheduled = false;
  const flush = (): void => {
    isScheduled = false;
    if (stream === undefined || queue.length === 0) return;
    if (stream.writableEnded || stream.writableLength > WRITE_MAX_BYTES) return;
    const batch = queue;
    queue = [];
    stream.write(encodePeerPackets(batch));
  };
  return {
    push: (datagram) => {
      if (queue.push(datagram) > QUEUE_MAX) {
        queue.shift();
        dropped();
      }
      if (isScheduled) return;
      isScheduled = true;
      // After all datagrams that the socket holds now: its reads come before this in a turn.
      setImmediate(flush);
    },
    attach: (next) => {
      stream?.off('drain', flush);
      stream = next;
      stream?.on('drain', flush);
      flush();
    },
  };
}
