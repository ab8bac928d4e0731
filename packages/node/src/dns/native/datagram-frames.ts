/** A datagram with its socket and the peer's address, as it goes between the threads. */
export interface DatagramFrame {
  readonly socket: number;
  /** A sockaddr of Linux, at most 28 bytes. */
  readonly peer: Uint8Array;
  /** Empty in an answer: there is none. */
  readonly packet: Uint8Array;
}

const PEER_BYTES = 28;
const HEAD_BYTES = 4 + 1 + PEER_BYTES;

/** Put frames together. */
export function encodeFrames(frames: readonly DatagramFrame[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(frames.reduce((sum, { packet }) => sum + HEAD_BYTES + packet.byteLength, 0));
  let at = 0;
  for (const { socket, peer, packet } of frames) {
    out[at] = socket >>> 8;
    out[at + 1] = socket;
    out[at + 2] = packet.byteLength >>> 8;
    out[at + 3] = packet.byteLength;
    out[at + 4] = peer.byteLength;
    out.set(peer.subarray(0, PEER_BYTES), at + 5);
    out.set(packet, at + HEAD_BYTES);
    at += HEAD_BYTES + packet.byteLength;
  }
  return out;
}

/** Take them apart again. */
export function* decodeFrames(bytes: Uint8Array): Generator<DatagramFrame> {
  let at = 0;
  while (at + HEAD_BYTES <= bytes.byteLength) {
    const packetAt = at + HEAD_BYTES;
    const end = packetAt + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
    yield {
      socket: ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0),
      peer: bytes.subarray(at + 5, at + 5 + (bytes[at + 4] ?? 0)),
      packet: bytes.subarray(packetAt, end),
    };
    at = end;
  }
}
