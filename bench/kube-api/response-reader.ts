const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

/** Reads HTTP/1.1 answers, one after the other, with as little work as possible. */
export class ResponseReader {
  /** Status code of the answer that is read; 0 before its head is there. */
  status = 0;
  /** Pieces of the body, without framing; kept only when asked for. */
  readonly body: Buffer[] = [];
  #keep = false;
  #pending: Buffer | undefined;
  #chunked = false;
  /** Bytes left of the body, or of the chunk with its line end; -1: a chunk's size comes next. */
  #left = 0;

  /** Forget the last answer. */
  reset(keepBody: boolean): void {
    this.status = 0;
    this.body.length = 0;
    this.#keep = keepBody;
    this.#pending = undefined;
  }

  /** Take bytes. @returns whether the answer is complete. */
  push(bytes: Buffer): boolean {
    const data = this.#pending === undefined ? bytes : Buffer.concat([this.#pending, bytes]);
    this.#pending = undefined;
    if (this.status !== 0) return this.#bodyFrom(data, 0);
    const end = data.indexOf(HEAD_END);
    if (end < 0) {
      this.#pending = data;
      return false;
    }
    const head = data.toString('latin1', 0, end);
    this.status = Number(head.slice(9, 12));
    // A refusal is always wanted whole.
    this.#keep ||= this.status >= 300;
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#chunked = length === undefined;
    this.#left = this.#chunked ? -1 : Number(length);
    return this.#bodyFrom(data, end + 4);
  }

  #bodyFrom(data: Buffer, start: number): boolean {
    let at = start;
    if (!this.#chunked) {
      if (this.#keep && at < data.length) this.body.push(data.subarray(at));
      this.#left -= data.length - at;
      return this.#left <= 0;
    }
    while (at < data.length) {
      if (this.#left < 0) {
        const line = data.indexOf(LINE_END, at);
        if (line < 0) {
          this.#pending = data.subarray(at);
          return false;
        }
        const size = Number.parseInt(data.toString('latin1', at, line), 16);
        at = line + 2;
        if (size === 0) return this.#last(data, at);
        this.#left = size + 2;
      }
      const taken = Math.min(this.#left, data.length - at);
      if (this.#keep) this.body.push(data.subarray(at, at + Math.min(taken, Math.max(0, this.#left - 2))));
      at += taken;
      this.#left -= taken;
      if (this.#left === 0) this.#left = -1;
    }
    return false;
  }

  /** The empty line behind the last chunk; no trailers are expected. */
  #last(data: Buffer, at: number): boolean {
    if (data.length - at >= 2) return true;
    this.#pending = Buffer.concat([Buffer.from('0\r\n'), data.subarray(at)]);
    this.#left = -1;
    return false;
  }
}
