import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { type BloomeryError, type Clock, errorText, isBloomeryError } from '@bloomery/ports';
import { drained } from './drained.ts';
import { DEFAULT_MESSAGE_MAX_BYTES, encodeFrame, readFrames } from './frames.ts';
import { decodeGrpcMessage } from './grpc-message.ts';
import type { Metadata } from './grpc-service.ts';
import { formatGrpcTimeout } from './grpc-timeout.ts';
import { type GrpcStatusName, grpcError, grpcStatusName } from './status.ts';

/** Everything about one call but its messages. */
export interface ClientCallOptions {
  readonly clock: Clock;
  readonly metadata: Metadata;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly messageMaxBytes?: number;
  /** The deadline passed without the peer ending the call. */
  readonly onExpired: () => void;
  /** The call is over in any way; called once. */
  readonly onClosed: () => void;
}

/** One open call on the level of bytes. */
export interface ClientCall {
  /** For callers that do their own framing: then neither of the functions that send or read is used. */
  readonly stream: ClientHttp2Stream;
  /** Resolves when the call ended with OK; rejects with BLM_GRPC_STATUS otherwise. Somebody must read the stream. */
  ended(): Promise<void>;
  /** Send the only or last message. */
  sendLast(message: Uint8Array): void;
  /** Send as the peer reads; a failure of the source cancels the call. */
  sendAll(source: AsyncIterable<unknown>, encode: (init: unknown) => Uint8Array): Promise<void>;
  /** Answers in order; throws BLM_GRPC_STATUS unless the call ends with OK. Read it once. */
  messages(): AsyncGenerator<Uint8Array>;
  /** Gives up; nothing happens when the call is over. */
  cancel(): void;
}

interface Outcome {
  failure?: BloomeryError;
  status?: string;
  message?: string;
  httpStatus?: number;
}

/** Start a call on an open connection. */
export function openClientCall(session: ClientHttp2Session, path: string, options: ClientCallOptions): ClientCall {
  const stream = session.request(requestHeaders(path, options));
  const outcome: Outcome = {};
  const fail = (status: GrpcStatusName, message: string): void => {
    outcome.failure ??= grpcError(status, `${path}: ${message}`);
    stream.close(constants.NGHTTP2_CANCEL);
  };
  const note = (headers: IncomingHttpHeaders): void => {
    if (headers[':status'] !== undefined) outcome.httpStatus = Number(headers[':status']);
    if (headers['grpc-status'] !== undefined) outcome.status = String(headers['grpc-status']);
    if (headers['grpc-message'] !== undefined) outcome.message = String(headers['grpc-message']);
  };
  stream.on('response', note);
  stream.on('trailers', note);
  stream.on('error', (error) => {
    outcome.failure ??= grpcError('UNAVAILABLE', `${path}: ${errorText(connectionError(error))}`, error);
  });
  stream.once('end', () => stream.end());
  watchEnd(stream, options, fail);
  return {
    stream,
    ended: () => endOf(stream, outcome, path),
    sendLast: (message) => {
      stream.end(encodeFrame(message));
    },
    sendAll: async (source, encode) => {
      try {
        for await (const init of source) {
          if (stream.destroyed || stream.writableEnded) return;
          if (!stream.write(encodeFrame(encode(init)))) await drained(stream);
        }
        stream.end();
      } catch (error) {
        fail('CANCELLED', errorText(error));
      }
    },
    messages: () => readAnswers(stream, outcome, path, options.messageMaxBytes ?? DEFAULT_MESSAGE_MAX_BYTES),
    cancel: () => {
      if (!stream.destroyed) stream.close(constants.NGHTTP2_CANCEL);
    },
  };
}

/** Why the connection failed that a call was waiting for: http2 only says that the call was cancelled. */
function connectionError(error: Error): unknown {
  return 'code' in error && error.code === 'ERR_HTTP2_STREAM_CANCEL' ? (error.cause ?? error) : error;
}

function requestHeaders(path: string, { metadata, timeoutMs }: ClientCallOptions): Record<string, string> {
  const headers: Record<string, string> = {
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'bloomery',
  };
  if (timeoutMs !== undefined) headers['grpc-timeout'] = formatGrpcTimeout(timeoutMs);
  for (const [name, value] of Object.entries(metadata)) if (value !== undefined) headers[name.toLowerCase()] = value;
  return headers;
}

function watchEnd(
  stream: ClientHttp2Stream,
  { clock, timeoutMs, signal, onExpired, onClosed }: ClientCallOptions,
  fail: (status: GrpcStatusName, message: string) => void,
): void {
  const aborted = (): void => fail('CANCELLED', 'cancelled by the caller');
  const cancelTimer =
    timeoutMs === undefined
      ? () => {}
      : clock.after(timeoutMs, () => {
          fail('DEADLINE_EXCEEDED', `no answer in ${timeoutMs} ms`);
          onExpired();
        });
  signal?.addEventListener('abort', aborted, { once: true });
  stream.once('close', () => {
    onClosed();
    cancelTimer();
    signal?.removeEventListener('abort', aborted);
  });
  if (signal?.aborted) aborted();
}

async function* readAnswers(
  stream: ClientHttp2Stream,
  outcome: Outcome,
  path: string,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  try {
    yield* readFrames(stream.iterator({ destroyOnReturn: false }), maxBytes);
  } catch (error) {
    if (outcome.failure !== undefined) throw outcome.failure;
    if (isBloomeryError(error) && outcome.status === undefined) throw error;
    if (outcome.status === undefined) throw grpcError('UNAVAILABLE', `${path}: ${errorText(error)}`, error);
  }
  await endOf(stream, outcome, path);
}

async function endOf(stream: ClientHttp2Stream, outcome: Outcome, path: string): Promise<void> {
  await closed(stream);
  if (outcome.failure !== undefined && outcome.status === undefined) throw outcome.failure;
  if (outcome.status === '0') return;
  if (outcome.status === undefined) throw withoutStatus(path, outcome);
  const name = grpcStatusName(Number(outcome.status));
  throw grpcError(name, `${path}: ${decodeGrpcMessage(outcome.message ?? name)}`);
}

function withoutStatus(path: string, { httpStatus }: Outcome): BloomeryError {
  if (httpStatus === undefined || httpStatus === 200) {
    return grpcError('UNAVAILABLE', `${path}: the connection ended without a status`);
  }
  const name = HTTP_TO_GRPC[httpStatus] ?? 'UNKNOWN';
  return grpcError(name, `${path}: HTTP status ${httpStatus} instead of a gRPC answer`);
}

const HTTP_TO_GRPC: Readonly<Record<number, GrpcStatusName>> = {
  400: 'INTERNAL',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'UNIMPLEMENTED',
  429: 'UNAVAILABLE',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
};

function closed(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed || stream.destroyed) resolve();
    else stream.once('close', resolve);
  });
}
