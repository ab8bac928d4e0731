import { createHeldBytes, type HoldBytes } from '@bloomery/wire';
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
  const held = createHeldBytes(hold, HEADER_BYTES + maxBytes);
  const keep = (bytes: Uint8Array): void => {
    if (!held.add(bytes)) throw grpcError('RESOURCE_EXHAUSTED', 'too many requests are incomplete; ask again later');
  };
  let wanted = HEADER_BYTES;
  try {
    for await (const chunk of chunks) {
      if (held.size + chunk.byteLength < wanted) {
        keep(chunk);
        continue;
      }
      const bytes = held.takeWith(chunk);
      let at = 0;
      for (;;) {
        wanted = HEADER_BYTES;
        if (bytes.byteLength - at < wanted) break;
        wanted += messageLength(bytes, at, maxBytes);
        if (bytes.byteLength - at < wanted) break;
        yield bytes.subarray(at + HEADER_BYTES, at + wanted);
        at += wanted;
      }
      if (at < bytes.byteLength) keep(bytes.subarray(at));
    }
    if (held.size > 0) throw grpcError('INTERNAL', `stream ended inside a message (${held.size} of ${wanted} bytes)`);
  } finally {
    held.clear();
  }
}

function messageLength(bytes: Buffer, at: number, maxBytes: number): number {
  if (bytes[at] !== 0) throw grpcError('UNIMPLEMENTED', 'compressed messages are not supported');
  const length = bytes.readUInt32BE(at + 1);
  if (length > maxBytes)
    throw grpcError('RESOURCE_EXHAUSTED', `message of ${length} bytes, at most ${maxBytes} accepted`);
  return length;
}
