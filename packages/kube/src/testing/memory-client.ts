import type { JsonObject, KindRef, KubeObject, ObjectKey, ObjectMeta } from '@bloomery/model';
import { keyText, timeText } from '@bloomery/model';
import { type Clock, systemClock } from '@bloomery/ports';
import { apiError } from '../api-error.ts';
import { jsonEqual, mergePatch } from '../merge-patch.ts';
import type { ObjectClient, Patch, WatchEvent, WatchOptions, WriteOptions } from '../object-client.ts';
import { jsonPatch } from './json-patch.ts';
import { compileSelectors } from './selector.ts';

export type MemoryVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export interface MemoryClientOptions {
  /** For creationTimestamp and deletionTimestamp. The system clock unless given. */
  readonly clock?: Clock;
  /** Objects that are there from the start, with their status. */
  readonly objects?: readonly { readonly kind: KindRef; readonly object: KubeObject }[];
  /** Called before every call; throw to make it fail. `applied` is true when called again after a write took effect. */
  readonly intercept?: (verb: MemoryVerb, kind: KindRef, key: string, applied: boolean) => void;
  /** How many changes a watch may lie behind. 10 000 unless given. */
  readonly historySize?: number;
}

/** An ObjectClient in memory, and a few handles for tests. */
export interface MemoryClient extends ObjectClient {
  /** Forget all history: watches from older revisions are then refused as expired, running ones end. */
  expireHistory(): void;
  /** The current revision. */
  revision(): string;
}

type Stored = KubeObject & { readonly status?: JsonObject };
interface Change {
  readonly rv: number;
  readonly kind: string;
  readonly before: Stored | undefined;
  readonly after: Stored | undefined;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return value;
}

const kindId = (kind: KindRef): string => `${kind.group}/${kind.plural}`;
const hasStatus = (kind: KindRef): boolean =>
  'statusSubresource' in kind ? kind.statusSubresource === true : kind.group !== '';

function asJson(object: KubeObject): JsonObject {
  return object as unknown as JsonObject;
}

/** What raises the generation: everything but metadata and, where it is a subresource, status. */
function body(kind: KindRef, object: KubeObject): JsonObject {
  const { metadata: _metadata, status, ...rest } = asJson(object);
  return hasStatus(kind) ? rest : { ...rest, status };
}

/**
 * A small Kubernetes API in memory with the semantics that controllers rely on: revisions and conflicts, finalizers,
 * the status subresource, generation, watches with history, selectors, patches. No schema, no conversion, no garbage
 * collection; `apply` merges. For tests and simulations.
 */
