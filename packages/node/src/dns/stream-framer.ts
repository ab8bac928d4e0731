/** Takes messages with a length of two bytes before each out of a stream (RFC 1035 section 4.2.2). Holds less than 64 KiB. */
export class StreamFramer {
  readonly #take: (message: Uint8Array) => void;
  #held: Buffer = Buffer.alloc(0);

  constructor(take: (message: Uint8Array) => void) {
    this.#take = take;
  }

  /** A message has begun and is not complete. */
  get isPartial(): boolean {
    return this.#held.byteLength > 0;
  }

  /** Bytes as they come; complete messages are given on before it returns. */
  push(chunk: Uint8Array): void {
    const bytes = this.#held.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([this.#held, chunk]);
    let at = 0;
    while (at + 2 <= bytes.byteLength) {
      const end = at + 2 + bytes.readUInt16BE(at);
      if (end > bytes.byteLength) break;
      this.#take(bytes.subarray(at + 2, end));
      at = end;
    }
    this.#held = bytes.subarray(at);
  }
}
