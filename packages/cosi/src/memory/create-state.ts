import { BloomeryError, type Clock, type Logger, silentLog } from '@bloomery/ports';
import {
  definitionId,
  describeDefinition,
  META,
  NamespaceResource,
  ResourceDefinitionResource,
} from '../meta/resource-definition-resource.ts';
import type { Resource } from '../resource.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import type { ChangeEvent, Follower, InNamespace, State, StateEvent } from '../state.ts';
import { type Collection, createCollection } from './collection.ts';
import { createWatchers } from './watchers.ts';
import { createWrites } from './writes.ts';

/** What a state needs. */
export interface StateDeps {
  readonly clock: Clock;
  /** Where failures of watchers go. */
  readonly log?: Logger;
  /** Events kept of one namespace and type: how slow a watcher may be; 1024 unless given, or the definition says less. */
  readonly historyMax?: number;
}

/** An empty state in memory. ResourceDefinitions and Namespaces are registered. */
export function createState({ clock, log = silentLog, historyMax }: StateDeps): State {
  const definitions = new Map<string, ResourceDefinition>();
  const namespaces = new Set<string>();
  const watchers = createWatchers(log);

  const collectionOf = createCollections(definitions, historyMax);

  const tell = (collection: Collection, event: ChangeEvent): void => {
    if (event.type === 'created') registerNamespace(collection.namespace);
    watchers.tell(collection, event);
  };
  const writes = createWrites({ clock, collectionOf, tell });

  const registerNamespace = (namespace: string): void => {
    if (namespaces.has(namespace)) return;
    namespaces.add(namespace);
    writes.create(NamespaceResource, namespace, { description: '' });
  };

  const register = (definition: ResourceDefinition): void => {
    const { type } = definition;
    if (definitions.has(type)) return;
    definitions.set(type, definition);
    registerNamespace(definition.namespace);
    const description = describeDefinition(definition);
    writes.create(ResourceDefinitionResource, definitionId(type), description);
    for (const synonym of definition.synonyms ?? [])
      writes.create(ResourceDefinitionResource, synonym, { ...description, aliases: [], allAliases: [] });
  };

  definitions.set(NamespaceResource.type, NamespaceResource);
  definitions.set(ResourceDefinitionResource.type, ResourceDefinitionResource);
  registerNamespace(META);
  for (const definition of [NamespaceResource, ResourceDefinitionResource])
    writes.create(ResourceDefinitionResource, definitionId(definition.type), describeDefinition(definition));

  return {
    ...writes,
    register,
    registerNamespace,
    definitionOf: (type) => definitions.get(type),
    hasNamespace: (namespace) => namespaces.has(namespace),
    get: <S>(definition: ResourceDefinition<S>, id: string, options?: InNamespace) =>
      collectionOf(definition, options).get(id) as Resource<S> | undefined,
    list: <S>(definition: ResourceDefinition<S>, options?: InNamespace) =>
      collectionOf(definition, options).list() as readonly Resource<S>[],
    watch: (definition, options, listener) =>
      watchers.watch(collectionOf(definition, options), options, listener as (event: StateEvent) => void),
    follow: <S>(definition: ResourceDefinition<S>, options: InNamespace) =>
      watchers.follow(collectionOf(definition, options), options) as Follower<S>,
    observe: watchers.observe,
  };
}

/** The collection of a namespace and a registered type, made with its first use. @throws BloomeryError BLM_COSI_UNKNOWN_TYPE */
function createCollections(definitions: ReadonlyMap<string, ResourceDefinition>, historyMax: number | undefined) {
  const collections = new Map<string, Collection>();
  return (definition: ResourceDefinition, options: InNamespace = {}): Collection => {
    const { type } = definition;
    const namespace = options.namespace ?? definition.namespace;
    if (!definitions.has(type))
      throw new BloomeryError('BLM_COSI_UNKNOWN_TYPE', `resource type ${type} is not registered`, { facts: { type } });
    const key = `${namespace}/${type}`;
    const known = collections.get(key);
    if (known !== undefined) return known;
    const collection = createCollection(namespace, type, definition.historyMax ?? historyMax);
    collections.set(key, collection);
    return collection;
  };
}
