import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { type Clock, errorText, isBloomeryError, type Logger } from '@bloomery/ports';
import { certifiedPeer } from './certified-peer.ts';
import { drained } from './drained.ts';
import { DEFAULT_MESSAGE_MAX_BYTES, encodeFrame, readFrames } from './frames.ts';
import { encodeGrpcMessage } from './grpc-message.ts';
import type { GrpcMessageMethod, GrpcMethod, GrpcRawMethod, GrpcService, Metadata, RawCall } from './grpc-service.ts';
import { parseGrpcTimeout } from './grpc-timeout.ts';
import { createHeldLimit, type HeldLimits, type HoldFor } from './held-limit.ts';
import { GRPC_STATUS, type GrpcStatusName, grpcStatusOf } from './status.ts';

/** What the handler needs. */
export interface GrpcHandlerDeps {
  readonly log: Logger;
  readonly clock: Clock;
  /** Largest request message in bytes; 4 MiB unless given. */
  readonly messageMaxBytes?: number;
  /** Bytes of requests that are not complete, of all calls together and of one address; 64 MiB and 16 MiB unless given. */
  readonly incompleteMaxBytes?: HeldLimits;
  /** A call that takes one message must have it within this time; 30 s unless given. */
  readonly requestTimeoutMs?: number;
}

/** Serves one HTTP/2 request: give it to the `stream` event of a node:http2 server. Never throws. */
export type GrpcHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** Half-open streams of clients that go on sending after the answer are reset after this time. */
const LINGER_MS = 5_000;
const INCOMPLETE_MAX_BYTES: HeldLimits = { total: 64 * 1024 * 1024, perAddress: 16 * 1024 * 1024 };
const REQUEST_TIMEOUT_MS = 30_000;
/** Reason of aborted signals: without one an exception with its stack is made for each call. */
const CALL_OVER = 'the call is over';
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * One handler for all services of a shared HTTP/2 connection.
 * Unknown methods end with UNIMPLEMENTED, requests that are not gRPC with HTTP 415. The caller bounds connections and streams.
 */
export function createGrpcHandler(services: readonly GrpcService[], deps: GrpcHandlerDeps): GrpcHandler {
  const methods = new Map(services.flatMap((service) => service.methods.map((method) => [method.path, method])));
  const holdFor = createHeldLimit(deps.incompleteMaxBytes ?? INCOMPLETE_MAX_BYTES);
  return (stream, headers) => {
    stream.on('error', (error) => deps.log.debug('grpc.stream_error', { error: errorText(error) }));
    if (!String(headers['content-type'] ?? '').startsWith('application/grpc') || headers[':method'] !== 'POST') {
      respondOnly(stream, { ':status': 415 });
      return;
    }
    const call = openCall(stream, headers, deps);
    const path = String(headers[':path'] ?? '').slice(0, 200);
    const method = methods.get(path);
    const timeout = headers['grpc-timeout'];
    const timeoutMs = timeout === undefined ? undefined : parseGrpcTimeout(String(timeout));
    if (method === undefined) return call.finish('UNIMPLEMENTED', `Unknown method ${path}`);
    if (timeout !== undefined && timeoutMs === undefined) return call.finish('INTERNAL', 'malformed grpc-timeout');
    if (timeoutMs !== undefined) call.expireAfter(timeoutMs);
    if ('open' in method) openRaw(method, call, deps);
    else void runCall(method, call, holdFor, deps);
  };
}

interface Call extends RawCall {
  readonly isDone: () => boolean;
  readonly expireAfter: (timeoutMs: number) => void;
}

