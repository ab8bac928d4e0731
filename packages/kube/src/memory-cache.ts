import type { KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { keyOf, keyText } from '@bloomery/model';
import type { ObjectCache } from './object-cache.ts';

/** Told about every change of a kind; `gone` is true for removals, `object` is then the last state seen. */
export type CacheListener = (object: KubeObject, gone: boolean) => void;

/** The ObjectCache with its writing side, for informers and tests. */
export interface WritableObjectCache extends ObjectCache {
  put(kind: KindRef, object: KubeObject): void;
  remove(kind: KindRef, object: KubeObject): void;
  /** Make the cache hold exactly these objects of a kind; listeners are told the differences. */
  replace(kind: KindRef, objects: readonly KubeObject[]): void;
  /** True for the first who asks: he keeps the kind current, and nobody else, until it is released. */
  claim(kind: KindRef): boolean;
  release(kind: KindRef): void;
  /** Returns the function that ends it. Listeners must not throw. */
  listen(kind: KindRef, listener: CacheListener): () => void;
}

interface Table {
  readonly objects: Map<string, KubeObject>;
  readonly listeners: Set<CacheListener>;
  sorted: readonly KubeObject[] | undefined;
}

/** One version per kind is cached: tables are found by group and plural. */
const tableId = (kind: KindRef): string => `${kind.group}/${kind.plural}`;

/** Make an empty cache. Lists are sorted by namespace and name. */
export function createObjectCache(): WritableObjectCache {
  const tables = new Map<string, Table>();
  const claims = new Set<string>();
  const tableOf = (kind: KindRef): Table => {
    const id = tableId(kind);
    let table = tables.get(id);
    if (table === undefined) {
      table = { objects: new Map(), listeners: new Set(), sorted: undefined };
      tables.set(id, table);
    }
    return table;
  };
  const tell = (table: Table, object: KubeObject, gone: boolean): void => {
    table.sorted = undefined;
    for (const listener of table.listeners) listener(object, gone);
  };
  const put = (kind: KindRef, object: KubeObject): void => {
    const table = tableOf(kind);
    const key = keyText(keyOf(object));
    const have = table.objects.get(key)?.metadata.resourceVersion;
    if (have !== undefined && have === object.metadata.resourceVersion) return;
    table.objects.set(key, object);
    tell(table, object, false);
  };
  const remove = (kind: KindRef, object: KubeObject): void => {
    const table = tableOf(kind);
    if (table.objects.delete(keyText(keyOf(object)))) tell(table, object, true);
  };
  const listAll = (table: Table): readonly KubeObject[] => {
    if (table.sorted === undefined) {
      const keys = [...table.objects.keys()].sort();
      table.sorted = keys.flatMap((key) => table.objects.get(key) ?? []);
    }
    return table.sorted;
  };
  const list = (kind: KindRef, namespace?: string): readonly KubeObject[] => {
    const all = listAll(tableOf(kind));
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  };
  return {
    get: <T extends KubeObject>(kind: KindRef<T>, key: ObjectKey) =>
      tableOf(kind).objects.get(keyText(kind.scope === 'Cluster' ? { name: key.name } : key)) as T | undefined,
    list: <T extends KubeObject>(kind: KindRef<T>, namespace?: string) => list(kind, namespace) as readonly T[],
    put,
    remove,
    replace(kind, objects) {
      const wanted = new Set(objects.map((object) => keyText(keyOf(object))));
      const stale = [...tableOf(kind).objects].filter(([key]) => !wanted.has(key));
      for (const [, object] of stale) remove(kind, object);
      for (const object of objects) put(kind, object);
    },
    claim(kind) {
      const isFirst = !claims.has(tableId(kind));
      claims.add(tableId(kind));
      return isFirst;
    },
    release: (kind) => void claims.delete(tableId(kind)),
    listen(kind, listener) {
      const { listeners } = tableOf(kind);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
