import { DatabaseSync } from 'node:sqlite';
import type { ApiObject } from '../api-object.ts';
import { prepareSchema } from './database-schema.ts';
import type { HistoryEntry } from './history-plan.ts';
import type { Change, ObjectId } from './store.ts';
import { corruptStore, openFailure } from './store-error.ts';
import { type BodyCodec, idOfRow, rowKey } from './stored-body.ts';

/** What a row costs beside its body, about. */
const ROW_BYTES = 100;

const PAGE_BYTES = 4096;
/** About 2 MiB of log are moved at a time: what a write adds to the log is its body and a page or two. */
const CHECKPOINT_BYTES = 1024 * 1024;

/** A write on its way to the disk. `prev` is the revision of the state before, 0 for none. */
export interface LogWrite extends Change {
  readonly prev: number;
}

/** The counters of the store, in one row. */
export interface StoreState {
  /** Highest committed revision. */
  readonly revision: number;
  readonly compacted: number;
  /** Live objects. */
  readonly objects: number;
  /** The store's own time: it stands still while the store is closed. */
  readonly atMs: number;
}

/** By how much a write changed the sizes, in bytes. */
export interface SizeChange {
  readonly live: number;
  readonly history: number;
}

type Row = Record<string, unknown>;
type Statement = ReturnType<DatabaseSync['prepare']>;

/**
 * The durable half of the store: one SQLite file in WAL mode with synchronous=FULL, opened by one process only. `objects` holds
 * what lives; `log` holds, for every change, what was there before it. So both stay dense: the one is changed in place, the
 * other grows at one end and is forgotten at the other.
 */
export class LogDatabase {
  readonly #db: DatabaseSync;
  readonly #codec: BodyCodec;
  readonly #file: string;
  readonly #statements = new Map<string, Statement>();
  #unmovedBytes = 0;