function openCall(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, deps: GrpcHandlerDeps): Call {
  const abort = new AbortController();
  let done = false;
  let cancelTimer = (): void => {};
  const finish = (status: GrpcStatusName, message = ''): void => {
    if (done) return;
    done = true;
    cancelTimer();
    abort.abort(CALL_OVER);
    answer(stream, status, message, deps.clock);
  };
  stream.on('close', () => {
    done = true;
    cancelTimer();
    abort.abort(CALL_OVER);
  });
  const socket = stream.session?.socket;
  const peer = { host: plainAddress(socket?.remoteAddress ?? ''), port: socket?.remotePort ?? 0 };
  return {
    stream,
    context: { metadata: metadataOf(headers), peer, certifiedPeer: () => certifiedPeer(socket), signal: abort.signal },
    isDone: () => done,
    accept: () => {
      if (!done && !stream.destroyed && !stream.headersSent)
        stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    },
    finish,
    expireAfter: (timeoutMs) => {
      cancelTimer = deps.clock.after(Math.min(timeoutMs, LONGEST_TIMER_MS), () =>
        finish('DEADLINE_EXCEEDED', 'deadline exceeded'),
      );
    },
  };
}

function openRaw(method: GrpcRawMethod, call: Call, deps: GrpcHandlerDeps): void {
  try {
    method.open(call);
  } catch (error) {
    failCall(method, call, error, deps);
  }
}

async function runCall(method: GrpcMessageMethod, call: Call, holdFor: HoldFor, deps: GrpcHandlerDeps): Promise<void> {
  const { stream } = call;
  try {
    if (method.takesOne === true) expectRequest(call, deps);
    const messages = readFrames(
      stream.iterator({ destroyOnReturn: false }),
      deps.messageMaxBytes ?? DEFAULT_MESSAGE_MAX_BYTES,
      holdFor(call.context.peer.host),
    );
    for await (const message of method.serve(messages, call.context)) {
      if (call.isDone() || stream.destroyed) return;
      call.accept();
      if (!stream.write(encodeFrame(message))) await drained(stream);
    }
    call.finish('OK');
  } catch (error) {
    failCall(method, call, error, deps);
  }
}

/** Who opens calls and says nothing more would hold them for ever. */
function expectRequest(
  { stream, finish }: Call,
  { clock, requestTimeoutMs = REQUEST_TIMEOUT_MS }: GrpcHandlerDeps,
): void {
  const cancel = clock.after(requestTimeoutMs, () => {
    finish('DEADLINE_EXCEEDED', `the request was not complete after ${requestTimeoutMs} ms`);
  });
  stream.once('end', cancel);
  stream.once('close', cancel);
}

function failCall({ path }: GrpcMethod, call: Call, error: unknown, { log }: GrpcHandlerDeps): void {
  if (call.isDone()) return;
  if (!isBloomeryError(error)) log.error('grpc.handler_failed', { path, error: errorText(error) });
  call.finish(grpcStatusOf(error), isBloomeryError(error) ? error.message : 'internal error');
}

const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc', 'grpc-accept-encoding': 'identity' };

function answer(stream: ServerHttp2Stream, status: GrpcStatusName, message: string, clock: Clock): void {
  const trailers = {
    'grpc-status': String(GRPC_STATUS[status]),
    ...(message === '' ? {} : { 'grpc-message': encodeGrpcMessage(message) }),
  };
  if (!stream.headersSent) respondOnly(stream, { ...RESPONSE_HEADERS, ...trailers });
  else if (!stream.destroyed) {
    stream.once('wantTrailers', () => {
      if (!stream.destroyed && !stream.closed) stream.sendTrailers(trailers);
    });
    stream.end();
  }
  if (stream.destroyed) return;
  stream.resume();
  const cancel = clock.after(LINGER_MS, () => stream.close());
  stream.once('close', cancel);
}

function respondOnly(stream: ServerHttp2Stream, headers: Record<string, string | number>): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  stream.respond(headers, { endStream: true });
  stream.resume();
}

function metadataOf(headers: IncomingHttpHeaders): Metadata {
  const entries = Object.entries(headers).filter(([name]) => !name.startsWith(':'));
  return Object.fromEntries(entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]));
}

/** An IPv4 address out of its IPv6-mapped form; anything else unchanged. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
