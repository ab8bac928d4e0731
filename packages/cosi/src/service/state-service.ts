import { type CallContext, type GrpcService, grpcError, grpcService } from '@bloomery/grpc';
import { isBloomeryError, type RandomBytes } from '@bloomery/ports';
import { cosiProto } from '@bloomery/wire';
import type { ResourceDefinition } from '../resource-definition.ts';
import type { State } from '../state.ts';
import { createBookmarkCodec } from './bookmark-codec.ts';
import { resourceFilter } from './resource-filter.ts';
import { resourceMessage } from './resource-message.ts';
import { watchStream } from './watch-stream.ts';

export interface StateServiceDeps {
  readonly random: RandomBytes;
  /** Whether the caller may read this type. @throws grpcError when not */
  readonly authorize: (context: CallContext, definition: ResourceDefinition) => void;
  /** Watches at once, a quarter of them for one caller; 1000 unless given. */
  readonly watchesMax?: number;
}

const WATCHES_MAX = 1000;
const CALLERS_SHARE = 1 / 4;

/**
 * `cosi.resource.State` over a state, for reading. Unknown types and namespaces are PERMISSION_DENIED, as writes are. More watches
 * than there may be, of all or of one caller, are RESOURCE_EXHAUSTED.
 */
export function createStateService(state: State, deps: StateServiceDeps): GrpcService {
  const bookmarks = createBookmarkCodec(deps.random);
  const enter = createWatchRoom(deps.watchesMax ?? WATCHES_MAX);

  const readable = (context: CallContext, { type, namespace }: Place): ResourceDefinition => {
    const definition = state.definitionOf(type);
    if (definition === undefined) throw denied(`resource type ${JSON.stringify(type)} is not supported`);
    deps.authorize(context, definition);
    if (!state.hasNamespace(namespace)) throw denied(`namespace ${JSON.stringify(namespace)} is not supported`);
    return definition;
  };

  return grpcService(cosiProto.State, {
    get: (request, context) => {
      const definition = readable(context, request);
      const { namespace, type, id } = request;
      const resource = state.get(definition, id, { namespace });
      if (resource === undefined)
        throw grpcError('NOT_FOUND', `resource ${type}(${namespace}/${id}@undefined) doesn't exist`);
      return { resource: resourceMessage(definition, resource) };
    },

    async *list(request, context) {
      const definition = readable(context, request);
      const isSeen = await resourceFilter(request.options?.labelQuery, request.options?.idQuery);
      for (const resource of state.list(definition, { namespace: request.namespace }))
        if (isSeen(resource)) yield { resource: resourceMessage(definition, resource) };
    },

    async *watch(request, context) {
      const { namespace, apiVersion } = request;
      const definition = readable(context, request);
      using _place = enter(callerOf(context));
      try {
        yield* watchStream(state, request, { definition, namespace, bookmarks, apiVersion }, context.signal);
      } catch (error) {
        throw asStatus(error);
      }
    },

    create: refuseWrite,
    update: refuseWrite,
    destroy: refuseWrite,
    teardown: refuseWrite,
    teardownAndDestroy: refuseWrite,
  });
}

interface Place {
  readonly type: string;
  readonly namespace: string;
}

/** Places of watches; disposing of one frees it. */
function createWatchRoom(max: number): (caller: string) => Disposable {
  const callersMax = Math.ceil(max * CALLERS_SHARE);
  const byCaller = new Map<string, number>();
  let all = 0;
  return (caller) => {
    const own = byCaller.get(caller) ?? 0;
    if (all >= max) throw grpcError('RESOURCE_EXHAUSTED', `there are ${max} watches already`);
    if (own >= callersMax) throw grpcError('RESOURCE_EXHAUSTED', `this caller has ${callersMax} watches already`);
    all += 1;
    byCaller.set(caller, own + 1);
    return {
      [Symbol.dispose]: () => {
        all -= 1;
        const left = (byCaller.get(caller) ?? 0) - 1;
        if (left > 0) byCaller.set(caller, left);
        else byCaller.delete(caller);
      },
    };
  };
}

/** Whose share of the watches is used: who shows no certificate shares one with all such, who may have any number of addresses. */
function callerOf({ peer, certifiedPeer }: CallContext): string {
  return certifiedPeer() === undefined ? '' : peer.host;
}

const denied = (message: string): Error => grpcError('PERMISSION_DENIED', message);

function refuseWrite(): never {
  throw denied('write access is not allowed');
}

function asStatus(error: unknown): unknown {
  if (isBloomeryError(error, 'BLM_COSI_BOOKMARK')) return grpcError('FAILED_PRECONDITION', error.message);
  if (isBloomeryError(error, 'BLM_COSI_WATCH')) return grpcError('INVALID_ARGUMENT', error.message);
  return error;
}
