import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

type Done = (error?: Error | null) => void;

/** A connection that may be used while it is still being made. */
export class DeferredSocket extends Duplex {
  #inner: Socket | undefined;
  #onReady: (() => void) | undefined;

  /** @param dial Makes the connection; when it fails, this stream ends with its error. */
  constructor(dial: () => Promise<Socket>) {
    super({ allowHalfOpen: false });
    dial().then(
      (socket) => this.#start(socket),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  #start(socket: Socket): void {
    if (this.destroyed) {
      socket.destroy();
      return;
    }
    this.#inner = socket;
    socket.on('data', (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    this.#onReady?.();
  }

  #whenReady(run: (socket: Socket) => void): void {
    if (this.#inner !== undefined) run(this.#inner);
    else
      this.#onReady = () => {
        if (this.#inner !== undefined) run(this.#inner);
      };
  }

  override _read(): void {
    this.#inner?.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#whenReady((socket) => socket.write(chunk, done));
  }

  override _final(done: Done): void {
    this.#whenReady((socket) => socket.end(() => done()));
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#inner?.destroy();
    done(error);
  }
}
