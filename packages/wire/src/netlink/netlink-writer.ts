import { BloomeryError } from '@bloomery/ports';
import { parseIpv4 } from '../ipv4.ts';
import { parseIpv6 } from '../ipv6.ts';

import { NLM_F_ACK, NLM_F_REQUEST, NLMSG_NOOP } from './netlink-message.ts';

const NESTED = 0x8000;
const MESSAGE_HEAD = 16;
const ATTRIBUTE_MAX = 0xffff;

/** Head of a netlink message, without its length. */
export interface NetlinkHead {
  readonly type: number;
  /** NLM_F_*. */
  readonly flags: number;
}

/** Writes one netlink message. Numbers are little-endian; attributes are padded. */
export class NetlinkWriter {
  #buffer = Buffer.alloc(256);
  #length = MESSAGE_HEAD;

  constructor({ type, flags }: NetlinkHead) {
    this.#buffer.writeUInt16LE(type, 4);
    this.#buffer.writeUInt16LE(flags, 6);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** The fixed part behind the head: bytes, and numbers of 16 and 32 bits as they stand in the structure. */
  fixed(...parts: readonly (readonly [bits: 8 | 16 | 32, value: number])[]): this {
    for (const [bits, value] of parts) {
      const at = this.#grow(bits / 8);
      if (bits === 8) this.#buffer.writeUInt8(value & 0xff, at);
      else if (bits === 16) this.#buffer.writeUInt16LE(value & 0xffff, at);
      else this.#buffer.writeUInt32LE(value >>> 0, at);
    }
    return this;
  }

  bytes(type: number, value: Uint8Array): this {
    const at = this.#attribute(type, value.length);
    this.#buffer.set(value, at);
    return this;
  }

  u8(type: number, value: number): this {
    const at = this.#attribute(type, 1);
    this.#buffer.writeUInt8(value & 0xff, at);
    return this;
  }

  u16(type: number, value: number): this {
    const at = this.#attribute(type, 2);
    this.#buffer.writeUInt16LE(value & 0xffff, at);
    return this;
  }

  /** In network byte order. */
  be16(type: number, value: number): this {
    const at = this.#attribute(type, 2);
    this.#buffer.writeUInt16BE(value & 0xffff, at);
    return this;
  }

  u32(type: number, value: number): this {
    const at = this.#attribute(type, 4);
    this.#buffer.writeUInt32LE(value >>> 0, at);
    return this;
  }

  /** With a NUL behind it. */
  text(type: number, value: string): this {
    return this.bytes(type, Buffer.from(`${value}\0`));
  }

  /** An attribute that says all by being there. */
  flag(type: number): this {
    this.#attribute(type, 0);
    return this;
  }

  /** @throws BloomeryError BLM_WIRE_MALFORMED for what is no address. */
  ip(type: number, value: string): this {
    return this.bytes(type, ipBytes(value));
  }

  /** Attributes inside an attribute. */
  nested(type: number, write: (writer: this) => void): this {
    return this.#open(type | NESTED, write);
  }

  /** The same without the mark of nested attributes, where the kernel wants none. */
  nestedPlain(type: number, write: (writer: this) => void): this {
    return this.#open(type, write);
  }

  /** A structure that begins with its length in 16 bits, as next hops do. */
  structure(write: (writer: this) => void): this {
    const at = this.#grow(2);
    write(this);
    this.#buffer.writeUInt16LE(this.#length - at, at);
    return this;
  }

  /** The whole message; its sequence number is set by whoever sends it. */
  finish(): Uint8Array {
    this.#buffer.writeUInt32LE(this.#length, 0);
    return Uint8Array.prototype.slice.call(this.#buffer, 0, this.#length);
  }

  #open(type: number, write: (writer: this) => void): this {
    const at = this.#attribute(type, 0) - 4;
    write(this);
    const length = this.#length - at;
    if (length > ATTRIBUTE_MAX) throw tooLong(length);
    this.#buffer.writeUInt16LE(length, at);
    return this;
  }

  /** @returns where its value goes */
  #attribute(type: number, size: number): number {
    if (size + 4 > ATTRIBUTE_MAX) throw tooLong(size);
    const at = this.#grow((size + 7) & ~3);
    this.#buffer.writeUInt16LE(size + 4, at);
    this.#buffer.writeUInt16LE(type, at + 2);
    return at + 4;
  }

  #grow(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(this.#length, this.#buffer.length * 2));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    return at;
  }
}

/** A request for nothing but an answer: it comes behind everything that was told to its socket before. */
export function encodeNetlinkNoop(): Uint8Array {
  return new NetlinkWriter({ type: NLMSG_NOOP, flags: NLM_F_REQUEST | NLM_F_ACK }).finish();
}

/** The bytes of an address. @throws BloomeryError BLM_WIRE_MALFORMED for what is none. */
export function ipBytes(text: string): Uint8Array {
  const bytes = parseIpv4(text) ?? parseIpv6(text);
  if (bytes === undefined)
    throw new BloomeryError('BLM_WIRE_MALFORMED', `${JSON.stringify(text)} is no IP address for a netlink message`);
  return bytes;
}

/** The bytes of a hardware address. @throws BloomeryError BLM_WIRE_MALFORMED for what is none. */
export function macBytes(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){0,31}$/i.test(text))
    throw new BloomeryError('BLM_WIRE_MALFORMED', `${JSON.stringify(text)} is no hardware address`);
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16));
}

function tooLong(length: number): BloomeryError {
  return new BloomeryError('BLM_WIRE_MALFORMED', `a netlink attribute of ${length} bytes is longer than 65535`);
}