export function createMemoryClient(options: MemoryClientOptions = {}): MemoryClient {
  const clock = options.clock ?? systemClock;
  const historySize = options.historySize ?? 10_000;
  const tables = new Map<string, Map<string, Stored>>();
  let history: Change[] = [];
  let oldest = 0;
  let revision = 0;
  let names = 0;
  const wakers = new Set<() => void>();
  let era = 0;

  const table = (kind: KindRef): Map<string, Stored> => {
    const id = kindId(kind);
    const existing = tables.get(id);
    if (existing !== undefined) return existing;
    const made = new Map<string, Stored>();
    tables.set(id, made);
    return made;
  };
  const now = (): string => timeText(clock.nowMs());
  const details = (kind: KindRef, name: string): JsonObject => ({ name, group: kind.group, kind: kind.plural });
  const refuse = (kind: KindRef, code: number, reason: string, name: string, what: string): Error => {
    const resource = kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
    return apiError({ code, reason, message: `${resource} "${name}" ${what}`, details: details(kind, name) });
  };
  const keyIn = (kind: KindRef, key: ObjectKey): string => {
    if (kind.scope === 'Cluster') return key.name;
    if (key.namespace === undefined || key.namespace === '') {
      throw refuse(kind, 400, 'BadRequest', key.name, 'needs a namespace');
    }
    return keyText(key);
  };
  const find = (kind: KindRef, key: ObjectKey): Stored => {
    const object = table(kind).get(keyIn(kind, key));
    if (object === undefined) throw refuse(kind, 404, 'NotFound', key.name, 'not found');
    return object;
  };
  const commit = (kind: KindRef, before: Stored | undefined, after: Stored | undefined): void => {
    history.push({ rv: revision, kind: kindId(kind), before, after });
    if (history.length > historySize) oldest = history.shift()?.rv ?? oldest;
    for (const wake of wakers) wake();
  };
  const store = (kind: KindRef, id: string, before: Stored | undefined, draft: Stored): Stored => {
    const metadata = { ...draft.metadata, resourceVersion: String(++revision) };
    const object = deepFreeze<Stored>({ ...draft, metadata });
    table(kind).set(id, object);
    commit(kind, before, object);
    return object;
  };
  const remove = (kind: KindRef, id: string, last: Stored): Stored => {
    revision++;
    table(kind).delete(id);
    commit(kind, deepFreeze(last), undefined);
    return last;
  };
  const typeOf = (kind: KindRef): { apiVersion: string; kind: string } => ({
    apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
    kind: kind.kind,
  });
  const insert = (kind: KindRef, source: KubeObject, withStatus: boolean, dryRun = false): Stored => {
    const copy = structuredClone(source) as Stored;
    const { status, ...rest } = copy;
    const name = copy.metadata.name || `${copy.metadata.generateName ?? ''}${(++names).toString(36).padStart(5, '0')}`;
    const { deletionTimestamp: _deletion, ...given } = copy.metadata;
    const metadata: ObjectMeta = {
      ...given,
      name,
      uid: `00000000-0000-4000-8000-${(revision + 1).toString(16).padStart(12, '0')}`,
      creationTimestamp: now(),
      ...(kind.group === '' ? {} : { generation: 1 }),
    };
    const id = keyIn(kind, metadata);
    if (table(kind).has(id)) throw refuse(kind, 409, 'AlreadyExists', name, 'already exists');
    const keep = status !== undefined && (withStatus || !hasStatus(kind));
    const object: Stored = { ...rest, ...typeOf(kind), metadata, ...(keep ? { status } : {}) };
    return dryRun ? deepFreeze(object) : store(kind, id, undefined, object);
  };
  const replace = (kind: KindRef, before: Stored, source: Stored, write: WriteOptions): Stored => {
    const wanted = structuredClone(source);
    const { name } = before.metadata;
    const { uid, resourceVersion } = wanted.metadata;
    if (uid !== undefined && uid !== before.metadata.uid) throw refuse(kind, 409, 'Conflict', name, 'has another uid');
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
      throw refuse(kind, 409, 'Conflict', name, 'was changed since it was read');
    }
    const draft = write.subresource === 'status' ? statusDraft(before, wanted) : mainDraft(kind, before, wanted);
    if (jsonEqual(asJson(draft), asJson(before))) return before;
    if (write.dryRun === true) return deepFreeze(draft);
    const id = keyIn(kind, before.metadata);
    const gone = draft.metadata.deletionTimestamp !== undefined && (draft.metadata.finalizers ?? []).length === 0;
    return gone ? remove(kind, id, draft) : store(kind, id, before, draft);
  };
  const mainDraft = (kind: KindRef, before: Stored, wanted: Stored): Stored => {
    const { status, ...rest } = wanted;
    const old = before.metadata;
    if (old.deletionTimestamp !== undefined) {
      const added = (wanted.metadata.finalizers ?? []).filter((f) => !(old.finalizers ?? []).includes(f));
      if (added.length > 0) throw refuse(kind, 422, 'Invalid', old.name, 'is being deleted: no new finalizers');
    }
    const kept = hasStatus(kind) ? before.status : status;
    const { deletionTimestamp: _d, deletionGracePeriodSeconds: _g, ...metadata } = wanted.metadata;
    const draft: Stored = {
      ...rest,
      ...typeOf(kind),
      metadata: { ...metadata, ...serverOwned(old) },
      ...(kept === undefined ? {} : { status: kept }),
    };
    if (old.generation === undefined || jsonEqual(body(kind, draft), body(kind, before))) return draft;
    return { ...draft, metadata: { ...draft.metadata, generation: old.generation + 1 } };
  };

  const select = (kind: KindRef, namespace: string | undefined, matches: (o: KubeObject) => boolean) =>
    [...table(kind).values()]
      .filter((o) => (namespace === undefined || o.metadata.namespace === namespace) && matches(o))
      .sort((a, b) => (keyText(a.metadata) < keyText(b.metadata) ? -1 : 1));
  const before = (verb: MemoryVerb, kind: KindRef, key: string): void => options.intercept?.(verb, kind, key, false);
  const after = (verb: MemoryVerb, kind: KindRef, key: string): void => options.intercept?.(verb, kind, key, true);

  async function* watch<T extends KubeObject>(kind: KindRef<T>, wanted: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    before('watch', kind, '');
    const startEra = era;
    const selected = compileSelectors(wanted.labels, wanted.fields);
    const matches = (object: Stored | undefined): object is Stored =>
      object !== undefined &&
      (wanted.namespace === undefined || object.metadata.namespace === wanted.namespace) &&
      selected(object);
    let position = wanted.resourceVersion === undefined ? revision : Number(wanted.resourceVersion);
    const initial = wanted.resourceVersion === undefined ? select(kind, wanted.namespace, selected) : [];
    if (position < oldest) throw tooOld(position);
    for (const object of initial) yield { type: 'ADDED', object: object as unknown as T };
    while (!wanted.signal.aborted && era === startEra) {
      if (position >= revision) {
        await changeOrAbort(wakers, wanted.signal);
        continue;
      }
      const next = history[history.length - (revision - position)];
      if (next === undefined) throw tooOld(position);
      position = next.rv;
      if (next.kind !== kindId(kind)) continue;
      const had = matches(next.before);
      if (matches(next.after)) yield { type: had ? 'MODIFIED' : 'ADDED', object: next.after as unknown as T };
      else if (had && next.before !== undefined) {
        const metadata = { ...next.before.metadata, resourceVersion: String(next.rv) };
        yield { type: 'DELETED', object: deepFreeze({ ...next.before, metadata }) as unknown as T };
      }
    }
  }

  for (const { kind, object } of options.objects ?? []) insert(kind, object, true);
  return {
    revision: () => String(revision),
    expireHistory() {
      history = [];
      oldest = ++revision;
      era++;
      for (const wake of wakers) wake();
    },
    async get(kind, key) {
      before('get', kind, keyText(key));
      return find(kind, key) as never;
    },
    async list(kind, listOptions = {}) {
      before('list', kind, '');
      const all = select(kind, listOptions.namespace, compileSelectors(listOptions.labels, listOptions.fields));
      const start = listOptions.continue === undefined ? 0 : Number(listOptions.continue);
      const end = listOptions.limit === undefined ? all.length : start + listOptions.limit;
      return {
        items: all.slice(start, end) as never,
        resourceVersion: String(revision),
        ...(end < all.length ? { continue: String(end) } : {}),
      };
    },
    watch,
    async create(kind, object, write = {}) {
      before('create', kind, keyText(object.metadata));
      const made = insert(kind, object, false, write.dryRun);
      after('create', kind, keyText(object.metadata));
      return made as never;
    },
    async update(kind, object, write = {}) {
      before('update', kind, keyText(object.metadata));
      const made = replace(kind, find(kind, object.metadata), object as Stored, write);
      after('update', kind, keyText(object.metadata));
      return made as never;
    },
    async patch(kind, key, patch, write = {}) {
      before('patch', kind, keyText(key));
      if (patch.type === 'apply' && !table(kind).has(keyIn(kind, key))) {
        return insert(kind, patch.body as unknown as KubeObject, false, write.dryRun) as never;
      }
      const old = find(kind, key);
      const made = replace(kind, old, patched(old, patch), write);
      after('patch', kind, keyText(key));
      return made as never;
    },
    async delete(kind, key, deletion = {}) {
      before('delete', kind, keyText(key));
      const old = find(kind, key);
      const { uid, resourceVersion, finalizers, deletionTimestamp } = old.metadata;
      if (deletion.uid !== undefined && deletion.uid !== uid) throw refuse(kind, 409, 'Conflict', key.name, 'uid');
      if (deletion.resourceVersion !== undefined && deletion.resourceVersion !== resourceVersion) {
        throw refuse(kind, 409, 'Conflict', key.name, 'was changed since it was read');
      }
      if (deletion.dryRun === true) return;
      if ((finalizers ?? []).length === 0) remove(kind, keyIn(kind, key), old);
      else if (deletionTimestamp === undefined) {
        const metadata = { ...old.metadata, deletionTimestamp: now(), deletionGracePeriodSeconds: 0 };
        store(kind, keyIn(kind, key), old, { ...old, metadata });
      }
      after('delete', kind, keyText(key));
    },
  };
}

