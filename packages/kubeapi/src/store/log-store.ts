import { BloomeryError, errorText } from '@bloomery/ports';
import { type ApiObject, deepFreeze } from '../api-object.ts';
import type { AcknowledgedMark } from './acknowledged-mark.ts';
import type { LogDatabase, LogWrite } from './log-database.ts';
import type { StoreOptions } from './open-store.ts';
import { createRecentChanges, type RecentChanges } from './recent-changes.ts';
import { ResourceTable } from './resource-table.ts';
import { type Change, keyOfId, type ObjectId, type Store, type StoreHealth } from './store.ts';
import { commitFailure } from './store-error.ts';
import { StoreLedger, TICK_MS } from './store-ledger.ts';

/** History kept at least: this many revisions, and this long while it is not larger than this. */
const KEEP_REVISIONS = 10_000;
const KEEP_MS = 5 * 60_000;
const KEEP_BYTES = 16 * 1024 * 1024;
/** Writes in one commit at most, so that no commit takes long. */
const MAX_BATCH = 500;
/** Turns of the event loop that a commit waits for further writes at most. */
const MAX_BATCH_TURNS = 4;
/** A failing store is tried again every so many ticks. */
const PROBE_TICKS = 5;

interface Batch {
  readonly writes: LogWrite[];
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What the store is made of. It owns database and mark, and closes them. */
export interface LogStoreParts {
  readonly database: LogDatabase;
  /** Name of the database, for messages. */
  readonly file: string;
  readonly mark: AcknowledgedMark;
  readonly options: StoreOptions;
}

/** All objects in memory, every change in a LogDatabase. See Store. */
export class LogStore implements Store {
  readonly #database: LogDatabase;
  readonly #ledger: StoreLedger;
  readonly #file: string;
  readonly #mark: AcknowledgedMark;
  readonly #options: StoreOptions;
  readonly #tables = new Map<string, ResourceTable>();
  readonly #staged = new Map<string, ApiObject | undefined>();
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  readonly #recent: RecentChanges;
  /** Oldest first; the last one takes new writes. */
  #batches: Batch[] = [];
  #nextRev: number;
  #revision: number;
  #ticks = 0;
  #cancelTick: () => void = () => {};
  #failure: { readonly sinceMs: number; readonly message: string } | undefined;
  #closed = false;

