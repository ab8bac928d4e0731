import { addressOf, LINUX, type Libc } from './libc.ts';

/** Datagrams that are taken and given by one call. */
export const BATCH = 64;
/** A longer question is none: names have 255 bytes. */
const RECEIVE_BYTES = 2_048;
/** Longest reply of a batch. */
export const SEND_BYTES = 4_096;
const NAME_BYTES = 32;
const SOCKADDR_BYTES = 28;
const IOVEC_BYTES = 16;
/** struct mmsghdr of 64-bit Linux: name 0, its length 8, iovec 16, their number 24, control 32 and 40, flags 48, length 56. */
const MMSGHDR_BYTES = 64;
const WORD = 2 ** 32;

const NAMES_AT = 0;
const RECEIVE_IOVECS_AT = NAMES_AT + BATCH * NAME_BYTES;
const SEND_IOVECS_AT = RECEIVE_IOVECS_AT + BATCH * IOVEC_BYTES;
const RECEIVE_HEADERS_AT = SEND_IOVECS_AT + BATCH * IOVEC_BYTES;
const SEND_HEADERS_AT = RECEIVE_HEADERS_AT + BATCH * MMSGHDR_BYTES;
const RECEIVE_AT = SEND_HEADERS_AT + BATCH * MMSGHDR_BYTES;
const SEND_AT = RECEIVE_AT + BATCH * RECEIVE_BYTES;

/** Bytes of memory that a batch takes. A multiple of 8. */
export const BATCH_BYTES = SEND_AT + BATCH * SEND_BYTES;

/** Buffers and headers for recvmmsg and sendmmsg, prepared once in memory that does not move. */
export class DatagramBatch {
  readonly #libc: Libc;
  readonly #memory: Uint8Array;
  readonly #words: Uint32Array;
  readonly #at: number;
  readonly #address: number;
  #replies = 0;
  #sendAt: number;

  /** @param at where in `memory` it begins: a multiple of 8. */
  constructor(libc: Libc, memory: Uint8Array, at: number) {
    this.#libc = libc;
    this.#memory = memory;
    this.#words = new Uint32Array(memory.buffer, memory.byteOffset, memory.byteLength >>> 2);
    this.#at = at;
    this.#address = addressOf(memory);
    this.#sendAt = at + SEND_AT;
    for (let i = 0; i < BATCH; i++) this.#prepare(i);
  }

  /** Where the next reply is to be written; SEND_BYTES are free there. */
  get replyAt(): number {
    return this.#sendAt;
  }

  /** Take what is there. @returns how many datagrams, or -1 as recvmmsg. */
  receive(fd: number): number {
    this.#replies = 0;
    this.#sendAt = this.#at + SEND_AT;
    return this.#libc.recvmmsg(fd, this.#address + this.#at + RECEIVE_HEADERS_AT, BATCH, LINUX.MSG_DONTWAIT, 0);
  }

  /** Where datagram `i` is. */
  questionAt(i: number): number {
    return this.#at + RECEIVE_AT + i * RECEIVE_BYTES;
  }

  /** Its length; 0 when it was longer than it may be. */
  questionLength(i: number): number {
    const header = this.#header(RECEIVE_HEADERS_AT, i);
    const cut = ((this.#words[header + 12] ?? 0) & LINUX.MSG_TRUNC) !== 0;
    return cut ? 0 : (this.#words[header + 14] ?? 0);
  }

  /** The sockaddr that datagram `i` came from. */
  peerOf(i: number): Uint8Array {
    const at = this.#at + NAMES_AT + i * NAME_BYTES;
    return this.#memory.slice(
      at,
      at + Math.min(SOCKADDR_BYTES, this.#words[this.#header(RECEIVE_HEADERS_AT, i) + 2] ?? 0),
    );
  }

  /** The `length` bytes at replyAt are the reply to datagram `i`. */
  addReply(i: number, length: number): void {
    const header = this.#header(SEND_HEADERS_AT, this.#replies);
    this.#setPointer(header, this.#at + NAMES_AT + i * NAME_BYTES);
    this.#words[header + 2] = this.#words[this.#header(RECEIVE_HEADERS_AT, i) + 2] ?? 0;
    const iovec = (this.#at + SEND_IOVECS_AT + this.#replies * IOVEC_BYTES) >>> 2;
    this.#setPointer(iovec, this.#sendAt);
    this.#words[iovec + 2] = length;
    this.#replies += 1;
    this.#sendAt += (length + 7) & ~7;
  }

  /** The kernel wrote how long the address is; before the next datagram it must be the room for it again. */
  release(i: number): void {
    this.#words[this.#header(RECEIVE_HEADERS_AT, i) + 2] = SOCKADDR_BYTES;
  }

  /** Send the replies. One that cannot be sent is lost, as it might be on its way, and does not keep the others. */
  send(fd: number): void {
    const headers = this.#address + this.#at + SEND_HEADERS_AT;
    let sent = 0;
    while (sent < this.#replies) {
      const done = this.#libc.sendmmsg(fd, headers + sent * MMSGHDR_BYTES, this.#replies - sent, LINUX.MSG_DONTWAIT);
      sent += Math.max(1, done);
    }
  }

  #prepare(i: number): void {
    const receiveIovec = this.#at + RECEIVE_IOVECS_AT + i * IOVEC_BYTES;
    const sendIovec = this.#at + SEND_IOVECS_AT + i * IOVEC_BYTES;
    this.#setPointer(receiveIovec >>> 2, this.questionAt(i));
    this.#words[(receiveIovec >>> 2) + 2] = RECEIVE_BYTES;
    for (const [headers, iovec] of [
      [RECEIVE_HEADERS_AT, receiveIovec],
      [SEND_HEADERS_AT, sendIovec],
    ] as const) {
      const header = this.#header(headers, i);
      this.#setPointer(header, this.#at + NAMES_AT + i * NAME_BYTES);
      this.#setPointer(header + 4, iovec);
      this.#words[header + 6] = 1;
    }
    this.release(i);
  }

  #header(headers: number, i: number): number {
    return (this.#at + headers + i * MMSGHDR_BYTES) >>> 2;
  }

  #setPointer(word: number, at: number): void {
    const address = this.#address + at;
    this.#words[word] = address % WORD;
    this.#words[word + 1] = Math.floor(address / WORD);
  }
}
