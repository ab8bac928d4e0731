import { decodePeerPacket, PEER_PACKET_DATA_MAX } from './peer-packet.ts';

/** Why a stream of PeerPackets cannot be read on. */
export type PeerPacketFault = 'compressed' | 'malformed' | 'too long';

/** Takes the bytes of a gRPC stream of PeerPackets, cut anywhere. Holds at most one message. */
export interface PeerPacketReader {
  /** Once a fault was found every push returns it. */
  push(chunk: Uint8Array): PeerPacketFault | undefined;
}

/** Where a reader's datagrams go. */
export interface PeerPacketSink {
  /** Not empty, at most PEER_PACKET_DATA_MAX bytes; a view of a chunk that was pushed. */
  readonly datagram: (datagram: Uint8Array) => void;
  /** A datagram was too large, and is skipped. */
  readonly tooLarge: () => void;
}

const HEAD_BYTES = 5;
/** Longest message that can hold a datagram, with 1 KiB for fields that we do not know. */
const MESSAGE_MAX_BYTES = PEER_PACKET_DATA_MAX + 1024;
/** Longest message that is skipped: the limit of other implementations. */
const SKIP_MAX_BYTES = 4 * 1024 * 1024;

/** Make a reader at the start of a stream. Calls the sink while bytes are pushed. */
export function createPeerPacketReader(sink: PeerPacketSink): PeerPacketReader {
  const head = new Uint8Array(HEAD_BYTES);
  let headBytes = 0;
  let body = new Uint8Array(0);
  let bodyBytes = 0;
  let skip = 0;
  let fault: PeerPacketFault | undefined;

  const deliver = (message: Uint8Array): void => {
    const data = decodePeerPacket(message);
    if (data === undefined) fault = 'malformed';
    else if (data.length > PEER_PACKET_DATA_MAX) sink.tooLarge();
    else if (data.length > 0) sink.datagram(data);
  };
  /** Begin the message whose head is at `at` and return where the chunk goes on. */
  const begin = (chunk: Uint8Array, from: Uint8Array, at: number, next: number): number => {
    const length = messageLength(from, at);
    if (from[at] !== 0) fault = 'compressed';
    else if (length > SKIP_MAX_BYTES) fault = 'too long';
    else if (length > MESSAGE_MAX_BYTES) {
      skip = length;
      sink.tooLarge();
    } else if (length <= chunk.length - next) {
      deliver(chunk.subarray(next, next + length));
      return next + length;
    } else {
      body = new Uint8Array(length);
      body.set(chunk.subarray(next));
      bodyBytes = chunk.length - next;
      return chunk.length;
    }
    return next;
  };
  /** Go on with what an earlier chunk began; returns where the chunk goes on. */
  const resume = (chunk: Uint8Array, at: number): number => {
    const has = chunk.length - at;
    if (skip > 0) {
      const count = Math.min(skip, has);
      skip -= count;
      return at + count;
    }
    if (body.length > 0) {
      const count = Math.min(body.length - bodyBytes, has);
      body.set(chunk.subarray(at, at + count), bodyBytes);
      bodyBytes += count;
      if (bodyBytes < body.length) return at + count;
      const message = body;
      body = new Uint8Array(0);
      deliver(message);
      return at + count;
    }
    const count = Math.min(HEAD_BYTES - headBytes, has);
    head.set(chunk.subarray(at, at + count), headBytes);
    headBytes += count;
    if (headBytes < HEAD_BYTES) return at + count;
    headBytes = 0;
    return begin(chunk, head, 0, at + count);
  };
  return {
    push: (chunk) => {
      let at = 0;
      while (at < chunk.length && fault === undefined) {
        const isInside = skip > 0 || body.length > 0 || headBytes > 0 || chunk.length - at < HEAD_BYTES;
        at = isInside ? resume(chunk, at) : begin(chunk, chunk, at, at + HEAD_BYTES);
      }
      return fault;
    },
  };
}

function messageLength(bytes: Uint8Array, at: number): number {
  const byte = (i: number): number => bytes[at + i] ?? 0;
  return byte(1) * 0x100_0000 + (byte(2) << 16) + (byte(3) << 8) + byte(4);
}