  /** @throws BloomeryError BLM_STORE_LOCKED, BLM_STORE_CORRUPT, BLM_STORE_WRITE_FAILED. */
  constructor(file: string, codec: BodyCodec) {
    this.#codec = codec;
    this.#file = file;
    try {
      this.#db = new DatabaseSync(file);
    } catch (cause) {
      throw openFailure(file, cause);
    }
    try {
      this.#db.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; PRAGMA auto_vacuum = INCREMENTAL;');
      this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;');
      // Checkpoints little and often, and not while somebody waits for a commit: see checkpoint. This is for the rest.
      this.#db.exec('PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 4194304;');
      prepareSchema(this.#db, codec);
    } catch (cause) {
      this.close();
      throw openFailure(file, cause);
    }
  }

  state(): StoreState {
    const row = this.#statement('SELECT revision, compacted, objects, at_ms FROM state').get();
    if (row === undefined) throw corruptStore(this.#file, 'lacks its counters');
    return {
      revision: Number(row['revision']),
      compacted: Number(row['compacted']),
      objects: Number(row['objects']),
      atMs: Number(row['at_ms']),
    };
  }

  setState({ revision, compacted, objects, atMs }: StoreState): void {
    this.#statement('UPDATE state SET revision = ?, compacted = ?, objects = ?, at_ms = ?').run(
      revision,
      compacted,
      objects,
      atMs,
    );
  }

  /** Sealed bytes by which a key is recognised; undefined in a new store. */
  keyCheck(): Uint8Array | undefined {
    const value = this.#statement('SELECT key_check FROM state').get()?.['key_check'];
    return value instanceof Uint8Array ? value : undefined;
  }

  setKeyCheck(sealed: Uint8Array): void {
    this.#statement('UPDATE state SET key_check = ?').run(sealed);
  }

  /** Run `work` as one durable transaction; any throw rolls everything back. */
  transaction(work: () => void): void {
    this.#statement('BEGIN IMMEDIATE').run();
    try {
      work();
      this.#statement('COMMIT').run();
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Call inside a transaction. */
  append(write: LogWrite, atMs: number): SizeChange {
    const { id, rev, object } = write;
    const key = rowKey(id);
    const { body, sum } = this.#codec.encode(id, key, rev, object);
    const bytes = Buffer.byteLength(body) + ROW_BYTES;
    this.#unmovedBytes += bytes + PAGE_BYTES;
    if (write.type === 'delete') {
      const before = this.#keepBefore(rev, atMs, key, sum, body);
      this.#statement('DELETE FROM objects WHERE key = ?').run(key);
      return { live: -before, history: before + bytes };
    }
    if (write.prev === 0) {
      this.#statement('INSERT INTO objects (key, rev, sum, body) VALUES (?, ?, ?, ?)').run(key, rev, sum, body);
      this.#statement('INSERT INTO log (rev, at_ms, key, bytes, prev) VALUES (?, ?, ?, ?, 0)').run(
        rev,
        atMs,
        key,
        ROW_BYTES,
      );
      return { live: bytes, history: ROW_BYTES };
    }
    const before = this.#keepBefore(rev, atMs, key, null, null);
    this.#statement('UPDATE objects SET rev = ?, sum = ?, body = ? WHERE key = ?').run(rev, sum, body, key);
    return { live: bytes - before, history: before };
  }

  /** Take an object over from elsewhere, without history. Call inside a transaction, and set the state afterwards. */
  adopt(id: ObjectId, rev: number, object: ApiObject): void {
    const key = rowKey(id);
    const { body, sum } = this.#codec.encode(id, key, rev, object);
    this.#statement('INSERT INTO objects (key, rev, sum, body) VALUES (?, ?, ?, ?)').run(key, rev, sum, body);
  }

  /** Every live object, with its size. @throws BloomeryError BLM_STORE_CORRUPT. */
  *live(): Generator<{ readonly id: ObjectId; readonly object: ApiObject; readonly bytes: number }> {
    const { objects } = this.state();
    let found = 0;
    const rows: Iterable<Row> = this.#statement(
      'SELECT key, rev, sum, body, octet_length(body) AS bytes FROM objects',
    ).iterate();
    for (const row of rows) {
      const key = String(row['key']);
      const object = this.#codec.decode({ key, rev: Number(row['rev']), sum: row['sum'], body: row['body'] });
      found += 1;
      yield { id: idOfRow(key), object, bytes: Number(row['bytes']) + ROW_BYTES };
    }
    if (found !== objects) throw corruptStore(this.#file, `holds ${found} objects, and ${objects} were written`);
  }

  /** Check every row of the history. @throws BloomeryError BLM_STORE_CORRUPT. */
  verifyHistory(): { readonly entries: number; readonly bytes: number } {
    let entries = 0;
    let bytes = 0;
    const rows: Iterable<Row> = this.#statement('SELECT * FROM log').iterate();
    for (const row of rows) {
      const key = String(row['key']);
      const prev = Number(row['prev']);
      if (prev !== 0) this.#codec.verify({ key, rev: prev, sum: row['before_sum'], body: row['before'] });
      if (row['last'] !== null)
        this.#codec.verify({ key, rev: Number(row['rev']), sum: row['last_sum'], body: row['last'] });
      entries += 1;
      bytes += Number(row['bytes']);
    }
    return { entries, bytes };
  }

  /**
   * Changes with `after` < rev ≤ `upTo`, oldest first.
   *
   * @param stateAt what an object was at `upTo`; undefined when it was not there.
   */
  changes(after: number, upTo: number, stateAt: (id: ObjectId) => ApiObject | undefined): Change[] {
    const rows = this.#statement('SELECT * FROM log WHERE rev > ? AND rev <= ? ORDER BY rev DESC').all(after, upTo);
    const states = new Map<string, ApiObject | undefined>();
    const changes = rows.map((row) => this.#change(row, states, stateAt));
    return changes.reverse();
  }

  /** The oldest changes that are kept. */
  oldest(limit: number): readonly HistoryEntry[] {
    const rows = this.#statement('SELECT rev, at_ms, bytes FROM log ORDER BY rev LIMIT ?').all(limit);
    return rows.map((r) => ({ rev: Number(r['rev']), atMs: Number(r['at_ms']), bytes: Number(r['bytes']) }));
  }

  /** Forget the history up to a revision. Call inside a transaction. */
  forget(upTo: number): void {
    this.#statement('DELETE FROM log WHERE rev <= ?').run(upTo);
  }

  /** Move the write-ahead log into the database when enough was written since the last time. */
  checkpoint(): void {
    if (this.#unmovedBytes < CHECKPOINT_BYTES) return;
    this.#unmovedBytes = 0;
    this.#statement('PRAGMA wal_checkpoint(PASSIVE)').get();
  }

  /** Pages of the file, and those that hold nothing. */
  pages(): { readonly all: number; readonly free: number } {
    return {
      all: Number(this.#statement('PRAGMA page_count').get()?.['page_count']),
      free: Number(this.#statement('PRAGMA freelist_count').get()?.['freelist_count']),
    };
  }

  /** Give up to `pages` free pages back to the file system. */
  shrink(pages: number): void {
    this.#db.exec(`PRAGMA incremental_vacuum(${Math.trunc(pages)})`);
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  /** Move what an object was into the log; returns its size. */
  #keepBefore(
    rev: number,
    atMs: number,
    key: string,
    lastSum: number | null,
    last: string | Uint8Array | null,
  ): number {
    const lastBytes = last === null ? 0 : Buffer.byteLength(last) + ROW_BYTES;
    const kept = this.#statement(
      `INSERT INTO log (rev, at_ms, key, bytes, prev, before_sum, before, last_sum, last)
       SELECT ?, ?, key, octet_length(body) + ?, rev, sum, body, ?, ? FROM objects WHERE key = ? RETURNING bytes`,
    ).get(rev, atMs, ROW_BYTES + lastBytes, lastSum, last, key);
    if (kept === undefined) throw corruptStore(this.#file, `lacks ${key}, which is to be changed`);
    return Number(kept['bytes']) - lastBytes;
  }

  #change(
    row: Row,
    states: Map<string, ApiObject | undefined>,
    stateAt: (id: ObjectId) => ApiObject | undefined,
  ): Change {
    const key = String(row['key']);
    const id = idOfRow(key);
    const rev = Number(row['rev']);
    const prev = Number(row['prev']);
    const isDelete = row['last'] !== null;
    const object = isDelete
      ? this.#codec.decode({ key, rev, sum: row['last_sum'], body: row['last'] })
      : states.has(key)
        ? states.get(key)
        : stateAt(id);
    if (object === undefined) throw corruptStore(this.#file, `lacks the state of ${key} at revision ${rev}`);
    const before =
      prev === 0 ? undefined : this.#codec.decode({ key, rev: prev, sum: row['before_sum'], body: row['before'] });
    states.set(key, before);
    return { rev, type: isDelete ? 'delete' : 'put', id, object, before };
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
