import type { ServerHttp2Stream } from 'node:http2';
import type { BoundAddress } from '@bloomery/ports';
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
import { type GrpcStatusName, grpcError } from './status.ts';

/** Request metadata by lower-case name; names that end in `-bin` carry base64 text. Repeated values are joined by `, `. */
export type Metadata = Readonly<Record<string, string | undefined>>;

/** What a handler knows about its call. */
export interface CallContext {
  readonly metadata: Metadata;
  /** IPv4 in plain form (never `::ffff:`). */
  readonly peer: BoundAddress;
  /** Whom the client certificate of the connection names, which TLS has checked; undefined where the listener asks for none. */
  certifiedPeer(): CertifiedPeer | undefined;
  /** Aborts when the peer cancels, the connection goes or the deadline passes. */
  readonly signal: AbortSignal;
}

/** Subject of a client certificate that the listener's TLS believes. */
export interface CertifiedPeer {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** How one method is implemented. Throw grpcError to end the call with a status. */
export type MethodImpl<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, context: CallContext) => Promise<MessageInitShape<O>> | MessageInitShape<O>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, context: CallContext) => AsyncIterable<MessageInitShape<O>>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? (requests: AsyncIterable<MessageShape<I>>, context: CallContext) => Promise<MessageInitShape<O>>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? (requests: AsyncIterable<MessageShape<I>>, context: CallContext) => AsyncIterable<MessageInitShape<O>>
          : never;

/** An implementation of every method of a service, keyed by the generated local name (`createServer`). */
export type ServiceImpl<S extends DescService> = { readonly [N in keyof S['method']]: MethodImpl<S['method'][N]> };

/** One method on the level of bytes. */
export type GrpcMethod = GrpcMessageMethod | GrpcRawMethod;

/** A method that is given message by message. */
export interface GrpcMessageMethod {
  /** `/api.Agent/CreateServer` */
  readonly path: string;
  /** True: the caller sends one message and ends, so that it can be expected soon. */
  readonly takesOne?: boolean;
  readonly serve: (messages: AsyncIterable<Uint8Array>, context: CallContext) => AsyncIterable<Uint8Array>;
}

/** A method that does its own framing on the HTTP/2 stream, for many small messages. */
export interface GrpcRawMethod {
  readonly path: string;
  /** Called once for each call; what it throws ends the call as with other methods. */
  readonly open: (call: RawCall) => void;
}

/** One call of a GrpcRawMethod. */
export interface RawCall {
  /** Length-prefixed messages both ways. Its errors are taken care of. */
  readonly stream: ServerHttp2Stream;
  readonly context: CallContext;
  /** Answer with the head at once; before this the stream must not be written. */
  accept(): void;
  /** End the call, after what was written; only the first time counts. The text reaches the peer: never secrets. */
  finish(status: GrpcStatusName, message?: string): void;
}

/** A service ready to be served by createGrpcHandler. */
export interface GrpcService {
  readonly name: string;
  readonly methods: readonly GrpcMethod[];
}

/** Some methods of a service; the others end with UNIMPLEMENTED. */
export function grpcServicePart<S extends DescService>(service: S, impl: Partial<ServiceImpl<S>>): GrpcService {
  return bindMethods(service, impl);
}

type AnyImpl = (request: unknown, context: CallContext) => unknown;

/** Bind an implementation to a generated service descriptor. */
export function grpcService<S extends DescService>(service: S, impl: ServiceImpl<S>): GrpcService {
  return bindMethods(service, impl);
}

function bindMethods(service: DescService, impl: object): GrpcService {
  const byName = new Map(Object.entries<AnyImpl>(impl as Record<string, AnyImpl>));
  return {
    name: service.typeName,
    methods: service.methods.flatMap((method) => {
      const run = byName.get(method.localName);
      if (run === undefined) return [];
      return [{ path: methodPath(method), takesOne: !takesMany(method), serve: serveMethod(method, run) }];
    }),
  };
}

/** The HTTP path of a method: `/package.Service/Method`. */
export function methodPath(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function takesMany({ methodKind }: DescMethod): boolean {
  return methodKind === 'client_streaming' || methodKind === 'bidi_streaming';
}

function serveMethod(method: DescMethod, run: AnyImpl): GrpcMessageMethod['serve'] {
  const manyIn = takesMany(method);
  const manyOut = method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming';
  const encode = (init: unknown): Uint8Array =>
    toBinary(method.output, create(method.output, init as MessageInitShape<typeof method.output>));
  return async function* (messages, context) {
    const request = manyIn ? decodeAll(method, messages) : decodeMessage(method, await onlyMessage(messages));
    const result = run(request, context);
    if (!manyOut) return yield encode(await result);
    for await (const init of result as AsyncIterable<unknown>) yield encode(init);
  };
}

async function* decodeAll(method: DescMethod, messages: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  for await (const message of messages) yield decodeMessage(method, message);
}

function decodeMessage(method: DescMethod, bytes: Uint8Array): unknown {
  try {
    return fromBinary(method.input, bytes);
  } catch (cause) {
    throw grpcError('INTERNAL', `cannot decode ${method.input.typeName} (${bytes.byteLength} bytes)`, cause);
  }
}

async function onlyMessage(messages: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let found: Uint8Array | undefined;
  for await (const message of messages) {
    if (found !== undefined) throw grpcError('INTERNAL', 'more than one message in a call that takes one');
    found = message;
  }
  if (found === undefined) throw grpcError('INTERNAL', 'no message in a call that takes one');
  return found;
}
