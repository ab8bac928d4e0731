import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { BloomeryError, type Clock, errorText, type Logger, type RandomBytes } from '@bloomery/ports';
import { type ApiObject, deepFreeze } from '../api-object.ts';
import { createBodyCipher } from './body-cipher.ts';
import { LogDatabase, type LogWrite } from './log-database.ts';
import { ResourceTable } from './resource-table.ts';
import { type Change, keyOfId, type ObjectId, type Store } from './store.ts';

/** History kept at least: this many revisions and this long. */
const KEEP_REVISIONS = 10_000;
const KEEP_MS = 5 * 60_000;
/** Revisions forgotten in one commit at most, so that no commit takes long. */
const COMPACT_STEP = 500;
/** Recent changes kept in memory; older ones are read from the log. */
const MEMORY_CHANGES = 1000;

export interface StoreOptions {
  /** Directory of the store, made with mode 0700. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  /** Resources whose bodies are sealed on disk; `secrets` unless given. */
  readonly sealedResources?: ReadonlySet<string>;
  /** Revisions of history to keep at least; 10,000 unless given. */
  readonly keepRevisions?: number;
  /** Age of history to keep at least, in milliseconds; five minutes unless given. */
  readonly keepMs?: number;
}

interface Batch {
  readonly writes: LogWrite[];
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Open (or make) the store in a directory: `store.db` (0600) and `store.key` (0600).
 *
 * @throws BloomeryError BLM_STORE_LOCKED, BLM_STORE_CORRUPT.
 */
export function openStore(options: StoreOptions): Store {
  const { dir } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, 'store.db');
  const isNew = !existsSync(file) || statSync(file).size === 0;
  const cipher = createBodyCipher(loadKey(join(dir, 'store.key'), isNew, options.random), options.random);
  if (isNew) closeSync(openSync(file, 'a', 0o600));
  const database = new LogDatabase(file, cipher, options.sealedResources ?? new Set(['secrets']));
  chmodSync(file, 0o600);
  syncDirectory(dir);
  try {
    return new LogStore(database, options);
  } catch (error) {
    database.close();
    throw error;
  }
}

class LogStore implements Store {
  readonly #database: LogDatabase;
  readonly #options: StoreOptions;
  readonly #tables = new Map<string, ResourceTable>();
  readonly #staged = new Map<string, ApiObject | undefined>();
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  #recent: Change[] = [];
  #recentFrom: number;
  #batch: Batch | undefined;
  #nextRev: number;
  #revision: number;
  #compactRevision: number;
  #closed = false;

  constructor(database: LogDatabase, options: StoreOptions) {
    this.#database = database;
    this.#options = options;
    this.#revision = database.number('revision', 1);
    this.#compactRevision = database.number('compacted', 1);
    this.#nextRev = this.#revision;
    this.#recentFrom = this.#revision;
    for (const { id, object } of database.live()) this.#table(id.resource).set(keyOfId(id), object);
  }

  get revision(): number {
    return this.#revision;
  }

  get compactRevision(): number {
    return this.#compactRevision;
  }

  get(id: ObjectId): ApiObject | undefined {
    return this.#tables.get(id.resource)?.get(keyOfId(id));
  }

  head(id: ObjectId): ApiObject | undefined {
    const key = stagedKey(id);
    return this.#staged.has(key) ? this.#staged.get(key) : this.get(id);
  }

  list(resource: string, namespace?: string): readonly ApiObject[] {
    return this.#tables.get(resource)?.list(namespace) ?? [];
  }

  listAt(resource: string, rev: number, namespace?: string): readonly ApiObject[] {
    const changed = new Map<string, ApiObject | undefined>();
    for (const change of this.changesSince(rev)) {
      if (change.id.resource !== resource) continue;
      const key = keyOfId(change.id);
      if (!changed.has(key)) changed.set(key, change.before);
    }
    if (changed.size === 0) return this.list(resource, namespace);
    const past = new ResourceTable();
    for (const object of this.list(resource)) past.set(keyOfObject(object), object);
    for (const [key, before] of changed) {
      if (before === undefined) past.delete(key);
      else past.set(key, before);
    }
    return past.list(namespace);
  }

