import type { Json, JsonObject, KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { apiVersionOf, isJsonObject, parseJson, stringifyJson } from '@bloomery/model';
import { apiError } from '../api-error.ts';
import type {
  DeleteOptions,
  ListOptions,
  ObjectClient,
  ObjectList,
  Patch,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../object-client.ts';
import { type ApiTransport, type ApiTransportOptions, createApiTransport } from './http-transport.ts';
import type { ClusterAccess } from './kubeconfig.ts';

/** An ObjectClient over HTTPS. Disposing it closes idle connections and ends running calls. */
export interface RemoteClient extends ObjectClient, AsyncDisposable {
  /** The transport below, for what is not about objects: discovery, tables, logs. */
  readonly transport: ApiTransport;
}

const PATCH_TYPES: Readonly<Record<Patch['type'], string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};
const DEFAULT_FIELD_MANAGER = 'bloomery';

/** The path of a collection or object of this kind, from `/`. */
export function objectPath(kind: KindRef, namespace?: string, name?: string, subresource?: string): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const inNamespace = kind.scope === 'Namespaced' && namespace !== undefined && namespace !== '';
  const parts = [
    ...(inNamespace ? ['namespaces', namespace] : []),
    kind.plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return `${root}/${parts.map(encodeURIComponent).join('/')}`;
}

function createPath(kind: KindRef, { metadata }: KubeObject, below: string | undefined): string {
  return below === undefined
    ? objectPath(kind, metadata.namespace)
    : objectPath(kind, metadata.namespace, metadata.name, below);
}

function withQuery(path: string, query: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? path : `${path}?${given}`;
}

const selection = (options: ListOptions | WatchOptions) => ({
  labelSelector: options.labels,
  fieldSelector: options.fields,
  resourceVersion: options.resourceVersion,
});

const writing = (options: WriteOptions) => ({
  dryRun: options.dryRun === true ? 'All' : undefined,
  fieldManager: options.fieldManager,
});

/** Lists leave out the type of their items. */
function withType(kind: KindRef, item: Json): JsonObject {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, ...(isJsonObject(item) ? item : {}) };
}

function metadataOf(value: Json): JsonObject {
  const metadata = isJsonObject(value) ? value['metadata'] : undefined;
  return isJsonObject(metadata) ? metadata : {};
}

function watchEvent(kind: KindRef, line: string): WatchEvent<KubeObject> {
  const event = parseJson(line);
  const object = isJsonObject(event) ? event['object'] : undefined;
  if (!isJsonObject(event) || !isJsonObject(object)) {
    throw apiError({ code: 500, reason: 'InternalError', message: `watching ${kind.plural}: a line is not an event` });
  }
  const type = event['type'];
  if (type === 'BOOKMARK') return { type, resourceVersion: String(metadataOf(object)['resourceVersion'] ?? '') };
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') {
    return { type, object: withType(kind, object) as unknown as KubeObject };
  }
  const { code, reason, message } = object;
  throw apiError({
    code: Number(code ?? 500),
    reason: String(reason ?? ''),
    message: String(message ?? 'watch failed'),
  });
}

/** Make an ObjectClient for the API server of a kubeconfig context (`loadKubeconfig`). Nothing is sent before the first call. */
export function createRemoteClient(access: ClusterAccess, bounds: ApiTransportOptions = {}): RemoteClient {
  const transport = createApiTransport(access, bounds);
  const object = async (call: Parameters<ApiTransport['send']>[0]): Promise<never> =>
    parseJson(await transport.send(call)) as never;

  async function* watch<T extends KubeObject>(kind: KindRef<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    if (options.signal.aborted) return;
    const query = { ...selection(options), watch: true, allowWatchBookmarks: true };
    const path = withQuery(objectPath(kind, options.namespace), query);
    for await (const line of transport.lines({ method: 'GET', path, signal: options.signal })) {
      yield watchEvent(kind, line) as WatchEvent<T>;
    }
  }
  const path = (kind: KindRef, key: ObjectKey, write: WriteOptions = {}, more: Record<string, boolean> = {}): string =>
    withQuery(objectPath(kind, key.namespace, key.name, write.subresource), { ...writing(write), ...more });

  return {
    transport,
    get: (kind, key) => object({ method: 'GET', path: path(kind, key) }),
    async list<T extends KubeObject>(kind: KindRef<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
      const query = { ...selection(options), limit: options.limit, continue: options.continue };
      const answer = parseJson(
        await transport.send({ method: 'GET', path: withQuery(objectPath(kind, options.namespace), query) }),
      );
      const items = isJsonObject(answer) && Array.isArray(answer['items']) ? (answer['items'] as readonly Json[]) : [];
      const { continue: next, resourceVersion } = metadataOf(answer);
      return {
        items: items.map((item) => withType(kind, item)) as unknown as readonly T[],
        resourceVersion: String(resourceVersion ?? ''),
        ...(typeof next === 'string' && next !== '' ? { continue: next } : {}),
      };
    },
    watch,
    create: (kind, draft, options = {}) =>
      object({
        method: 'POST',
        path: withQuery(createPath(kind, draft, options.below), writing(options)),
        body: stringifyJson(draft as unknown as Json),
      }),
    update: (kind, draft, options = {}) =>
      object({
        method: 'PUT',
        path: path(kind, draft.metadata, options),
        body: stringifyJson(draft as unknown as Json),
      }),
    patch(kind, key, patch, options = {}) {
      const apply = patch.type === 'apply';
      const fieldManager = options.fieldManager ?? (apply ? DEFAULT_FIELD_MANAGER : undefined);
      const write = fieldManager === undefined ? options : { ...options, fieldManager };
      return object({
        method: 'PATCH',
        path: path(kind, key, write, apply && patch.force === true ? { force: true } : {}),
        body: stringifyJson(patch.body),
        contentType: PATCH_TYPES[patch.type],
      });
    },
    async delete(kind, key, options: DeleteOptions = {}) {
      const { propagationPolicy, uid, resourceVersion, dryRun } = options;
      const preconditions = uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion };
      const body: JsonObject = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy,
        preconditions,
        ...(dryRun === true ? { dryRun: ['All'] } : {}),
      };
      await transport.send({ method: 'DELETE', path: path(kind, key), body: stringifyJson(body) });
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}
