import { BloomeryError } from '@bloomery/ports';
import { formatIpv4 } from '../ipv4.ts';
import { formatIpv6 } from '../ipv6.ts';

const ATTRIBUTE_HEAD = 4;
/** Bits of an attribute's type that are none: nested, and in network byte order. */
const TYPE_MASK = 0x3fff;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * Bytes of a netlink datagram, with reads that are checked: each takes where the value lies (`from`, included, `to`, excluded).
 * Numbers are little-endian, as on every platform that is supported. All throw BLM_WIRE_TRUNCATED for values that are too short.
 */
export class NetlinkBytes {
  readonly length: number;
  readonly #buffer: Buffer;
  readonly #view: DataView;

  /** @param bytes Not copied: values are only good until it changes. */
  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.byteLength;
  }

  /**
   * Call back for each attribute between two places, with its type and where its value lies.
   *
   * @throws BloomeryError BLM_WIRE_MALFORMED for a length that cannot be.
   */
  attributes(from: number, to: number, visit: (type: number, from: number, to: number) => void): void {
    if (to > this.length) throw netlinkTruncated('attributes');
    for (let at = from; at + ATTRIBUTE_HEAD <= to; ) {
      const length = this.#view.getUint16(at, true);
      if (length < ATTRIBUTE_HEAD || at + length > to)
        throw netlinkMalformed(`a netlink attribute of ${length} bytes where ${to - at} are left`);
      visit(this.#view.getUint16(at + 2, true) & TYPE_MASK, at + ATTRIBUTE_HEAD, at + length);
      at += (length + 3) & ~3;
    }
  }

  u8(from: number, to: number): number {
    if (to - from < 1 || to > this.length) throw netlinkTruncated('a number of 8 bits');
    return this.#view.getUint8(from);
  }

  u16(from: number, to: number): number {
    if (to - from < 2 || to > this.length) throw netlinkTruncated('a number of 16 bits');
    return this.#view.getUint16(from, true);
  }

  /** In network byte order. */
  be16(from: number, to: number): number {
    if (to - from < 2 || to > this.length) throw netlinkTruncated('a number of 16 bits');
    return this.#view.getUint16(from, false);
  }

  u32(from: number, to: number): number {
    if (to - from < 4 || to > this.length) throw netlinkTruncated('a number of 32 bits');
    return this.#view.getUint32(from, true);
  }

  i32(from: number, to: number): number {
    if (to - from < 4 || to > this.length) throw netlinkTruncated('a number of 32 bits');
    return this.#view.getInt32(from, true);
  }

  u64(from: number, to: number): bigint {
    if (to - from < 8 || to > this.length) throw netlinkTruncated('a number of 64 bits');
    return this.#view.getBigUint64(from, true);
  }

  /** Up to its end or the first NUL. */
  text(from: number, to: number): string {
    let end = from;
    while (end < to && this.#buffer[end] !== 0) end++;
    return this.#buffer.toString('utf8', from, end);
  }

  /** A hardware address: lower case with colons; empty for one without a byte. */
  mac(from: number, to: number): string {
    let text = '';
    for (let at = from; at < to; at++) text += at === from ? this.#hex(at) : `:${this.#hex(at)}`;
    return text;
  }

  /** An address of 4 or 16 bytes. */
  ip(from: number, to: number): string {
    if (to - from === 4) return formatIpv4(this.#buffer, from);
    if (to - from === 16) return formatIpv6(this.#buffer.subarray(from, to));
    throw netlinkMalformed(`an address of ${to - from} bytes`);
  }

  /** A copy. */
  bytes(from: number, to: number): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#buffer, from, to);
  }

  #hex(at: number): string {
    return HEX[this.#buffer[at] ?? 0] ?? '';
  }
}

/** @param what That ends too early. */
export function netlinkTruncated(what: string): BloomeryError {
  return new BloomeryError('BLM_WIRE_TRUNCATED', `a netlink message ends inside ${what}`);
}

/** @param what Was found. */
export function netlinkMalformed(what: string): BloomeryError {
  return new BloomeryError('BLM_WIRE_MALFORMED', `a netlink message holds ${what}`);
}