  resources(): readonly string[] {
    return [...this.#tables].filter(([, table]) => table.size > 0).map(([resource]) => resource);
  }

  put(id: ObjectId, build: (resourceVersion: string) => ApiObject): Promise<ApiObject> {
    return this.#stage('put', id, build);
  }

  remove(id: ObjectId, build: (resourceVersion: string) => ApiObject): Promise<ApiObject> {
    return this.#stage('delete', id, build);
  }

  async settled(): Promise<void> {
    await this.#batch?.done;
  }

  changesSince(rev: number): readonly Change[] {
    if (rev >= this.#revision) return [];
    if (rev >= this.#recentFrom) return this.#recent.slice(firstAfter(this.#recent, rev));
    return [...this.#database.changes(rev, this.#recentFrom), ...this.#recent];
  }

  subscribe(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    this.#database.close();
  }

  #stage(type: Change['type'], id: ObjectId, build: (resourceVersion: string) => ApiObject): Promise<ApiObject> {
    if (this.#closed) return Promise.reject(new BloomeryError('BLM_API_UNAVAILABLE', 'The store is closed'));
    const before = this.head(id);
    const rev = ++this.#nextRev;
    const object = deepFreeze(build(String(rev)));
    const prev = before === undefined ? 0 : Number(before.metadata.resourceVersion);
    const batch = this.#openBatch();
    batch.writes.push({ rev, type, id, object, before, prev });
    this.#staged.set(stagedKey(id), type === 'put' ? object : undefined);
    return batch.done.then(() => object);
  }

  #openBatch(): Batch {
    if (this.#batch === undefined) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#batch = { writes: [], done: promise, resolve, reject };
      setImmediate(() => this.#flush());
    }
    return this.#batch;
  }

  #flush(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    this.#staged.clear();
    const { writes } = batch;
    const last = writes.at(-1)?.rev ?? this.#revision;
    const atMs = this.#options.clock.nowMs();
    let compacted = this.#compactRevision;
    try {
      this.#database.transaction(() => {
        for (const write of writes) this.#database.append(write, atMs);
        this.#database.setNumber('revision', last);
        compacted = this.#compact(last, atMs);
      });
    } catch (cause) {
      this.#options.log.error('store.commit-failed', { writes: writes.length, error: errorText(cause) });
      batch.reject(
        new BloomeryError('BLM_STORE_WRITE_FAILED', `Committing ${writes.length} writes: ${errorText(cause)}`, {
          retryable: true,
          cause,
        }),
      );
      return;
    }
    this.#compactRevision = compacted;
    this.#publish(writes, last);
    batch.resolve();
  }

  #publish(writes: readonly LogWrite[], last: number): void {
    for (const { id, type, object } of writes) {
      if (type === 'put') this.#table(id.resource).set(keyOfId(id), object);
      else this.#table(id.resource).delete(keyOfId(id));
    }
    this.#revision = last;
    for (const write of writes) this.#recent.push(write);
    if (this.#recent.length > 2 * MEMORY_CHANGES) {
      this.#recent = this.#recent.slice(-MEMORY_CHANGES);
      this.#recentFrom = (this.#recent[0]?.rev ?? last + 1) - 1;
    }
    for (const listener of this.#listeners) {
      try {
        listener(writes);
      } catch (error) {
        this.#options.log.error('store.listener-failed', { revision: last, error: errorText(error) });
      }
    }
  }

  #compact(last: number, nowMs: number): number {
    const from = this.#compactRevision;
    const { keepRevisions = KEEP_REVISIONS, keepMs = KEEP_MS } = this.#options;
    const surplus = Math.min(last - keepRevisions - from, COMPACT_STEP);
    if (surplus < COMPACT_STEP / 10) return from;
    const upTo = Math.min(this.#database.lastRevisionBefore(nowMs - keepMs, from, surplus), last - keepRevisions);
    if (upTo <= from) return from;
    this.#database.compact(from, upTo);
    this.#database.setNumber('compacted', upTo);
    return upTo;
  }

  #table(resource: string): ResourceTable {
    let table = this.#tables.get(resource);
    if (table === undefined) {
      table = new ResourceTable();
      this.#tables.set(resource, table);
    }
    return table;
  }
}

function loadKey(file: string, isNew: boolean, random: RandomBytes): Uint8Array {
  if (!existsSync(file)) {
    if (!isNew)
      throw new BloomeryError('BLM_STORE_CORRUPT', `Reading ${file}: the key of the store is missing`, {
        facts: { file },
      });
    writeFileSync(`${file}.tmp`, Buffer.from(random(32)).toString('hex'), { mode: 0o600, flush: true });
    renameSync(`${file}.tmp`, file);
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex');
  if (key.length !== 32)
    throw new BloomeryError('BLM_STORE_CORRUPT', `Reading ${file}: it is not a 32-byte key in hex`);
  return key;
}

function syncDirectory(dir: string): void {
  const handle = openSync(dir, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

function firstAfter(changes: readonly Change[], rev: number): number {
  const index = changes.findIndex((change) => change.rev > rev);
  return index < 0 ? changes.length : index;
}

function stagedKey(id: ObjectId): string {
  return `${id.resource}\0${keyOfId(id)}`;
}

function keyOfObject(object: ApiObject): string {
  return keyOfId({ namespace: object.metadata.namespace ?? '', name: object.metadata.name });
}
