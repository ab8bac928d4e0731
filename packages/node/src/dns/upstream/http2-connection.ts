import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '@bloomery/ports';
import { HTTPS_PATH, MEDIA_TYPE, readHttpsMessage } from './https-message.ts';

/** A connection that nobody used for so long is closed. */
const IDLE_MS = 10_000;

/** An HTTP/2 connection to a server, with many questions under way. */
export class Http2Connection {
  readonly #session: ClientHttp2Session;
  readonly #clock: Clock;
  readonly #ended: () => void;
  #cancelIdle = (): void => {};
  /** Responses that came. */
  #heard = 0;

  /** @param ended called when nothing more is to be asked on it. */
  constructor(tls: TLSSocket, { host, clock }: { readonly host: string; readonly clock: Clock }, ended: () => void) {
    this.#clock = clock;
    this.#ended = ended;
    const authority = `https://${host.includes(':') ? `[${host}]` : host}`;
    this.#session = connect(authority, { createConnection: () => tls });
    this.#session.on('error', () => this.#break());
    this.#session.on('goaway', () => this.close());
    this.#session.on('close', () => {
      this.#cancelIdle();
      ended();
    });
    this.#restIdle();
  }

  /** Whether nothing more is to be asked on it. */
  get hasEnded(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  /** @throws an Error when the server refuses, the connection breaks off, or `signal` aborts. */
  async post(body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    this.#restIdle();
    const heard = this.#heard;
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': HTTPS_PATH,
      'content-type': MEDIA_TYPE,
      accept: MEDIA_TYPE,
      'content-length': body.byteLength,
    });
    const abort = (): void => {
      stream.destroy(new Error('timeout'));
      // Somebody on the way may have forgotten the connection: the next question needs another one.
      if (this.#heard === heard) this.#break();
    };
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    try {
      stream.end(body);
      const status = await statusOf(stream);
      this.#heard += 1;
      return await readHttpsMessage(stream, status);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** What is under way may end. */
  close(): void {
    this.#cancelIdle();
    this.#ended();
    this.#session.close();
  }

  #break(): void {
    this.#ended();
    this.#session.destroy();
  }

  #restIdle(): void {
    this.#cancelIdle();
    this.#cancelIdle = this.#clock.after(IDLE_MS, () => this.close());
  }
}

function statusOf(stream: ClientHttp2Stream): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    stream.once('response', (headers) => resolve(headers[':status']));
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('connection closed')));
  });
}
