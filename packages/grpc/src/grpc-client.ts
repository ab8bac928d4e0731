import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from 'node:http2';
import type { Duplex } from 'node:stream';
import { type BoundAddress, type Clock, errorText, hostPort } from '@bloomery/ports';
import {
  create,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { type ClientCall, openClientCall } from './client-call.ts';
import { type Metadata, methodPath } from './grpc-service.ts';
import { grpcError } from './status.ts';

/** Where and how to connect. */
export interface GrpcClientOptions {
  readonly address: BoundAddress;
  readonly clock: Clock;
  /** Present: TLS with these options; absent: plain text HTTP/2. */
  readonly tls?: SecureClientSessionOptions;
  /** Brings the socket of each connection, TLS included, for example through a proxy; `address` only names the peer then. */
  readonly connect?: () => Duplex;
  /** Ping an idle connection this often while calls are open, and drop it when one stays unanswered; off unless given. */
  readonly keepAliveMs?: number;
  /** Largest answer message in bytes; 4 MiB unless given. */
  readonly messageMaxBytes?: number;
}

/** Options of one call. A call that takes one message and gives one has a deadline of 30 s unless told otherwise. */
export interface CallOptions {
  readonly timeoutMs?: number;
  readonly metadata?: Metadata;
  readonly signal?: AbortSignal;
}

type ClientMethod<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => Promise<MessageShape<O>>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
          : never;

/** A service as functions, keyed by the generated local name. Every failure is a BLM_GRPC_STATUS error. */
export type ServiceClient<S extends DescService> = { readonly [N in keyof S['method']]: ClientMethod<S['method'][N]> };

/** One lazily opened HTTP/2 connection, opened again after it is lost. */
export interface GrpcClient {
  service<S extends DescService>(service: S): ServiceClient<S>;
  /**
   * Start a call whose messages the caller frames itself.
   *
   * @throws BloomeryError BLM_GRPC_STATUS when no connection can even be tried.
   */
  open(method: DescMethod, options?: CallOptions): RawClientCall;
  /** Ends open calls with CANCELLED and closes the connection. */
  close(): void;
}

/** One call on the level of the HTTP/2 stream. */
export type RawClientCall = Pick<ClientCall, 'stream' | 'ended' | 'cancel'>;

const DEFAULT_TIMEOUT_MS = 30_000;
/** Of a stream, in bytes; the connection's is the protocol's 64 KiB until somebody raises it. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const PING_TIMEOUT_MS = 10_000;

/** Make a client of all services behind one address. No connection is made before the first call. */
export function createGrpcClient(options: GrpcClientOptions): GrpcClient {
  const connection = createConnection(options);
  return {
    service: (service) => {
      const methods = service.methods.map((method) => [method.localName, clientMethod(method, options, connection)]);
      return Object.fromEntries(methods);
    },
    open: (method, callOptions = {}) => openCall(method, options, connection, callOptions),
    close: () => connection.close(),
  };
}

interface Connection {
  session(): ClientHttp2Session;
  /** The process stays alive until the returned function is called. */
  hold(session: ClientHttp2Session): () => void;
  /** Later calls use a new connection; open ones go on. */
  suspect(session: ClientHttp2Session): void;
  close(): void;
}

function createConnection(options: GrpcClientOptions): Connection {
  const { address, clock, tls, keepAliveMs, connect: createConnection } = options;
  let current: ClientHttp2Session | undefined;
  /** Open calls by session. */
  const all = new Map<ClientHttp2Session, number>();
  const drop = (session: ClientHttp2Session): void => {
    if (current === session) current = undefined;
  };
  const open = (): ClientHttp2Session => {
    const url = `${tls === undefined ? 'http' : 'https'}://${hostPort(address)}`;
    const settings = { initialWindowSize: STREAM_WINDOW_BYTES };
    const session = connect(url, { settings, ...tls, ...(createConnection === undefined ? {} : { createConnection }) });
    all.set(session, 0);
    session.on('error', () => drop(session));
    session.on('goaway', () => drop(session));
    session.on('close', () => {
      drop(session);
      all.delete(session);
    });
    if (keepAliveMs !== undefined) keepAlive(session, keepAliveMs, clock);
    return session;
  };
  return {
    session: () => {
      if (current === undefined || current.destroyed || current.closed) current = open();
      return current;
    },
    hold: (session) => {
      const count = (by: number): void => {
        const calls = (all.get(session) ?? 0) + by;
        if (all.has(session)) all.set(session, calls);
        if (!session.destroyed) calls > 0 ? session.ref() : session.unref();
      };
      count(1);
      return () => count(-1);
    },
    suspect: (session) => {
      drop(session);
      // One whose handshake never ends would never close either.
      if (session.connecting) session.destroy();
      else if (!session.destroyed) session.close();
    },
    close: () => {
      for (const session of all.keys()) session.destroy();
      current = undefined;
    },
  };
}

function keepAlive(session: ClientHttp2Session, everyMs: number, clock: Clock): void {
  let cancel = (): void => {};
  const ping = (): void => {
    cancel = clock.after(PING_TIMEOUT_MS, () => session.destroy());
    const sent = session.ping((error) => {
      cancel();
      if (error === null && !session.destroyed) cancel = clock.after(everyMs, ping);
    });
    if (!sent) cancel();
  };
  session.once('connect', () => {
    cancel = clock.after(everyMs, ping);
  });
  session.once('close', () => cancel());
}

function clientMethod(method: DescMethod, client: GrpcClientOptions, connection: Connection): unknown {
  const manyIn = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  const manyOut = method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming';
  const encode = (init: unknown): Uint8Array =>
    toBinary(method.input, create(method.input, init as MessageInitShape<typeof method.input>));
  const start = (input: unknown, options: CallOptions): ClientCall => {
    const call = openCall(method, client, connection, options);
    void (manyIn ? call.sendAll(input as AsyncIterable<unknown>, encode) : call.sendLast(encode(input)));
    return call;
  };
  if (manyOut) return (input: unknown, options: CallOptions = {}) => decodeAll(method, start(input, options));
  return async (input: unknown, options: CallOptions = {}) => {
    let found: unknown;
    for await (const message of decodeAll(method, start(input, options))) found = message;
    if (found === undefined) throw grpcError('INTERNAL', `${methodPath(method)} ended without an answer`);
    return found;
  };
}

function openCall(
  method: DescMethod,
  client: GrpcClientOptions,
  connection: Connection,
  options: CallOptions,
): ClientCall {
  const session = sessionOf(connection);
  const timeoutMs = options.timeoutMs ?? (method.methodKind === 'unary' ? DEFAULT_TIMEOUT_MS : undefined);
  return openClientCall(session, methodPath(method), {
    clock: client.clock,
    metadata: options.metadata ?? {},
    onExpired: () => connection.suspect(session),
    onClosed: connection.hold(session),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(client.messageMaxBytes === undefined ? {} : { messageMaxBytes: client.messageMaxBytes }),
  });
}

function sessionOf(connection: Connection): ClientHttp2Session {
  try {
    return connection.session();
  } catch (cause) {
    throw grpcError('UNAVAILABLE', `connecting: ${errorText(cause)}`, cause);
  }
}

async function* decodeAll(method: DescMethod, call: ClientCall): AsyncGenerator<unknown> {
  try {
    for await (const bytes of call.messages()) yield fromBinary(method.output, bytes);
  } finally {
    call.cancel();
  }
}