function tooOld(position: number): Error {
  return apiError({ code: 410, reason: 'Expired', message: `too old resource version: ${position}` });
}

function patched(old: Stored, patch: Patch): Stored {
  const json = asJson(old);
  const { resourceVersion: _rv, ...metadata } = old.metadata;
  const base = { ...json, metadata: metadata as unknown as JsonObject };
  const result = patch.type === 'json' ? jsonPatch(base, patch.body) : mergePatch(base, patch.body);
  return result as unknown as Stored;
}

function statusDraft(before: Stored, wanted: Stored): Stored {
  const { status: _status, ...rest } = before;
  return wanted.status === undefined ? rest : { ...rest, status: wanted.status };
}

/** Metadata that a client cannot change. */
function serverOwned(old: ObjectMeta): Partial<ObjectMeta> {
  const { uid, creationTimestamp, resourceVersion, generation, deletionTimestamp, deletionGracePeriodSeconds } = old;
  const owned = { uid, creationTimestamp, resourceVersion, generation, deletionTimestamp, deletionGracePeriodSeconds };
  return Object.fromEntries(Object.entries(owned).filter(([, value]) => value !== undefined));
}

function changeOrAbort(wakers: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      wakers.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    wakers.add(done);
    signal.addEventListener('abort', done, { once: true });
  });
}
