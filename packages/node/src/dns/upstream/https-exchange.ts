import { request as request1 } from 'node:http';
import type { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { DnsUpstreamSetting } from '../host-dns.ts';
import { type Exchange, type ExchangeAnswer, type ExchangeDeps, upstreamName } from './exchange.ts';
import { Http2Connection } from './http2-connection.ts';
import { HTTPS_PATH, MEDIA_TYPE, readHttpsMessage } from './https-message.ts';
import { openShared, unlessAborted } from './shared-opening.ts';
import { openTls } from './tls-stream.ts';
import { upstreamError, upstreamReason } from './upstream-error.ts';
import { encodeUpstreamQuestion, type UpstreamQuestion } from './upstream-question.ts';

/** Asks by POST (RFC 8484): over one HTTP/2 connection that is kept, or a connection each where the server has only HTTP/1.1. */
export function createHttpsExchange(upstream: DnsUpstreamSetting, deps: ExchangeDeps): Exchange {
  return new HttpsExchange(upstream, deps);
}

class HttpsExchange implements Exchange {
  readonly #upstream: DnsUpstreamSetting;
  readonly #deps: ExchangeDeps;
  readonly #host: string;
  readonly #ended = new AbortController();
  /** The connection that is kept or being opened; it is none where the server has no HTTP/2. */
  #kept: Promise<Http2Connection | undefined> | undefined;

  constructor(upstream: DnsUpstreamSetting, deps: ExchangeDeps) {
    this.#upstream = upstream;
    this.#deps = deps;
    this.#host = upstream.tlsServerName ?? upstream.address;
  }

  async ask(question: UpstreamQuestion, signal: AbortSignal): Promise<ExchangeAnswer> {
    try {
      // Id 0 lets HTTP caches on the way help (RFC 8484 section 4.1).
      return { message: await this.#post(encodeUpstreamQuestion(question, 0), signal), transport: 'https' };
    } catch (error) {
      throw this.#failed(error, signal.aborted);
    }
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    this.#kept?.then(
      (connection) => connection?.close(),
      () => {},
    );
  }

  async #post(body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    for (let isFirst = true; ; isFirst = false) {
      this.#kept ??= this.#connect();
      const connection = await unlessAborted(this.#kept, signal, () => new Error('timeout'));
      if (connection === undefined) break;
      try {
        return await connection.post(body, signal);
      } catch (error) {
        // A server may end a connection at any moment, with questions on it that it does not answer: that says nothing of the next one.
        if (!isFirst || signal.aborted || !connection.hasEnded) throw error;
      }
    }
    const tls = await openTls(this.#upstream, { ...this.#deps, alpn: ['http/1.1'] }, signal);
    return post1({ tls, host: this.#host }, body, signal);
  }

  #connect(): Promise<Http2Connection | undefined> {
    const leave = (): void => {
      if (this.#kept === opening) this.#kept = undefined;
    };
    const opening = openShared(
      { clock: this.#deps.clock, ended: this.#ended.signal },
      async (signal) => {
        const tls = await openTls(this.#upstream, { ...this.#deps, alpn: ['h2', 'http/1.1'] }, signal);
        if (tls.alpnProtocol === 'h2') return new Http2Connection(tls, { host: this.#host, ...this.#deps }, leave);
        tls.destroy();
        return undefined;
      },
      (error, isLate) => this.#failed(error, isLate),
    );
    opening.catch(leave);
    return opening;
  }

  #failed(error: unknown, isLate: boolean): Error {
    return upstreamError(upstreamName(this.#upstream), isLate ? 'timeout' : upstreamReason(error), error);
  }
}

async function post1(
  { tls, host }: { readonly tls: TLSSocket; readonly host: string },
  body: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const request = request1({
    createConnection: () => tls,
    method: 'POST',
    path: HTTPS_PATH,
    headers: { host, 'content-type': MEDIA_TYPE, accept: MEDIA_TYPE, 'content-length': body.byteLength },
    signal,
  });
  try {
    const response = await new Promise<Readable & { statusCode?: number }>((resolve, reject) => {
      request.once('response', resolve);
      request.once('error', reject);
      request.end(body);
    });
    return await readHttpsMessage(response, response.statusCode);
  } finally {
    tls.destroy();
  }
}
