import type { Clock } from '@bloomery/ports';
import type { Metadata, Resource } from '../resource.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { equalValue } from '../spec/equal-value.ts';
import type { ChangeEvent, InNamespace, State, UpdateOptions, WriteOptions } from '../state.ts';
import type { Collection } from './collection.ts';
import { stateError } from './state-error.ts';

/** The part of a state that changes it. */
export type Writes = Pick<State, 'create' | 'update' | 'teardown' | 'destroy' | 'addFinalizer' | 'removeFinalizer'>;

export interface WritesDeps {
  readonly clock: Clock;
  readonly collectionOf: (definition: ResourceDefinition, options?: InNamespace) => Collection;
  readonly tell: (collection: Collection, event: ChangeEvent) => void;
}

/** Writes with the rules of ownership, versions, phases and finalizers. */
export function createWrites({ clock, collectionOf, tell }: WritesDeps): Writes {
  /** Store what changed, as the next version. */
  const commit = (collection: Collection, old: Resource, change: Partial<Metadata>, spec: unknown): Resource => {
    const { metadata } = old;
    const changed = { ...metadata, ...change, version: metadata.version + 1, updatedMs: clock.nowMs() };
    const resource = { metadata: changed, spec };
    tell(collection, collection.put(resource));
    return resource;
  };

  return {
    create: <S>(definition: ResourceDefinition<S>, id: string, spec: S, options: WriteOptions = {}) => {
      const collection = collectionOf(definition, options);
      const { namespace, type } = collection;
      if (collection.get(id) !== undefined)
        throw stateError('BLM_COSI_EXISTS', { namespace, type, id }, 'already exists');
      const resource = { metadata: firstMetadata({ namespace, type, id }, options, clock.nowMs()), spec };
      tell(collection, collection.put(resource));
      return resource;
    },

    update: <S>(definition: ResourceDefinition<S>, id: string, spec: S, options: UpdateOptions) => {
      const collection = collectionOf(definition, options);
      const old = ownedBy(collection, id, options);
      const { metadata } = old;
      checkExpected(metadata, options);
      const { labels = metadata.labels, annotations = metadata.annotations } = options;
      const isSame = equalValue([labels, annotations], [metadata.labels, metadata.annotations]);
      if (isSame && definition.codec.equal(old.spec as S, spec)) return old as Resource<S>;
      return commit(collection, old, { labels, annotations }, spec) as Resource<S>;
    },

    teardown: (definition, id, options = {}) => {
      const collection = collectionOf(definition, options);
      const old = ownedBy(collection, id, options);
      if (old.metadata.phase === 'running') commit(collection, old, { phase: 'tearingDown' }, old.spec);
      return old.metadata.finalizers.length === 0;
    },

    destroy: (definition, id, options = {}) => {
      const collection = collectionOf(definition, options);
      const old = ownedBy(collection, id, options);
      const { finalizers } = old.metadata;
      if (finalizers.length > 0)
        throw stateError('BLM_COSI_CONFLICT', old.metadata, `has pending finalizers [${finalizers.join(' ')}]`);
      tell(collection, collection.remove(old));
    },

    addFinalizer: (definition, id, finalizer, options) => {
      const collection = collectionOf(definition, options);
      const old = existing(collection, id);
      const { finalizers, phase } = old.metadata;
      if (phase !== 'running') throw stateError('BLM_COSI_PHASE', old.metadata, 'is not in phase running');
      if (finalizers.includes(finalizer)) return;
      commit(collection, old, { finalizers: [...finalizers, finalizer] }, old.spec);
    },

    removeFinalizer: (definition, id, finalizer, options) => {
      const collection = collectionOf(definition, options);
      const old = existing(collection, id);
      const { finalizers } = old.metadata;
      if (!finalizers.includes(finalizer)) return;
      commit(collection, old, { finalizers: finalizers.filter((name) => name !== finalizer) }, old.spec);
    },
  };
}

function firstMetadata(
  place: Pick<Metadata, 'namespace' | 'type' | 'id'>,
  { owner = '', labels = {}, annotations = {} }: WriteOptions,
  nowMs: number,
): Metadata {
  const times = { createdMs: nowMs, updatedMs: nowMs };
  return { ...place, version: 1, owner, phase: 'running', ...times, labels, annotations, finalizers: [] };
}

/** @throws BloomeryError BLM_COSI_CONFLICT for another version, BLM_COSI_PHASE for another phase than is expected. */
function checkExpected(metadata: Metadata, { version, expectedPhase = 'running' }: UpdateOptions): void {
  if (version !== metadata.version) {
    const message = `update conflict: expected version "${version}", actual version "${metadata.version}"`;
    throw stateError('BLM_COSI_CONFLICT', metadata, message);
  }
  if (expectedPhase !== 'any' && metadata.phase !== expectedPhase)
    throw stateError('BLM_COSI_PHASE', metadata, `is not in phase ${expectedPhase}`);
}

function existing(collection: Collection, id: string): Resource {
  const resource = collection.get(id);
  if (resource === undefined)
    throw stateError(
      'BLM_COSI_NOT_FOUND',
      { namespace: collection.namespace, type: collection.type, id },
      "doesn't exist",
    );
  return resource;
}

function ownedBy(collection: Collection, id: string, { owner = '' }: WriteOptions): Resource {
  const resource = existing(collection, id);
  if (resource.metadata.owner !== owner)
    throw stateError('BLM_COSI_OWNER', resource.metadata, `is owned by "${resource.metadata.owner}"`);
  return resource;
}