  /** @throws BloomeryError BLM_STORE_CORRUPT when a row is damaged. */
  constructor({ database, file, mark, options }: LogStoreParts) {
    this.#database = database;
    this.#file = file;
    this.#mark = mark;
    this.#options = options;
    const { keepRevisions = KEEP_REVISIONS, keepMs = KEEP_MS, keepBytes = KEEP_BYTES } = options;
    this.#ledger = new StoreLedger(database, { keepRevisions, keepMs, keepBytes });
    const { revision } = database.state();
    this.#revision = revision;
    this.#nextRev = revision;
    this.#recent = createRecentChanges(revision);
    for (const { id, object } of this.#ledger.load()) this.#table(id.resource).set(keyOfId(id), object);
    mark.record(revision);
    this.#scheduleTick();
  }

  get revision(): number {
    return this.#revision;
  }

  get compactRevision(): number {
    return this.#ledger.compactRevision;
  }

  health(): StoreHealth {
    return this.#failure === undefined ? { ok: true } : { ok: false, ...this.#failure };
  }

  get(id: ObjectId): ApiObject | undefined {
    return this.#tables.get(id.resource)?.get(keyOfId(id));
  }

  head(id: ObjectId): ApiObject | undefined {
    if (this.#staged.size === 0) return this.get(id);
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
    await this.#batches.at(-1)?.done;
  }

  changesSince(rev: number): readonly Change[] {
    if (rev >= this.#revision) return [];
    const recent = this.#recent;
    if (rev >= recent.from) return recent.after(rev);
    const stateAt = (id: ObjectId): ApiObject | undefined => recent.stateBefore(id, () => this.get(id));
    return [...this.#database.changes(rev, recent.from, stateAt), ...recent.after(recent.from)];
  }

  subscribe(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTick();
    while (this.#batches.length > 0) this.#flush();
    this.#database.close();
    await this.#mark.close();
  }

  #stage(type: Change['type'], id: ObjectId, build: (resourceVersion: string) => ApiObject): Promise<ApiObject> {
    if (this.#closed) return Promise.reject(new BloomeryError('BLM_API_UNAVAILABLE', 'The store is closed'));
    const before = this.head(id);
    const rev = this.#nextRev + 1;
    const object = deepFreeze(build(String(rev)));
    this.#nextRev = rev;
    const prev = before === undefined ? 0 : Number(before.metadata.resourceVersion);
    const batch = this.#openBatch();
    batch.writes.push({ rev, type, id, object, before, prev });
    this.#staged.set(stagedKey(id), type === 'put' ? object : undefined);
    return batch.done.then(() => object);
  }

  #openBatch(): Batch {
    const last = this.#batches.at(-1);
    if (last !== undefined && last.writes.length < MAX_BATCH) return last;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const batch: Batch = { writes: [], done: promise, resolve, reject };
    this.#batches.push(batch);
    if (last === undefined) this.#flushWhenQuiet(batch, 0);
    return batch;
  }

  /**
   * Commit once a turn of the event loop brought no more writes, after a few turns at the latest: the disk is what many writers
   * wait for, and a turn that nobody uses takes microseconds.
   */
  #flushWhenQuiet(batch: Batch, turns: number): void {
    const { length } = batch.writes;
    setImmediate(() => {
      if (batch.writes.length > length && turns < MAX_BATCH_TURNS) this.#flushWhenQuiet(batch, turns + 1);
      else if (this.#batches[0] === batch) this.#flush();
    });
  }

  #flush(): void {
    const batch = this.#batches.shift();
    if (batch === undefined) return;
    const { writes } = batch;
    const last = writes.at(-1)?.rev ?? this.#revision;
    try {
      this.#commit(writes, last);
    } catch (cause) {
      this.#fail(cause, batch);
      return;
    }
    if (this.#batches.length === 0) this.#staged.clear();
    else setImmediate(() => this.#flush());
    this.#publish(writes, last);
    batch.resolve();
    // When those who wait have their answers.
    setImmediate(() => this.#checkpoint());
  }

  #checkpoint(): void {
    if (this.#closed) return;
    try {
      this.#database.checkpoint();
    } catch (error) {
      // No harm: what is in the log is on disk. Where the disk is full, the next commit says so.
      this.#options.log.debug('store.checkpoint-failed', { file: this.#file, error: errorText(error) });
    }
  }

  #commit(writes: readonly LogWrite[], last: number): void {
    this.#ledger.commit(writes, last);
    this.#mark.record(last);
    if (this.#failure !== undefined) this.#recover(this.#failure);
  }

  #fail(cause: unknown, batch: Batch | undefined): void {
    const failed = [...(batch === undefined ? [] : [batch]), ...this.#batches];
    const writes = failed.reduce((sum, { writes: { length } }) => sum + length, 0);
    const error = commitFailure(this.#file, writes, cause);
    // Later batches may build on what this one staged.
    this.#batches = [];
    this.#staged.clear();
    if (this.#failure === undefined) {
      this.#failure = { sinceMs: this.#options.clock.nowMs(), message: error.message };
      this.#options.log.error('store.commit-failed', { file: this.#file, writes, error: error.message });
    }
    for (const { reject } of failed) reject(error);
  }

  #recover({ sinceMs }: { readonly sinceMs: number }): void {
    this.#failure = undefined;
    this.#options.log.info('store.recovered', { file: this.#file, failedMs: this.#options.clock.nowMs() - sinceMs });
  }

  #publish(writes: readonly LogWrite[], last: number): void {
    for (const { id, type, object } of writes) {
      if (type === 'put') this.#table(id.resource).set(keyOfId(id), object);
      else this.#table(id.resource).delete(keyOfId(id));
    }
    this.#revision = last;
    this.#recent.add(writes);
    for (const listener of this.#listeners) {
      try {
        listener(writes);
      } catch (error) {
        this.#options.log.error('store.listener-failed', { revision: last, error: errorText(error) });
      }
    }
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => {
      this.#scheduleTick();
      this.#ledger.tick();
      this.#ticks += 1;
      this.#mark.flush();
      try {
        this.#keepHouse();
      } catch (cause) {
        this.#fail(cause, undefined);
      }
    });
  }

  #keepHouse(): void {
    if (this.#batches.length > 0) return;
    const probe = this.#failure !== undefined && this.#ticks % PROBE_TICKS === 0;
    if (probe || this.#ledger.hasOldHistory()) this.#commit([], this.#revision);
    this.#ledger.shrink();
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

function stagedKey(id: ObjectId): string {
  return `${id.resource}\0${keyOfId(id)}`;
}

function keyOfObject(object: ApiObject): string {
  return keyOfId({ namespace: object.metadata.namespace ?? '', name: object.metadata.name });
}
