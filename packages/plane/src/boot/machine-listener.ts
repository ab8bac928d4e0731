import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import {
  constants,
  createServer as createHttp2Server,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { GrpcHandler } from '@bloomery/grpc';
import { type BoundAddress, type Clock, errorText, type Listen, type Logger, type Service } from '@bloomery/ports';
import { type AddressLimits, createAddressLimit } from './address-limit.ts';
import { type ConnectionBounds, type ConnectionLimits, createConnectionBounds } from './connection-bounds.ts';
import type { HttpRoute } from './http-route.ts';
import { createHttpSurface } from './http-surface.ts';
import { sniffProtocol } from './protocol-sniff.ts';
import { openTlsPort, type TlsFiles } from './tls-port.ts';

/** What the machine port serves and needs. */
export interface MachineListenerDeps {
  /** Asked once, when the port is known and before anybody is served. */
  readonly serve: (bound: BoundAddress) => MachineSurface;
  readonly log: Logger;
  readonly clock: Clock;
  readonly limits?: Partial<MachineListenerLimits>;
  /** Present: TLS is spoken too, on the same port. Plain text stays for firmware. */
  readonly tls?: TlsFiles;
}

/** Everything behind the machine port. */
export interface MachineSurface {
  readonly routes: readonly HttpRoute[];
  readonly grpc: GrpcHandler;
}

/** Bounds of the machine port. Whoever comes above them is disconnected. */
export interface MachineListenerLimits extends ConnectionLimits {
  /** gRPC calls under way that are no tunnels, and those of one address; 4096 and 2048 unless given. */
  readonly calls: AddressLimits;
  /** For the first bytes, for a TLS handshake, and for the header of a request; 10 s unless given. */
  readonly headerTimeoutMs: number;
  /** Of an HTTP/2 connection without open streams; 10 min unless given. */
  readonly idleTimeoutMs: number;
}

const DEFAULT_LIMITS: MachineListenerLimits = {
  connections: 4_096,
  connectionsPerAddress: 1_024,
  tunnels: 16_384,
  calls: { total: 4_096, perAddress: 2_048 },
  headerTimeoutMs: 10_000,
  idleTimeoutMs: 600_000,
};

/** Of a stream. The connection's stays the protocol's 64 KiB, so this costs nothing, until a tunnel raises it for itself. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const HEADER_MAX_BYTES = 16_384;
const METADATA_MAX_BYTES = 8_192;
const KEEP_ALIVE_MS = 75_000;
const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * The one TCP port of the machines: HTTP/1.1 for firmware, iPXE and configuration, HTTP/2 with prior knowledge for gRPC.
 * With a certificate both are spoken inside TLS as well. Disposing it closes every connection.
 *
 * @throws when the address cannot be bound; BloomeryError BLM_TLS_FILE for a certificate or key that cannot be used
 */
export async function startMachineListener(listen: Listen, deps: MachineListenerDeps): Promise<Service> {
  const limits = { ...DEFAULT_LIMITS, ...deps.limits };
  const tls =
    deps.tls === undefined
      ? undefined
      : await openTlsPort(deps.tls, {
          ...deps,
          handshakeTimeoutMs: limits.headerTimeoutMs,
          onSecure: (socket) => {
            socket.on('error', (error) => deps.log.debug('machine_port.socket_error', { error: errorText(error) }));
            speak(socket, true);
          },
        });
  const server = createHttpServer({
    maxHeaderSize: HEADER_MAX_BYTES,
    headersTimeout: limits.headerTimeoutMs,
    requestTimeout: 3 * limits.headerTimeoutMs,
    connectionsCheckingInterval: Math.min(5_000, limits.headerTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    requireHostHeader: false,
    noDelay: true,
  });
  server.timeout = 0;
  server.maxConnections = limits.connections + limits.tunnels;
  server.on('clientError', (_error, socket) => socket.destroy());
  const [serveHttp1] = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('error', (error) => deps.log.warn('machine_port.error', { error: errorText(error) }));
  server.listen({ host: listen.host, port: listen.port, backlog: 1_024 });
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : listen.port;
  const { routes, grpc } = deps.serve({ host: listen.host, port });
  const bounds = createConnectionBounds(limits);
  const http2 = createGrpcPort(grpc, bounds, limits);
  server.on('request', createHttpSurface(routes, deps.log));
  const speak = (socket: Socket, isSecure: boolean): void => {
    sniffProtocol(socket, deps.clock, limits.headerTimeoutMs, (protocol) => {
      if (protocol === 'http2') http2.accept(socket, isSecure);
      else if (protocol === 'tls' && tls !== undefined && !isSecure) tls.accept(socket);
      else if (protocol === 'tls') socket.destroy();
      else serveHttp1?.call(server, socket);
    });
  };
  server.on('connection', (socket) => {
    socket.on('error', (error) => deps.log.debug('machine_port.socket_error', { error: errorText(error) }));
    if (!bounds.admit(socket)) return;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    speak(socket, false);
  });
  deps.log.info('machine_port.listening', { host: listen.host, port });
  return {
    address: { host: listen.host, port },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      bounds.closeAll();
      await closed;
    },
  };
}

interface GrpcPort {
  /** A connection that begins with the preface of HTTP/2. */
  accept(socket: Socket, isSecure: boolean): void;
}

function createGrpcPort(grpc: GrpcHandler, bounds: ConnectionBounds, limits: MachineListenerLimits): GrpcPort {
  const options: ServerOptions = {
    maxSessionMemory: 16,
    maxHeaderListPairs: 64,
    maxSessionInvalidFrames: 50,
    maxSessionRejectedStreams: 50,
    unknownProtocolTimeout: limits.headerTimeoutMs,
    settings: {
      maxConcurrentStreams: 128,
      maxHeaderListSize: METADATA_MAX_BYTES,
      initialWindowSize: STREAM_WINDOW_BYTES,
    },
  };
  const enter = createAddressLimit(limits.calls);
  const handler: GrpcHandler = (stream, headers) => {
    const leave = enter(stream.session?.socket?.remoteAddress ?? '');
    if (leave === undefined) {
      stream.on('error', () => {});
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    stream.once('close', leave);
    grpc(stream, headers);
    // Only methods that do their own framing have answered and go on now: the tunnel, which has checked its caller.
    const peer = stream.session?.socket;
    if (!stream.headersSent || stream.writableEnded || peer === undefined) return;
    leave();
    stream.once('close', bounds.carry(peer));
  };
  const server = createHttp2Server(options);
  server.on('stream', handler);
  server.on('sessionError', () => {});
  server.on('session', (session) => closeWhenIdle(session, limits));
  return {
    accept: (socket, isSecure) => {
      if (!isSecure) {
        // Sockets of an HTTP server may be half open: calls of a peer that is gone would be waited for.
        socket.allowHalfOpen = false;
        server.emit('connection', socket);
        return;
      }
      // The server refuses TLS without ALPN, which old Talos does not send; what it speaks we have seen.
      const session = performServerHandshake(socket, options);
      session.on('error', () => {});
      session.on('stream', (stream, headers) => handler(stream, headers));
      closeWhenIdle(session, limits);
    },
  };
}

/** A connection whose peer never speaks HTTP/2, or on which nothing is open for long, is closed. */
function closeWhenIdle(session: ServerHttp2Session, { headerTimeoutMs, idleTimeoutMs }: MachineListenerLimits): void {
  let open = 0;
  session.on('stream', (stream) => {
    open += 1;
    stream.once('close', () => {
      open -= 1;
    });
  });
  session.setTimeout(headerTimeoutMs);
  session.on('timeout', () => {
    if (open === 0) session.destroy();
  });
  session.once('remoteSettings', () => session.setTimeout(idleTimeoutMs));
}
