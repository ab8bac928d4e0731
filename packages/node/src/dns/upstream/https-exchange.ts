import { request as request1 } from 'node:http';
import { type ClientHttp2Session, connect as connect2 } from 'node:http2';
import type { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { DnsUpstreamSetting } from '../host-dns.ts';
import { type Exchange, type ExchangeDeps, upstreamName } from './exchange.ts';
import { openTls } from './tls-stream.ts';
import { upstreamError, upstreamReason } from './upstream-error.ts';
import { encodeUpstreamQuestion } from './upstream-question.ts';

const MEDIA_TYPE = 'application/dns-message';
const PATH = '/dns-query';
const MESSAGE_MAX_BYTES = 65_535;
const IDLE_MS = 10_000;

/** Asks by POST (RFC 8484): over one HTTP/2 connection that is kept, or a connection each where the server has only HTTP/1.1. */
export function createHttpsExchange(upstream: DnsUpstreamSetting, deps: ExchangeDeps): Exchange {
  const host = upstream.tlsServerName ?? upstream.address;
  const authority = `https://${host.includes(':') ? `[${host}]` : host}`;
  let kept: ClientHttp2Session | undefined;
  let cancelIdle = (): void => {};
  const keep = (session: ClientHttp2Session): void => {
    cancelIdle();
    kept = session;
    cancelIdle = deps.clock.after(IDLE_MS, () => session.close());
  };
  const post = async (body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> => {
    if (kept !== undefined && !kept.closed && !kept.destroyed) {
      keep(kept);
      return post2(kept, body, signal);
    }
    const tls = await openTls(upstream, { ...deps, alpn: ['h2', 'http/1.1'] }, signal);
    if (tls.alpnProtocol !== 'h2') return post1({ tls, host }, body, signal);
    const session = connect2(authority, { createConnection: () => tls });
    session.on('error', () => session.destroy());
    session.on('goaway', () => session.close());
    keep(session);
    return post2(session, body, signal);
  };
  return {
    async ask(question, signal) {
      try {
        // Id 0 lets HTTP caches on the way help (RFC 8484 section 4.1).
        return { message: await post(encodeUpstreamQuestion(question, 0), signal), transport: 'https' };
      } catch (error) {
        // Somebody on the way may have forgotten the connection: the next question needs another one.
        if (signal.aborted) kept?.destroy();
        throw upstreamError(upstreamName(upstream), signal.aborted ? 'timeout' : upstreamReason(error), error);
      }
    },
    [Symbol.dispose]() {
      cancelIdle();
      kept?.destroy();
    },
  };
}

async function post2(session: ClientHttp2Session, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  const stream = session.request({
    ':method': 'POST',
    ':path': PATH,
    'content-type': MEDIA_TYPE,
    accept: MEDIA_TYPE,
    'content-length': body.byteLength,
  });
  const abort = (): void => {
    stream.destroy(new Error('timeout'));
  };
  signal.addEventListener('abort', abort);
  try {
    stream.end(body);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      stream.once('response', (headers) => resolve(headers[':status']));
      stream.once('error', reject);
      stream.once('close', () => reject(new Error('connection closed')));
    });
    return await readMessage(stream, status);
  } finally {
    signal.removeEventListener('abort', abort);
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
    path: PATH,
    headers: { host, 'content-type': MEDIA_TYPE, accept: MEDIA_TYPE, 'content-length': body.byteLength },
    signal,
  });
  try {
    const response = await new Promise<Readable & { statusCode?: number }>((resolve, reject) => {
      request.once('response', resolve);
      request.once('error', reject);
      request.end(body);
    });
    return await readMessage(response, response.statusCode);
  } finally {
    tls.destroy();
  }
}

async function readMessage(body: Readable, status: number | undefined): Promise<Uint8Array> {
  if (status !== 200) {
    body.resume();
    throw new Error(`HTTP status ${status ?? 'unknown'}`);
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Buffer)) continue;
    length += chunk.byteLength;
    if (length > MESSAGE_MAX_BYTES) throw new Error(`response of more than ${MESSAGE_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}
