import type { DatabaseSync } from 'node:sqlite';
import { BloomeryError } from '@bloomery/ports';
import { corruptStore } from './store-error.ts';
import { type BodyCodec, rowKey } from './stored-body.ts';

/** The format of the database that this version writes. 0 is a file without a number, of before the first release. */
export const STORE_FORMAT = 2;

/** "BLMS": marks the file as a store, for file(1) and for us. */
const APPLICATION_ID = 0x424c_4d53;

const TABLES = `
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL, compacted INTEGER NOT NULL,
  objects INTEGER NOT NULL, at_ms INTEGER NOT NULL, key_check BLOB) STRICT;
CREATE TABLE objects (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, rev INTEGER NOT NULL, sum INTEGER NOT NULL,
  body ANY NOT NULL) STRICT;
CREATE TABLE log (rev INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, key TEXT NOT NULL, bytes INTEGER NOT NULL, prev INTEGER NOT NULL,
  before_sum INTEGER, before ANY, last_sum INTEGER, last ANY) STRICT;`;

/** The format number of an open file. @throws BloomeryError BLM_STORE_CORRUPT for a database that is none of ours. */
export function readFormat(db: DatabaseSync, file: string): number {
  const format = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  const mark = Number(db.prepare('PRAGMA application_id').get()?.['application_id']);
  if (mark === APPLICATION_ID) return format;
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  const names = tables.map((row) => String(row['name'])).join(' ');
  if (mark === 0 && format === 0 && (names === '' || names === 'log meta objects')) return 0;
  throw corruptStore(file, 'is a database of another program');
}

/** Whether a file has no tables at all: its first commit never came, or was lost with the write-ahead log. */
export function hasNoTables(db: DatabaseSync): boolean {
  return db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] === 0;
}

/** @throws BloomeryError BLM_STORE_FORMAT when the format is newer than this version's. */
export function requireKnownFormat(format: number, file: string): void {
  if (format <= STORE_FORMAT) return;
  const message = `Opening the store ${file}: it has format ${format}, and this version reads up to ${STORE_FORMAT}; use the version that wrote it, or a newer one`;
  throw new BloomeryError('BLM_STORE_FORMAT', message, { facts: { file, format, known: STORE_FORMAT } });
}

/** Make the tables of a new file, or bring an old file to this format. All or nothing. */
export function prepareSchema(db: DatabaseSync, codec: BodyCodec): void {
  const format = readFormat(db, db.location() ?? '');
  requireKnownFormat(format, db.location() ?? '');
  if (format === STORE_FORMAT) return;
  const isNew = hasNoTables(db);
  db.exec('BEGIN IMMEDIATE');
  try {
    if (isNew) {
      db.exec(TABLES);
      db.exec('INSERT INTO state (id, revision, compacted, objects, at_ms) VALUES (1, 1, 1, 0, 0)');
    } else convertFirstFormat(db, codec);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${STORE_FORMAT}; COMMIT;`);
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
  // Rewrites the file once: free pages can be given back from now on.
  if (!isNew) db.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM;');
}

/** The first format kept bodies in its log only, without checksums. Its history is not taken over: watches begin anew. */
function convertFirstFormat(db: DatabaseSync, codec: BodyCodec): void {
  db.exec('ALTER TABLE log RENAME TO old_log; ALTER TABLE objects RENAME TO old_objects;');
  db.exec(TABLES);
  const insert = db.prepare('INSERT INTO objects (key, rev, sum, body) VALUES (?, ?, ?, ?)');
  const rows = db.prepare('SELECT l.* FROM old_objects o JOIN old_log l ON l.rev = o.rev').all();
  for (const row of rows) {
    const id = { resource: String(row['resource']), namespace: String(row['namespace']), name: String(row['name']) };
    const key = rowKey(id);
    const rev = Number(row['rev']);
    const { body, sum } = codec.adopt(key, rev, row['body']);
    insert.run(key, rev, sum, body);
  }
  const revision = db.prepare("SELECT value FROM meta WHERE name = 'revision'").get()?.['value'] ?? 1;
  db.prepare('INSERT INTO state (id, revision, compacted, objects, at_ms) VALUES (1, ?1, ?1, ?2, 0)').run(
    Number(revision),
    rows.length,
  );
  db.exec('DROP TABLE old_log; DROP TABLE old_objects; DROP TABLE meta;');
}
