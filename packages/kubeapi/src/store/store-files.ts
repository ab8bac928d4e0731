import { chmodSync, closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The files of a store in its directory. */
export interface StoreFiles {
  readonly dir: string;
  /** The database. */
  readonly database: string;
  /** Its write-ahead log, made by SQLite. */
  readonly log: string;
  /** The key of sealed bodies. */
  readonly key: string;
  /** The highest acknowledged revision. */
  readonly mark: string;
  /** There while a restore is under way. */
  readonly unfinishedRestore: string;
}

/** Name the files of the store in a directory. */
export function storeFiles(dir: string): StoreFiles {
  return {
    dir,
    database: join(dir, 'store.db'),
    log: join(dir, 'store.db-wal'),
    key: join(dir, 'store.key'),
    mark: join(dir, 'store.mark'),
    unfinishedRestore: join(dir, 'restore.unfinished'),
  };
}

/** Make the names in a directory durable. */
export function syncDirectory(dir: string): void {
  const handle = openSync(dir, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Write a file whole or not at all, mode 0600, and make it and its name durable: readers see the old content or the new one. */
export function writeDurably(file: string, content: string | Uint8Array): void {
  writeFileSync(`${file}.tmp`, content, { mode: 0o600, flush: true });
  // One that a crash left may be readable by others.
  chmodSync(`${file}.tmp`, 0o600);
  renameSync(`${file}.tmp`, file);
  syncDirectory(dirname(file));
}

/** Remove what a reader of the database leaves behind: an index that only several readers need, and an empty log. */
export function dropReaderFiles(files: StoreFiles): void {
  rmSync(`${files.database}-shm`, { force: true });
  if (statSync(files.log, { throwIfNoEntry: false })?.size === 0) rmSync(files.log);
}
