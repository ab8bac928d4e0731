import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { BloomeryError, type Clock, errorText, type Listen, type Logger, type Service } from '@bloomery/ports';
import type { Authenticator } from '../auth/authenticate.ts';
import { statusAnswer } from './answers.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import { headersOf, IncomingCall } from './incoming-call.ts';
import { followCredentials, type ListenCredentials, tlsContextOf } from './listen-credentials.ts';
import { LISTEN_LIMITS, type ListenLimits } from './listen-limits.ts';
import { peerCertificateOf } from './peer-certificate.ts';
import { type Exchange, sendAnswer } from './send-answer.ts';

export interface ListenDeps {
  readonly handle: (request: ApiRequest) => Promise<ApiAnswer>;
  readonly credentials: ListenCredentials;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly log: Logger;
  /** Other bounds than LISTEN_LIMITS, for tests. */
  readonly limits?: Partial<ListenLimits>;
}

/** Serve the API over HTTPS: HTTP/1.1 and HTTP/2 on one port, client certificates and bearer tokens. */
export async function listenApi(listen: Listen, deps: ListenDeps): Promise<Service> {
  const limits = { ...LISTEN_LIMITS, ...deps.limits };
  const server = createServer(deps, limits);
  const sockets = new Set<Socket>();
  const running = new Map<IncomingCall, Promise<void>>();
  const sessions = new Set<ServerHttp2Session>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.on('session', (session) => {
    boundSession(session, limits.idleMs, deps.clock);
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('sessionError', () => {});
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('request', (request, response) => {
    const call = incomingCall(request, deps, limits);
    const served = serve({ request, response, limits, clock: deps.clock }, deps, call)
      .catch((error: unknown) => {
        deps.log.debug('api.answer-failed', { path: request.url, error: errorText(error) });
        if (response.stream === undefined) request.socket?.destroy();
        else response.stream.destroy();
      })
      .finally(() => running.delete(call));
    running.set(call, served);
  });
  const unfollow = followCredentials(server, deps.credentials);
  await bind(server, listen);
  // One connection that cannot be accepted ends nothing.
  server.on('error', (error) => deps.log.warn('api.listener_error', { error: errorText(error) }));
  const address = server.address() as AddressInfo;
  return {
    address: { host: listen.host, port: address.port },
    async [Symbol.asyncDispose]() {
      unfollow();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Callers of HTTP/2 are told (GOAWAY) to take their next request elsewhere.
      for (const session of sessions) session.close();
      for (const call of running.keys()) call.abort();
      // Watches end as they should; whoever does not take the end is cut off.
      await Promise.race([Promise.all(running.values()), deps.clock.sleep(limits.graceMs)]);
      closeIdleConnections(server);
      await Promise.race([closed, deps.clock.sleep(limits.graceMs)]);
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function createServer({ credentials }: ListenDeps, limits: ListenLimits): Http2SecureServer {
  // Node serves HTTP/1.1 of a secure HTTP/2 server with these of its HTTP server. Slow requests are looked for this often.
  const http1 = { connectionsCheckingInterval: Math.max(100, Math.min(5000, Math.floor(limits.headersMs / 3))) };
  const server = createSecureServer({
    ...http1,
    allowHTTP1: true,
    // Else the last piece of an answer in several waits until the caller has acknowledged the one before: 40 ms.
    noDelay: true,
    ...tlsContextOf(credentials.current),
    requestCert: true,
    rejectUnauthorized: false,
    settings: { maxConcurrentStreams: limits.streams },
    maxHeaderListPairs: 200,
    maxSessionMemory: limits.sessionMegabytes,
    handshakeTimeout: 10_000,
  });
  return Object.assign(server, {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    timeout: 0,
    maxConnections: limits.connections,
  });
}

/** Close a session of HTTP/2 on which no request is open for `idleMs`: bytes alone do not keep it. */
function boundSession(session: ServerHttp2Session, idleMs: number, clock: Clock): void {
  let open = 0;
  let cancel = clock.after(idleMs, end);
  function end(): void {
    session.close();
    cancel = clock.after(idleMs, () => session.destroy());
  }
  session.on('stream', (stream) => {
    open += 1;
    cancel();
    stream.once('close', () => {
      open -= 1;
      if (open === 0 && !session.destroyed) cancel = clock.after(idleMs, end);
    });
  });
  session.once('close', () => cancel());
}

async function bind(server: Http2SecureServer, listen: Listen): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, () => {
      server.off('error', reject);
      resolve();
    });
  }).catch((cause: unknown) => {
    const message = `listening for the Kubernetes API on ${listen.host}:${listen.port}: ${errorText(cause)}`;
    throw new BloomeryError('BLM_SERVE_LISTEN', message, { facts: { ...listen }, cause });
  });
}

function closeIdleConnections(server: Http2SecureServer): void {
  // Not in the types of a secure HTTP/2 server, but there when it allows HTTP/1.1.
  const close: unknown = Reflect.get(server, 'closeIdleConnections');
  if (typeof close === 'function') close.call(server);
}

function incomingCall(request: Http2ServerRequest, deps: ListenDeps, limits: ListenLimits): IncomingCall {
  const { authorization } = headersOf(request);
  const user = deps.authenticator.authenticate(peerCertificateOf(request), authorization);
  return new IncomingCall(request, { user, limits, clock: deps.clock });
}

async function serve(exchange: Exchange, deps: ListenDeps, call: IncomingCall): Promise<void> {
  const { request, response } = exchange;
  response.once('close', () => call.abort());
  response.on('error', () => call.abort());
  request.on('error', () => call.abort());
  await sendAnswer(exchange, await deps.handle(call).catch(statusAnswer));
}
