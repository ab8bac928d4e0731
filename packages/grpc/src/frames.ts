import { grpcError } from './status.ts';

/** Largest message accepted unless told otherwise: the limit of other implementations, in bytes. */
export const DEFAULT_MESSAGE_MAX_BYTES = 4 * 1024 * 1024;

const HEADER_BYTES = 5;

/** One message with its length prefix, uncompressed. @see gRPC over HTTP2, Length-Prefixed-Message */
export function encodeFrame(message: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + message.byteLength);
  frame[0] = 0;
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, HEADER_BYTES);
  return frame;
}

/** Asked before so many bytes more of an incomplete message are kept (positive), told when they are let go (negative). */
export type HoldBytes = (byBytes: number) => boolean;

/**
 * Split a byte stream into messages. Holds at most one message of `maxBytes`, however small the pieces are in which it comes.
 *
 * @throws BloomeryError BLM_GRPC_STATUS: RESOURCE_EXHAUSTED for a longer message and where `hold` refuses, UNIMPLEMENTED for a
 * compressed one, INTERNAL when the stream ends inside a message.
 */
export async function* readFrames(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  hold: HoldBytes = () => true,
): AsyncGenerator<Uint8Array, void, undefined> {
  const held = createHeldBytes(hold);
  let wanted = HEADER_BYTES;
  try {
    for await (const chunk of chunks) {
      if (held.size + chunk.byteLength < wanted) {
        held.add(chunk, wanted);
        continue;
      }
      const bytes = held.joinedWith(chunk);
      let at = 0;
      for (;;) {
        wanted = HEADER_BYTES;
        if (bytes.byteLength - at < wanted) break;
        wanted += messageLength(bytes, at, maxBytes);
        if (bytes.byteLength - at < wanted) break;
        yield bytes.subarray(at + HEADER_BYTES, at + wanted);
        at += wanted;
      }
      if (at < bytes.byteLength) held.add(bytes.subarray(at), wanted);
    }
    if (held.size > 0) throw grpcError('INTERNAL', `stream ended inside a message (${held.size} of ${wanted} bytes)`);
  } finally {
    held.clear();
  }
}

/** The first part of a message, in one buffer that grows by doubling up to the message's size. */
function createHeldBytes(hold: HoldBytes) {
  let buffer = Buffer.alloc(0);
  let size = 0;
  const clear = (): void => {
    if (buffer.byteLength > 0) hold(-buffer.byteLength);
    buffer = Buffer.alloc(0);
    size = 0;
  };
  const grow = (atLeast: number, atMost: number): void => {
    if (buffer.byteLength >= atLeast) return;
    const length = Math.min(Math.max(atLeast, 2 * buffer.byteLength), atMost);
    if (!hold(length - buffer.byteLength)) {
      throw grpcError('RESOURCE_EXHAUSTED', 'too many requests are incomplete; ask again later');
    }
    const larger = Buffer.allocUnsafeSlow(length);
    larger.set(buffer.subarray(0, size));
    buffer = larger;
  };
  return {
    get size() {
      return size;
    },
    clear,
    /** Keep bytes of a message that has `wanted` bytes. */
    add(bytes: Uint8Array, wanted: number): void {
      grow(size + bytes.byteLength, wanted);
      buffer.set(bytes, size);
      size += bytes.byteLength;
    },
    /** What is held and these, which are held no more. */
    joinedWith(bytes: Uint8Array): Buffer {
      const whole =
        size === 0
          ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
          : Buffer.concat([buffer.subarray(0, size), bytes]);
      clear();
      return whole;
    },
  };
}

function messageLength(bytes: Buffer, at: number, maxBytes: number): number {
  if (bytes[at] !== 0) throw grpcError('UNIMPLEMENTED', 'compressed messages are not supported');
  const length = bytes.readUInt32BE(at + 1);
  if (length > maxBytes)
    throw grpcError('RESOURCE_EXHAUSTED', `message of ${length} bytes, at most ${maxBytes} accepted`);
  return length;
}
