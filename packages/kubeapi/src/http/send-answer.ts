import type { EventEmitter } from 'node:events';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import { BloomeryError, type Clock } from '@bloomery/ports';
import { type ApiAnswer, isListPieces } from './api-request.ts';
import type { ListenLimits } from './listen-limits.ts';

/** A request with the means to answer it. */
export interface Exchange {
  readonly request: Http2ServerRequest;
  readonly response: Http2ServerResponse;
  readonly limits: ListenLimits;
  readonly clock: Clock;
}

const GZIP_FROM_BYTES = 128 * 1024;
const GZIP = { level: 1 } as const;
/** Well below what Node lets wait unwritten on a socket. */
const LAST_BYTES = 8 * 1024;
/** What the slowest caller that is still waited for takes. */
const SLOWEST_BYTES_PER_MS = 32;

const compress = promisify(gzip);

/** Send an answer. @throws BloomeryError BLM_API_UNAVAILABLE when the caller does not take it. */
export async function sendAnswer(exchange: Exchange, answer: ApiAnswer): Promise<void> {
  const { request, response } = exchange;
  if (isOver(response)) return;
  const { status, headers, body } = answer;
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? '';
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  }
  if (typeof body === 'string' || body instanceof Uint8Array) return sendWhole(exchange, status, Buffer.from(body));
  const gzips = isListPieces(body) && takesGzip(request);
  if (gzips) response.setHeader('content-encoding', 'gzip');
  response.writeHead(status);
  if (request.method === 'HEAD') response.end();
  else if (isListPieces(body)) await sendStream(exchange, gzips ? gzipped(body.pieces) : body.pieces);
  else await sendStream(exchange, body);
}

function takesGzip(request: Http2ServerRequest): boolean {
  return request.headers['accept-encoding']?.includes('gzip') === true;
}

async function sendWhole(exchange: Exchange, status: number, whole: Buffer): Promise<void> {
  const { request, response, limits } = exchange;
  let bytes = whole;
  if (bytes.length > GZIP_FROM_BYTES && takesGzip(request)) {
    bytes = await compress(bytes, GZIP);
    if (isOver(response)) return;
    response.setHeader('content-encoding', 'gzip');
  }
  const isBare = request.method === 'HEAD' || status === 304;
  response.writeHead(status, status === 304 ? {} : { 'content-length': bytes.length });
  // Else Node resets a stream whose body nobody reads as soon as the answer is written, and the reset overtakes the answer.
  (request.stream ?? request).resume();
  const takenMs = limits.stalledMs + bytes.length / SLOWEST_BYTES_PER_MS;
  // While much of an answer waits to be written, Node 24 takes the next request of an HTTP/1.1 caller for broken (Parse Error:
  // PausedError). So the caller gets the end of a large answer only when the rest of it is written.
  const first = response.stream === undefined && !isBare ? bytes.length - LAST_BYTES : 0;
  if (first > 0 && !response.write(bytes.subarray(0, first))) await untilEvent(exchange, 'drain', takenMs);
  const taken = untilEvent(exchange, 'finish', takenMs);
  if (isBare) response.end();
  else response.end(first > 0 ? bytes.subarray(first) : bytes);
  await taken;
  dropBody(exchange);
}

/**
 * The caller may still be sending a body that nobody wants. Its stream is closed a while later only: the reset of a stream overtakes
 * the answer on it. (`complete` says no for a request that ended with its headers and was never read.)
 */
function dropBody({ request, response: { stream }, limits, clock }: Exchange): void {
  if (request.complete || stream === undefined || stream.destroyed || stream.endAfterHeaders) return;
  const cancel = clock.after(limits.graceMs, () => stream.close());
  stream.once('close', cancel);
}

/** Pieces are made one by one as the caller takes them: a list of any size holds one piece at a time. */
async function sendStream(exchange: Exchange, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  const { response, limits } = exchange;
  flushHeaders(response);
  for await (const piece of pieces) {
    if (isOver(response)) return;
    if (!response.write(piece)) await untilEvent(exchange, 'drain', limits.stalledMs);
  }
  const ended = untilEvent(exchange, 'finish', limits.stalledMs);
  response.end();
  await ended;
}

async function* gzipped(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const zip = createGzip(GZIP);
  // An error, such as the caller's going, ends the loop below too.
  pipeline(Readable.from(pieces, { highWaterMark: 1 }), zip, () => {});
  for await (const chunk of zip) if (chunk instanceof Uint8Array) yield chunk;
}

function isOver(response: Http2ServerResponse): boolean {
  return response.stream === undefined ? response.destroyed : response.stream.destroyed;
}

/** Until the response says so, or is closed. */
function untilEvent({ response, clock }: Exchange, event: 'drain' | 'finish', withinMs: number): Promise<void> {
  // The compatibility response of HTTP/2 finishes only when the caller has ended its request too.
  const out: EventEmitter = response.stream ?? response;
  return new Promise((resolve, reject) => {
    const cancel = clock.after(withinMs, () => {
      leave();
      reject(new BloomeryError('BLM_API_UNAVAILABLE', `answering a caller: it took nothing for ${withinMs} ms`));
    });
    const done = (): void => {
      leave();
      resolve();
    };
    function leave(): void {
      cancel();
      out.off(event, done).off('close', done);
    }
    out.on(event, done).on('close', done);
  });
}

function flushHeaders(response: Http2ServerResponse): void {
  // The compatibility response of HTTP/1.1 has it, that of HTTP/2 sends headers with writeHead already.
  const flush: unknown = Reflect.get(response, 'flushHeaders');
  if (typeof flush === 'function') flush.call(response);
}
