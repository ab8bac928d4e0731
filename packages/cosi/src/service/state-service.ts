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
  /** Watches at once; 1000 unless given. */
  readonly watchesMax?: number;
}

const WATCHES_MAX = 1000;

/**
 * `cosi.resource.State` over a state, for reading. Unknown types and namespaces are PERMISSION_DENIED, as writes are. More watches
 * than there may be are RESOURCE_EXHAUSTED.
 */
export function createStateService(state: State, deps: StateServiceDeps): GrpcService {
  const bookmarks = createBookmarkCodec(deps.random);
  const { watchesMax = WATCHES_MAX } = deps;
  let watches = 0;

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
      if (watches >= watchesMax) throw grpcError('RESOURCE_EXHAUSTED', `there are ${watchesMax} watches already`);
      watches += 1;
      try {
        yield* watchStream(state, request, { definition, namespace, bookmarks, apiVersion }, context.signal);
      } catch (error) {
        throw asStatus(error);
      } finally {
        watches -= 1;
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

const denied = (message: string): Error => grpcError('PERMISSION_DENIED', message);

function refuseWrite(): never {
  throw denied('write access is not allowed');
}

function asStatus(error: unknown): unknown {
  if (isBloomeryError(error, 'BLM_COSI_BOOKMARK')) return grpcError('FAILED_PRECONDITION', error.message);
  if (isBloomeryError(error, 'BLM_COSI_WATCH')) return grpcError('INVALID_ARGUMENT', error.message);
  return error;
}
