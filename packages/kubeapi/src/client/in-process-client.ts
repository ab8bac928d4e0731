import type {
  ListOptions,
  ObjectClient,
  ObjectList,
  Patch,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '@bloomery/kube';
import {
  apiVersionOf,
  type Json,
  type JsonObject,
  type KindRef,
  type KubeObject,
  type ObjectKey,
} from '@bloomery/model';
import type { Clock } from '@bloomery/ports';
import { noSuchResource } from '../pipeline/api-status.ts';
import { listObjects, readObject, revisionOf, selectionOf } from '../pipeline/reader.ts';
import type { WriteRequest } from '../pipeline/write-request.ts';
import type { Writer } from '../pipeline/writer.ts';
import type { Registry } from '../registry/registry.ts';
import { toVersion } from '../registry/resource.ts';
import type { Store } from '../store/store.ts';
import type { WatchHub } from '../watch/watch-hub.ts';
import { watchStream } from '../watch/watch-stream.ts';
import type { Conversions } from '../webhooks/conversions.ts';

export interface InProcessClientDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
  readonly hub: WatchHub;
  readonly clock: Clock;
  readonly conversions: Conversions;
}

const DEFAULT_MANAGER = 'bloomery';

/** The API without HTTP: the same pipeline, no encoding. Returned objects are frozen. */
export function createInProcessClient(deps: InProcessClientDeps): ObjectClient {
  const { store, registry, writer, hub, clock, conversions } = deps;
  const find = (kind: KindRef) => {
    const found = registry.find(kind.group, kind.version, kind.plural);
    if (found === undefined) throw noSuchResource();
    return found;
  };
  // Objects leave the pipeline in the shape of their schema, which is what the kind's TypeScript type was made from.
  const typed = <T extends KubeObject>(object: unknown): T => object as T;
  const request = (kind: KindRef, namespace: string | undefined, options: WriteOptions = {}): WriteRequest => ({
    ...find(kind),
    namespace: namespace ?? '',
    subresource: options.subresource,
    manager: options.fieldManager ?? DEFAULT_MANAGER,
    dryRun: options.dryRun ?? false,
    fieldValidation: 'Ignore',
  });

  return {
    async get<T extends KubeObject>(kind: KindRef<T>, key: ObjectKey): Promise<T> {
      const { resource, version } = find(kind);
      return typed<T>(await readObject(deps, resource, version, key.namespace ?? '', key.name));
    },

    async list<T extends KubeObject>(kind: KindRef<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
      const { resource, version } = find(kind);
      const result = listObjects(store, { ...options, resource, version, namespace: options.namespace });
      await conversions.prepare(resource, result.items, version);
      return {
        items: result.items.map((item) => typed<T>(toVersion(resource, item, version))),
        resourceVersion: result.resourceVersion,
        ...(result.continue === undefined ? {} : { continue: result.continue }),
      };
    },

    async *watch<T extends KubeObject>(kind: KindRef<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
      const { resource, version } = find(kind);
      const { selects } = selectionOf(resource, version, options.labels, options.fields);
      const stream = watchStream(store, hub, {
        interest: { resource: resource.id, namespace: resource.namespaced ? options.namespace : undefined, selects },
        after: revisionOf(options.resourceVersion),
        initialEvents: true,
        markInitialEnd: false,
        bookmarks: undefined,
        schedule: (delayMs, callback) => clock.after(delayMs, callback),
        signal: options.signal,
      });
      for await (const item of stream) {
        if (item.kind === 'bookmark') yield { type: 'BOOKMARK', resourceVersion: String(item.rev) };
        else {
          const { type, object } = item.event;
          await conversions.prepare(resource, [object], version);
          yield { type, object: typed<T>(toVersion(resource, object, version)) };
        }
      }
    },

    async create<T extends KubeObject>(kind: KindRef<T>, object: T, options?: WriteOptions): Promise<T> {
      const result = await writer.create(request(kind, object.metadata.namespace, options), bodyOf(kind, object));
      return typed<T>(result.object);
    },

    async update<T extends KubeObject>(kind: KindRef<T>, object: T, options?: WriteOptions): Promise<T> {
      const { name, namespace } = object.metadata;
      const result = await writer.update(request(kind, namespace, options), name, bodyOf(kind, object));
      return typed<T>(result.object);
    },

    async patch<T extends KubeObject>(
      kind: KindRef<T>,
      key: ObjectKey,
      patch: Patch,
      options?: WriteOptions,
    ): Promise<T> {
      const body =
        patch.type === 'apply'
          ? { type: patch.type, body: bodyOf(kind, patch.body), force: patch.force ?? false }
          : patch;
      const result = await writer.patch(request(kind, key.namespace, options), key.name, body);
      return typed<T>(result.object);
    },

    async delete(kind, key, options = {}) {
      await writer.delete({
        ...find(kind),
        namespace: key.namespace ?? '',
        name: key.name,
        propagationPolicy: options.propagationPolicy,
        uid: options.uid,
        resourceVersion: options.resourceVersion,
        dryRun: options.dryRun ?? false,
      });
    },
  };
}

function bodyOf(kind: KindRef, object: KubeObject | JsonObject): Json {
  return {
    ...(object as unknown as { readonly [name: string]: Json }),
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
  };
}
