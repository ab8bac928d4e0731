import { createServer, type Http2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createGrpcHandler, type GrpcService } from '@bloomery/grpc';
import { type Clock, errorText, type Listen, type Logger, type Service } from '@bloomery/ports';

/** Bounds of the sink's listener. */
export interface EventSinkLimits {
  /** Connections in all; more are closed at once. */
  readonly connections: number;
  /** Connections of one machine: a new one closes its oldest, which a machine that restarted has forgotten. */
  readonly connectionsPerMachine: number;
  /** Calls at once of one connection. */
  readonly streams: number;
  /** A connection must begin its first call within this time. */
  readonly firstCallMs: number;
  /** A call must be over within this time. */
  readonly callMs: number;
  /** A connection without calls for this long is closed politely. */
  readonly idleMs: number;
  readonly messageBytes: number;
}

/** The bounds unless others are given. */
export const EVENT_SINK_LIMITS: EventSinkLimits = {
  connections: 20_000,
  connectionsPerMachine: 4,
  streams: 16,
  firstCallMs: 10_000,
  callMs: 30_000,
  idleMs: 3_600_000,
  messageBytes: 1024 * 1024,
};

const HEADER_BYTES = 8_192;
const KEEPALIVE_MS = 60_000;

/** What the listener needs. */
export interface StartEventSinkDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<EventSinkLimits>;
}

/** Serve the sink on the link: gRPC over plain HTTP/2, encrypted by the link. */
export async function startEventSink(listen: Listen, sink: GrpcService, deps: StartEventSinkDeps): Promise<Service> {
  const limits = { ...EVENT_SINK_LIMITS, ...deps.limits };
  const http = createServer({
    maxSessionInvalidFrames: 100,
    maxSessionMemory: 4,
    maxHeaderListPairs: 64,
    settings: { maxConcurrentStreams: limits.streams, maxHeaderListSize: HEADER_BYTES },
  });
  http.maxConnections = limits.connections;
  const connections = trackConnections(limits, deps);
  // Before the listener of the server itself, which tells of the session at once.
  http.prependListener('connection', connections.opened);
  http.on('session', connections.spoke);
  http.on('sessionError', (error) => deps.log.debug('link.event_session_error', { error: errorText(error) }));
  const handle = createGrpcHandler([sink], { ...deps, messageMaxBytes: limits.messageBytes });
  http.on('stream', (stream, headers) => {
    connections.called(stream.session);
    stream.once(
      'close',
      deps.clock.after(limits.callMs, () => stream.close()),
    );
    handle(stream, headers);
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(listen.port, listen.host, () => resolve());
  });
  http.on('error', (error) => deps.log.warn('link.event_sink_error', { error: errorText(error) }));
  const { address, port } = http.address() as AddressInfo;
  return {
    address: { host: address, port },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      connections.reset();
      await closed;
    },
  };
}

interface Connections {
  readonly opened: (socket: Socket) => void;
  /** The session of the connection that was opened last. */
  readonly spoke: (session: Http2Session) => void;
  readonly called: (session: Http2Session | undefined) => void;
  /** Machines may be gone without a word: a polite end would wait for their answer. */
  readonly reset: () => void;
}

function trackConnections(limits: EventSinkLimits, { clock }: StartEventSinkDeps): Connections {
  /** Oldest first. */
  const byMachine = new Map<string, Set<Socket>>();
  const timers = new WeakMap<Socket, () => void>();
  const sockets = new WeakMap<Http2Session, Socket>();
  let opening: Socket | undefined;
  const endIn = (socket: Socket, delayMs: number, end: () => void): void => {
    timers.get(socket)?.();
    timers.set(socket, clock.after(delayMs, end));
  };
  const kill = (socket: Socket): void => void socket.resetAndDestroy();
  const closed = (socket: Socket, machine: string): void => {
    timers.get(socket)?.();
    const own = byMachine.get(machine);
    own?.delete(socket);
    if (own?.size === 0) byMachine.delete(machine);
  };
  return {
    opened(socket) {
      opening = socket;
      const machine = socket.remoteAddress ?? '';
      const own = byMachine.get(machine) ?? new Set();
      byMachine.set(machine, own.add(socket));
      socket.once('close', () => closed(socket, machine));
      socket.setKeepAlive(true, KEEPALIVE_MS);
      endIn(socket, limits.firstCallMs, () => kill(socket));
      const [oldest] = own;
      if (own.size > limits.connectionsPerMachine && oldest !== undefined) kill(oldest);
    },
    spoke(session) {
      session.on('error', () => {});
      if (opening !== undefined) sockets.set(session, opening);
      opening = undefined;
    },
    called(session) {
      const socket = session === undefined ? undefined : sockets.get(session);
      if (session === undefined || socket === undefined || socket.destroyed) return;
      endIn(socket, limits.idleMs, () => {
        session.close();
        endIn(socket, limits.firstCallMs, () => kill(socket));
      });
    },
    reset() {
      for (const own of byMachine.values()) for (const socket of own) kill(socket);
    },
  };
}
