import { DatabaseSync } from 'node:sqlite';
import { parseJson, stringifyJson } from '@bloomery/model';
import { BloomeryError, errorText } from '@bloomery/ports';
import { type ApiObject, deepFreeze } from '../api-object.ts';
import type { BodyCipher } from './body-cipher.ts';
import type { Change, ObjectId } from './store.ts';

/**
 * The log holds every revision once; `objects` points at the live ones. A log row stays while it is live, younger than
 * the compaction revision, or the predecessor of such a row.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS log (rev INTEGER PRIMARY KEY, prev INTEGER NOT NULL, at INTEGER NOT NULL, gone INTEGER NOT NULL,
  resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, body ANY NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS objects (resource TEXT, namespace TEXT, name TEXT, rev INTEGER NOT NULL,
  PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID, STRICT;`;

/** A write on its way to the disk. `prev` is the revision of the state before, 0 for none. */
export interface LogWrite extends Change {
  readonly prev: number;
}

interface LogRow extends Record<string, unknown> {
  readonly rev: number;
  readonly prev: number;
  readonly gone: number;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly body: string | Uint8Array;
}

/** The durable half of the store: one SQLite file in WAL mode with synchronous=FULL, opened by one process only. */
export class LogDatabase {
  readonly #db: DatabaseSync;
  readonly #cipher: BodyCipher;
  readonly #sealed: ReadonlySet<string>;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  /** @throws BloomeryError BLM_STORE_LOCKED when another process has it open, BLM_STORE_CORRUPT when it fails the check. */
  constructor(file: string, cipher: BodyCipher, sealedResources: ReadonlySet<string>) {
    this.#cipher = cipher;
    this.#sealed = sealedResources;
    try {
      this.#db = new DatabaseSync(file);
    } catch (cause) {
      throw unusable(file, cause);
    }
    try {
      this.#db.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;');
      this.#db.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -4096; PRAGMA journal_size_limit = 16777216;');
      this.#db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
      const check = this.#statement('PRAGMA quick_check(1)').get()?.['quick_check'];
      if (check !== 'ok') throw new Error(String(check));
    } catch (cause) {
      this.close();
      throw unusable(file, cause);
    }
  }

  /** A number of the meta table, or `absent`. */
  number(name: string, absent = 0): number {
    const value = this.#statement('SELECT value FROM meta WHERE name = ?').get(name)?.['value'];
    return typeof value === 'number' ? value : absent;
  }

  setNumber(name: string, value: number): void {
    this.#statement('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)').run(name, value);
  }

  /** Run `work` as one durable transaction; any throw rolls everything back. */
  transaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  append(write: LogWrite, atMs: number): void {
    const { resource, namespace, name } = write.id;
    const gone = write.type === 'delete' ? 1 : 0;
    const body = this.#encode(write.id, write.object);
    this.#statement(
      'INSERT INTO log (rev, prev, at, gone, resource, namespace, name, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ).run(write.rev, write.prev, atMs, gone, resource, namespace, name, body);
    if (gone === 1) {
      this.#statement('DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?').run(
        resource,
        namespace,
        name,
      );
    } else {
      this.#statement('INSERT OR REPLACE INTO objects (resource, namespace, name, rev) VALUES (?, ?, ?, ?)').run(
        resource,
        namespace,
        name,
        write.rev,
      );
    }
  }

  /** Every live object. @throws BloomeryError BLM_STORE_CORRUPT. */
  *live(): Generator<{ readonly id: ObjectId; readonly object: ApiObject }> {
    const rows = this.#statement('SELECT l.* FROM objects o JOIN log l ON l.rev = o.rev').iterate();
    let left = Number(this.#statement('SELECT COUNT(*) AS n FROM objects').get()?.['n'] ?? 0);
    for (const row of rows) {
      const { id, object } = this.#decode(row as LogRow);
      left -= 1;
      yield { id, object };
    }
    if (left !== 0)
      throw new BloomeryError(
        'BLM_STORE_CORRUPT',
        `Reading the store: the log lacks ${left} objects that it should hold`,
      );
  }

  /** Changes with `after` < rev ≤ `upTo`, oldest first. */
  changes(after: number, upTo: number): Change[] {
    const rows = this.#statement('SELECT * FROM log WHERE rev > ? AND rev <= ? ORDER BY rev').all(after, upTo);
    const seen = new Map<number, ApiObject>();
    return rows.map((raw): Change => {
      const row = raw as LogRow;
      const { id, object } = this.#decode(row);
      seen.set(row.rev, object);
      const before = row.prev === 0 ? undefined : (seen.get(row.prev) ?? this.#objectAt(row.prev));
      return { rev: row.rev, type: row.gone === 1 ? 'delete' : 'put', id, object, before };
    });
  }

  /** The highest revision written at or before `atMs` among the first `limit` after `after`; `after` when there is none. */
  lastRevisionBefore(atMs: number, after: number, limit: number): number {
    const row = this.#statement(
      'SELECT MAX(rev) AS rev FROM (SELECT rev, at FROM log WHERE rev > ? ORDER BY rev LIMIT ?) WHERE at <= ?',
    ).get(after, limit, atMs);
    return typeof row?.['rev'] === 'number' ? row['rev'] : after;
  }

  /** Forget history with `from` < rev ≤ `upTo`: rows that were superseded, and deletions. Call inside a transaction. */
  compact(from: number, upTo: number): void {
    this.#statement('DELETE FROM log WHERE rev IN (SELECT prev FROM log WHERE rev > ? AND rev <= ? AND prev > 0)').run(
      from,
      upTo,
    );
    this.#statement('DELETE FROM log WHERE rev > ? AND rev <= ? AND gone = 1').run(from, upTo);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #objectAt(rev: number): ApiObject | undefined {
    const row = this.#statement('SELECT * FROM log WHERE rev = ?').get(rev);
    return row === undefined ? undefined : this.#decode(row as LogRow).object;
  }

  #encode(id: ObjectId, object: ApiObject): string | Uint8Array {
    const text = stringifyJson(object);
    return this.#sealed.has(id.resource) ? this.#cipher.seal(text, labelOf(id)) : text;
  }

  #decode(row: LogRow): { readonly id: ObjectId; readonly object: ApiObject } {
    const id = { resource: row.resource, namespace: row.namespace, name: row.name };
    const text = typeof row.body === 'string' ? row.body : this.#cipher.open(row.body, labelOf(id));
    try {
      return { id, object: deepFreeze(parseJson(text) as ApiObject) };
    } catch (cause) {
      throw new BloomeryError('BLM_STORE_CORRUPT', `Reading ${labelOf(id)}: its body is no JSON`, { cause });
    }
  }

  #statement(sql: string): ReturnType<DatabaseSync['prepare']> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function unusable(file: string, cause: unknown): BloomeryError {
  const facts = { file };
  if (!/locked|busy/i.test(errorText(cause)))
    return new BloomeryError('BLM_STORE_CORRUPT', `Opening the store ${file}: ${errorText(cause)}`, { cause, facts });
  const message = `Opening the store ${file}: another process has it open; stop it, or name another directory with --data`;
  return new BloomeryError('BLM_STORE_LOCKED', message, { cause, facts });
}

function labelOf(id: ObjectId): string {
  return `${id.resource}/${id.namespace}/${id.name}`;
}
