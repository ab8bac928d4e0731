import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { apiError } from '@bloomery/kube';
import { BloomeryError, errorText, type Listen, type Logger, type Service } from '@bloomery/ports';
import { authenticate, type PeerCertificate } from '../auth/authenticate.ts';
import type { ServerCredentials } from '../auth/credentials.ts';
import { statusAnswer } from './answers.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';

/** Bounds of the listener. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;
const MAX_CONNECTIONS = 20_000;
const BODY_TIMEOUT_MS = 60_000;
const GZIP_FROM_BYTES = 128 * 1024;

export interface ListenDeps {
  readonly handle: (request: ApiRequest) => Promise<ApiAnswer>;
  readonly credentials: ServerCredentials;
  readonly log: Logger;
}

const compress = promisify(gzip);

/** Serve the API over HTTPS: HTTP/1.1 and HTTP/2 on one port, client certificates and bearer tokens. */
export async function listenApi(listen: Listen, deps: ListenDeps): Promise<Service> {
  const { credentials, log } = deps;
  const stopping = new AbortController();
  const sockets = new Set<Socket>();
  const server = createSecureServer({
    allowHTTP1: true,
    key: credentials.keyPem,
    cert: credentials.certificatePem,
    ca: credentials.caPem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    settings: { maxConcurrentStreams: 1000 },
    maxHeaderListPairs: 200,
    handshakeTimeout: 10_000,
  });
  // Node serves HTTP/1.1 of a secure HTTP/2 server with these properties of its HTTP server.
  Object.assign(server, {
    headersTimeout: 15_000,
    requestTimeout: BODY_TIMEOUT_MS,
    keepAliveTimeout: 120_000,
    timeout: 0,
    maxConnections: MAX_CONNECTIONS,
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.on('sessionError', () => {});
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('request', (request, response) => {
    serve(request, response, deps, stopping.signal).catch((error: unknown) => {
      log.warn('api.answer-failed', { path: request.url, error: errorText(error) });
      response.stream?.destroy();
      request.socket?.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, () => {
      server.off('error', reject);
      resolve();
    });
  }).catch((cause: unknown) => {
    throw new BloomeryError(
      'BLM_SERVE_LISTEN',
      `listening for the Kubernetes API on ${listen.host}:${listen.port}: ${errorText(cause)}`,
      {
        facts: { ...listen },
        cause,
      },
    );
  });
  const address = server.address() as AddressInfo;
  return {
    address: { host: listen.host, port: address.port },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        setImmediate(() => {
          for (const socket of sockets) socket.destroy();
        });
      });
    },
  };
}

async function serve(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  deps: ListenDeps,
  stopping: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.on('error', () => gone.abort());
  request.on('error', () => gone.abort());
  const headers = plainHeaders(request.headers);
  const url = splitUrl(request.url);
  const call: ApiRequest = {
    method: request.method,
    path: url.path,
    query: url.query,
    headers,
    body: () => readBody(request),
    user: authenticate(peerCertificate(request.socket), headers['authorization'], deps.credentials.tokens),
    signal: AbortSignal.any([gone.signal, stopping]),
  };
  const answer = await deps.handle(call).catch(statusAnswer);
  for (const [name, value] of Object.entries(answer.headers))
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  if (gone.signal.aborted) return;
  if (typeof answer.body === 'string' || answer.body instanceof Uint8Array)
    return sendWhole(request, response, answer.status, answer.body, headers);
  response.writeHead(answer.status);
  await sendStream(response, answer.body, gone.signal);
}

async function sendWhole(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  status: number,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  let bytes: Buffer = Buffer.from(body);
  if (bytes.length > GZIP_FROM_BYTES && headers['accept-encoding']?.includes('gzip') === true) {
    bytes = await compress(bytes, { level: 1 });
    response.setHeader('content-encoding', 'gzip');
  }
  response.writeHead(status, status === 304 ? {} : { 'content-length': bytes.length });
  if (request.method === 'HEAD' || status === 304) response.end();
  else response.end(bytes);
}

async function sendStream(
  response: Http2ServerResponse,
  body: AsyncIterable<string>,
  gone: AbortSignal,
): Promise<void> {
  flushHeaders(response);
  for await (const piece of body) {
    if (gone.aborted) return;
    if (!response.write(piece)) {
      await new Promise<void>((resolve) => {
        response.once('drain', resolve);
        gone.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
  response.end();
}

function flushHeaders(response: Http2ServerResponse): void {
  // The compatibility response of HTTP/1.1 has it, that of HTTP/2 sends headers with writeHead already.
  const flush: unknown = Reflect.get(response, 'flushHeaders');
  if (typeof flush === 'function') flush.call(response);
}

async function readBody(request: Http2ServerRequest): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_BODY_BYTES) {
      throw apiError({
        code: 413,
        reason: 'RequestEntityTooLarge',
        message: `Request entity too large: limit is ${MAX_BODY_BYTES}`,
      });
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function plainHeaders(headers: Http2ServerRequest['headers']): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

function splitUrl(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const at = url.indexOf('?');
  return at < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

function peerCertificate(socket: unknown): PeerCertificate | undefined {
  const tls = socket as Pick<TLSSocket, 'getPeerCertificate' | 'authorized'>;
  if (typeof tls?.getPeerCertificate !== 'function') return undefined;
  const certificate: Partial<DetailedPeerCertificate> | undefined = tls.getPeerCertificate(true);
  const subject = certificate?.subject as Readonly<Record<string, string | string[]>> | undefined;
  if (subject === undefined) return undefined;
  const list = (value: string | string[] | undefined): string[] =>
    value === undefined ? [] : Array.isArray(value) ? value : [value];
  return { commonName: list(subject['CN'])[0] ?? '', organizations: list(subject['O']), trusted: tls.authorized };
}
