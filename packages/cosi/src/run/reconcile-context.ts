import type { Clock, Logger } from '@bloomery/ports';
import type { Controller, PutOptions, ReconcileContext, TrackedOutputs } from '../controller.ts';
import type { Resource } from '../resource.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import type { InNamespace, State } from '../state.ts';
import { type Access, checkHold, checkRead, checkWrite } from './declared.ts';

export interface ContextDeps {
  readonly state: State;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly wakeAfter: (delayMs: number) => void;
}

/** What a controller works with: the state, bounded by what it declares. */
export function createReconcileContext(controller: Controller, deps: ContextDeps): ReconcileContext {
  const { state, clock, log, signal, wakeAfter } = deps;
  const owner = controller.name;

  const remove = <S>(definition: ResourceDefinition<S>, id: string, options: InNamespace = {}): boolean => {
    checkWrite(controller, access(definition, options, id));
    if (state.get(definition, id, options) === undefined) return true;
    const own = { ...options, owner };
    if (!state.teardown(definition, id, own)) return false;
    state.destroy(definition, id, own);
    return true;
  };

  const put = <S>(definition: ResourceDefinition<S>, id: string, spec: S, options: PutOptions = {}): Resource<S> => {
    checkWrite(controller, access(definition, options, id));
    const own = { ...options, owner };
    const old = state.get(definition, id, options);
    if (old === undefined) return state.create(definition, id, spec, own);
    if (old.metadata.phase === 'running')
      return state.update(definition, id, spec, { ...own, version: old.metadata.version });
    // Its end had begun. It can come again when everybody has let go of it, of which this controller is told.
    return remove(definition, id, options) ? state.create(definition, id, spec, own) : old;
  };

  const outputs = <S>(definition: ResourceDefinition<S>, options: InNamespace = {}): TrackedOutputs<S> => {
    const kept = new Set<string>();
    return {
      put: (id, spec, putOptions) => {
        kept.add(id);
        return put(definition, id, spec, { ...options, ...putOptions });
      },
      finish: () => {
        for (const { metadata } of state.list(definition, options))
          if (metadata.owner === owner && !kept.has(metadata.id)) remove(definition, metadata.id, options);
      },
    };
  };

  return {
    log,
    clock,
    signal,
    wakeAfter,
    put,
    remove,
    outputs,
    get: (definition, id, options = {}) => {
      checkRead(controller, access(definition, options, id));
      return state.get(definition, id, options);
    },
    list: (definition, options = {}) => {
      checkRead(controller, access(definition, options));
      return state.list(definition, options);
    },
    hold: (definition, id, options = {}) => {
      checkHold(controller, access(definition, options, id));
      state.addFinalizer(definition, id, owner, options);
    },
    release: (definition, id, options = {}) => {
      checkHold(controller, access(definition, options, id));
      if (state.get(definition, id, options) !== undefined) state.removeFinalizer(definition, id, owner, options);
    },
  };
}

function access(definition: ResourceDefinition, { namespace }: InNamespace, id?: string): Access {
  return { definition, namespace: namespace ?? definition.namespace, ...(id === undefined ? {} : { id }) };
}
