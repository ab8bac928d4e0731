import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { TimelineEntry, TimelineSource } from './timeline.ts';

/** An entry as it is stored, with the keys it is found by. */
export interface StoredEntry {
  readonly entry: TimelineEntry;
  readonly timeMs: number;
  /** `server:<name>`, `mac:<mac>`, … */
  readonly keys: readonly string[];
}

/** Which entries. All conditions hold together. */
export interface EntryFilter {
  /** Any of these; absent: all entries. */
  readonly keys?: readonly string[];
  readonly sources?: readonly TimelineSource[];
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly afterSeq?: number;
  /** The newest so many, given oldest first. */
  readonly limit: number;
}

/** The file behind the timeline. All calls are synchronous. */
export interface TimelineDatabase {
  /** The highest sequence number ever given; 0 for a new file. */
  lastSeq(): number;
  /** Write entries and links between keys (`mac:x` belongs to `server:y`) in one transaction. */
  write(entries: readonly StoredEntry[], aliases: ReadonlyMap<string, string>): void;
  aliases(): ReadonlyMap<string, string>;
  read(filter: EntryFilter): readonly TimelineEntry[];
  /** Remove entries older than `beforeMs`, and the oldest beyond `maxBytes` of file. */
  prune(beforeMs: number, maxBytes: number): void;
  close(): void;
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA auto_vacuum = INCREMENTAL;
  CREATE TABLE IF NOT EXISTS entries (seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, source TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS entries_by_time ON entries (time_ms);
  CREATE TABLE IF NOT EXISTS subjects (key TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS aliases (key TEXT PRIMARY KEY, target TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY CHECK (id = 1), last_seq INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO counter VALUES (1, 0);
`;

/** Open or make the file; `:memory:` keeps everything in memory. */
export function openTimelineDatabase(file: string): TimelineDatabase {
  // The files beside it take its mode.
  if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
  const db = new DatabaseSync(file);
  db.exec(SCHEMA);
  const insertEntry = db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?)');
  const insertSubject = db.prepare('INSERT OR IGNORE INTO subjects VALUES (?, ?)');
  const insertAlias = db.prepare('INSERT OR REPLACE INTO aliases VALUES (?, ?)');
  const setCounter = db.prepare('UPDATE counter SET last_seq = ?');
  const inTransaction = (work: () => void): void => {
    db.exec('BEGIN');
    try {
      work();
      db.exec('COMMIT');
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  };
  return {
    lastSeq: () => Number(db.prepare('SELECT last_seq FROM counter').get()?.['last_seq'] ?? 0),
    write: (entries, aliases) =>
      inTransaction(() => {
        for (const { entry, timeMs, keys } of entries) {
          insertEntry.run(entry.seq, timeMs, entry.source, JSON.stringify(entry));
          for (const key of keys) insertSubject.run(key, entry.seq);
        }
        for (const [key, target] of aliases) insertAlias.run(key, target);
        const last = entries.at(-1);
        if (last !== undefined) setCounter.run(last.entry.seq);
      }),
    aliases: () => {
      const rows = db.prepare('SELECT key, target FROM aliases').all();
      return new Map(rows.map((row) => [String(row['key']), String(row['target'])]));
    },
    read: (filter) => {
      const { sql, values } = selectEntries(filter);
      const rows = db.prepare(sql).all(...values);
      return rows.map((row) => JSON.parse(String(row['body'])) as TimelineEntry).reverse();
    },
    prune: (beforeMs, maxBytes) =>
      inTransaction(() => {
        db.prepare('DELETE FROM entries WHERE time_ms < ?').run(beforeMs);
        if (fileBytes(db) > maxBytes) {
          db.exec('DELETE FROM entries WHERE seq <= (SELECT min(seq) + (max(seq) - min(seq)) / 10 FROM entries)');
        }
        db.exec('DELETE FROM subjects WHERE seq < (SELECT coalesce(min(seq), 9e18) FROM entries)');
        db.exec('PRAGMA incremental_vacuum');
      }),
    close: () => db.close(),
  };
}

function selectEntries(filter: EntryFilter): { readonly sql: string; readonly values: SQLInputValue[] } {
  const values: SQLInputValue[] = [];
  const where: string[] = [];
  const add = (condition: string, ...args: SQLInputValue[]): void => {
    where.push(condition);
    values.push(...args);
  };
  const marks = (list: readonly unknown[]): string => list.map(() => '?').join(', ');
  const { keys, sources, sinceMs, untilMs, afterSeq } = filter;
  if (keys !== undefined) add(`seq IN (SELECT seq FROM subjects WHERE key IN (${marks(keys)}))`, ...keys);
  if (sources !== undefined) add(`source IN (${marks(sources)})`, ...sources);
  if (sinceMs !== undefined) add('time_ms >= ?', sinceMs);
  if (untilMs !== undefined) add('time_ms <= ?', untilMs);
  if (afterSeq !== undefined) add('seq > ?', afterSeq);
  const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
  values.push(filter.limit);
  return { sql: `SELECT body FROM entries ${condition} ORDER BY seq DESC LIMIT ?`, values };
}

function fileBytes(db: DatabaseSync): number {
  const used = db
    .prepare(
      'SELECT (page_count - freelist_count) * page_size AS bytes FROM pragma_page_count, pragma_freelist_count, pragma_page_size',
    )
    .get();
  return Number(used?.['bytes'] ?? 0);
}
