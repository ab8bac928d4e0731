/** Largest WireGuard datagram that a tunnel carries, in bytes. */
export const PEER_PACKET_DATA_MAX = 65_535;

const DATA_TAG = 0x12;
const DATA_FIELD = 2;
const VARINT_MAX_BYTES = 10;
const FIELD_MAX = 536_870_911;
const NESTING_MAX = 100;
const WIRE_TYPE = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

/**
 * The datagram inside a PeerPacket message: the last `Data`, a view of the input, empty when there is none. Other fields are
 * skipped.
 *
 * @returns undefined when the bytes are no protobuf message; the caller ends the stream.
 * @see spec/siderolink.md section 2; protobuf.dev/programming-guides/encoding
 */
export function decodePeerPacket(message: Uint8Array): Uint8Array | undefined {
  return onlyData(message) ?? lastData(message);
}

/** The usual case, without a loop: one field, which fills the message. */
function onlyData(message: Uint8Array): Uint8Array | undefined {
  if (message[0] !== DATA_TAG) return undefined;
  const low = message[1] ?? 0x80;
  const middle = message[2] ?? 0x80;
  const high = message[3] ?? 0x80;
  if (low < 0x80) return low + 2 === message.length ? message.subarray(2) : undefined;
  if (middle < 0x80) return (low & 0x7f) + middle * 0x80 + 3 === message.length ? message.subarray(3) : undefined;
  const length = (low & 0x7f) + (middle & 0x7f) * 0x80 + high * 0x4000;
  return high < 0x80 && length + 4 === message.length ? message.subarray(4) : undefined;
}

function lastData(message: Uint8Array): Uint8Array | undefined {
  let data = message.subarray(0, 0);
  /** Field numbers of the groups we are in, innermost last. */
  const groups: number[] = [];
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at);
    if (tag === undefined) return undefined;
    const field = Math.floor(tag.value / 8);
    if (field < 1 || field > FIELD_MAX) return undefined;
    const type = tag.value % 8;
    const end = endOfField(message, tag.end, type);
    if (end === undefined) return undefined;
    if (type === WIRE_TYPE.groupStart && groups.push(field) > NESTING_MAX) return undefined;
    if (type === WIRE_TYPE.groupEnd && groups.pop() !== field) return undefined;
    if (type === WIRE_TYPE.bytes && field === DATA_FIELD && groups.length === 0) {
      data = message.subarray(end.start, end.end);
    }
    at = end.end;
  }
  return groups.length === 0 ? data : undefined;
}

interface FieldSpan {
  readonly start: number;
  readonly end: number;
}

/** Where the value of a field begins and ends. undefined: behind the end, or no such wire type. */
function endOfField(message: Uint8Array, at: number, type: number): FieldSpan | undefined {
  if (type === WIRE_TYPE.groupStart || type === WIRE_TYPE.groupEnd) return { start: at, end: at };
  if (type === WIRE_TYPE.fixed64 || type === WIRE_TYPE.fixed32) {
    return within(message, at, type === WIRE_TYPE.fixed64 ? 8 : 4);
  }
  if (type !== WIRE_TYPE.varint && type !== WIRE_TYPE.bytes) return undefined;
  const number = readVarint(message, at);
  if (number === undefined || type === WIRE_TYPE.varint)
    return number === undefined ? undefined : { start: at, end: number.end };
  return within(message, number.end, number.value);
}

function within(message: Uint8Array, start: number, length: number): FieldSpan | undefined {
  return length > message.length - start ? undefined : { start, end: start + length };
}

/** Values above 2^53 lose their low bits: nothing that long is in a message. */
function readVarint(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  let unit = 1;
  for (let i = 0; i < VARINT_MAX_BYTES; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) return { value, end: at + i + 1 };
    unit *= 0x80;
  }
  return undefined;
}

const FRAME_HEAD_BYTES = 5;

/** Datagrams as PeerPacket messages with their gRPC length prefixes, one after another: bytes for one write. */
export function encodePeerPackets(datagrams: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const { length } of datagrams) size += FRAME_HEAD_BYTES + 1 + varintBytes(length) + length;
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const datagram of datagrams) {
    const { length } = datagram;
    out[at] = 0;
    at = out.writeUInt32BE(1 + varintBytes(length) + length, at + 1);
    out[at++] = DATA_TAG;
    let rest = length;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) out[at++] = (rest & 0x7f) | 0x80;
    out[at++] = rest;
    out.set(datagram, at);
    at += length;
  }
  return out;
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
