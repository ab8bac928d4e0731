import { createSecureServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createGrpcHandler, type GrpcService } from '@bloomery/grpc';
import {
  BloomeryError,
  type BoundAddress,
  type Clock,
  createSeldom,
  createSocketRoom,
  errorText,
  type Listen,
  type Logger,
  type Service,
} from '@bloomery/ports';
import type { ServerCertificate } from './server-certificate.ts';

/** What a server of a machine needs. */
export interface TalosServerDeps {
  readonly services: readonly GrpcService[];
  readonly certificate: ServerCertificate;
  /** `required`: the Talos API. `none`: trustd, whose callers have no certificate yet. A function decides for each connection. */
  readonly clientCertificates: 'required' | 'none' | (() => 'required' | 'optional');
  readonly clock: Clock;
  readonly log: Logger;
}

/** A running server of a machine. */
export interface TalosServer extends Service {
  /** Cut the connection of this caller; nothing happens when it is gone. */
  cut(peer: BoundAddress): void;
  /** Cut the connections of all who have shown no certificate that is believed: what they watch would go on. */
  cutStrangers(): void;
  /** From now on, and for new connections, another certificate and other clients to believe. */
  setCertificate(certificate: ServerCertificate): void;
}

/** With more, the one that has shown no certificate for longest is cut. */
const MAX_CONNECTIONS = 256;
const MAX_CALLS_PER_CONNECTION = 100;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const IDLE_MS = 600_000;
const REFUSALS_QUIET_MS = 60_000;
/** A laptop that was closed over a watch says no farewell: after so long the kernel asks whether it is still there. */
const ASK_AFTER_MS = 60_000;

/**
 * Serve gRPC as machines do: TLS 1.3, for the Talos API with client certificates that the machine's CA has signed.
 *
 * @throws BloomeryError BLM_SERVE_LISTEN when the address cannot be bound.
 */
export async function startTalosServer(listen: Listen, deps: TalosServerDeps): Promise<TalosServer> {
  const { certificate, clock, log } = deps;
  const { clientCertificates } = deps;
  const server = createSecureServer({
    ...secureContext(certificate),
    requestCert: clientCertificates !== 'none',
    rejectUnauthorized: clientCertificates === 'required',
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxSessionMemory: 16,
    settings: { maxConcurrentStreams: MAX_CALLS_PER_CONNECTION, maxHeaderListSize: 16_384 },
  });
  const room = createSocketRoom(MAX_CONNECTIONS);
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => socket.destroy());
    socket.setKeepAlive(true, ASK_AFTER_MS);
    room.enter(socket);
  });
  const refuse = createRefusal(deps);
  const strangers = new Set<TLSSocket>();
  server.on('secureConnection', (socket: TLSSocket) => {
    const asked = typeof clientCertificates === 'function' ? clientCertificates() : clientCertificates;
    if (!socket.authorized && asked === 'required') return refuse(socket);
    if (!socket.authorized) {
      strangers.add(socket);
      socket.once('close', () => strangers.delete(socket));
      return;
    }
    // Whom we believe never makes room for whom we do not.
    const own = [...room.sockets].find((other) => peerOf(other) === peerOf(socket));
    if (own !== undefined) room.stay(own);
  });
  server.on('session', (session: ServerHttp2Session) => session.setTimeout(IDLE_MS, () => session.close()));
  server.on('sessionError', () => {});
  server.on('tlsClientError', (error, socket) => {
    log.debug('talos_api.tls_error', { error: errorText(error) });
    socket.destroy();
  });
  server.on('stream', createGrpcHandler(deps.services, { clock, log }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, () => resolve());
  }).catch((cause: unknown) => {
    const message = `listening for the Talos API on ${listen.host}:${listen.port}: ${errorText(cause)}`;
    throw new BloomeryError('BLM_SERVE_LISTEN', message, { facts: { ...listen }, cause });
  });
  // What fails later is the accepting of one connection.
  server.on('error', (error) => log.warn('talos_api.accept_failed', { error: errorText(error) }));
  const { port } = server.address() as AddressInfo;
  return {
    address: { host: listen.host, port },
    cut: (peer) => {
      for (const socket of room.sockets) if (socket.remotePort === peer.port) socket.destroy();
    },
    cutStrangers: () => {
      for (const socket of strangers) socket.destroy();
    },
    setCertificate: (next) => server.setSecureContext(secureContext(next)),
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of room.sockets) socket.destroy();
      await closed;
    },
  };
}

const secureContext = ({ ca, crt, key }: ServerCertificate) => ({ ca, cert: crt, key, minVersion: 'TLSv1.3' }) as const;

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/**
 * TLS took the connection; whom its certificate names is not believed, or it has none. Node tells the client no reason, so the log says it:
 * each reason at most once a minute, as anybody can be refused without end.
 */
function createRefusal({ clock, log }: TalosServerDeps): (socket: TLSSocket) => void {
  const isTimeToSay = createSeldom(clock, REFUSALS_QUIET_MS);
  return (socket) => {
    const { remoteAddress: peer, authorizationError: error } = socket;
    const reason = socket.getPeerX509Certificate() === undefined ? 'it shows no certificate' : errorText(error);
    socket.destroy();
    if (isTimeToSay(reason)) log.warn('talos_api.unauthorized', { peer, reason });
  };
}
