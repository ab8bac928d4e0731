/** Takes messages with a length of two bytes before each out of a stream (RFC 1035 section 4.2.2). Holds what is not taken yet. */
export class StreamFramer {
  readonly #take: (message: Uint8Array) => void;
  readonly #mayTake: () => boolean;
  #held: Buffer = Buffer.alloc(0);

  /** @param mayTake asked before each message: whether it is given on now, or by a later `flow`. */
  constructor(take: (message: Uint8Array) => void, mayTake: () => boolean = () => true) {
    this.#take = take;
    this.#mayTake = mayTake;
  }

  /** A message has begun and is not complete, or may not be taken yet. */
  get isPartial(): boolean {
    return this.#held.byteLength > 0;
  }

  /** Bytes as they come; complete messages that may be taken are given on before it returns. @returns how many. */
  push(chunk: Uint8Array): number {
    this.#held = this.#held.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([this.#held, chunk]);
    return this.flow();
  }

  /** Give on complete messages that may be taken by now. @returns how many. */
  flow(): number {
    let [at, count] = [0, 0];
    while (this.#hasMessage(at) && this.#mayTake()) {
      const end = this.#endOf(at);
      this.#take(this.#held.subarray(at + 2, end));
      at = end;
      count += 1;
    }
    this.#held = this.#held.subarray(at);
    return count;
  }

  #hasMessage(at: number): boolean {
    return at + 2 <= this.#held.byteLength && this.#endOf(at) <= this.#held.byteLength;
  }

  #endOf(at: number): number {
    return at + 2 + this.#held.readUInt16BE(at);
  }
}
