import { copyFileSync, existsSync, rmSync, statfsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { BloomeryError, errorText } from '@bloomery/ports';
import { readMark } from './acknowledged-mark.ts';
import { hasNoTables, readFormat, requireKnownFormat, STORE_FORMAT } from './database-schema.ts';
import { networkFileSystem } from './file-system.ts';
import { corruptStore, openFailure } from './store-error.ts';
import { dropReaderFiles, type StoreFiles } from './store-files.ts';
import { inspectWal, type WalReport } from './wal-check.ts';

/** What was found before anything is opened for writing. */
export interface StoreInspection {
  /** There is no store yet. */
  readonly isNew: boolean;
  /** The highest revision that the mark says was acknowledged; undefined without a readable mark. */
  readonly acknowledged: number | undefined;
  /** Remove the copy of a write-ahead log that looked damaged and was not. */
  readonly dropEvidence: () => void;
}

/**
 * Examine the files of a store without changing them: SQLite itself would drop what lies behind a damaged frame of its log, and
 * remove the log when it closes.
 *
 * @throws BloomeryError BLM_STORE_LOCKED, BLM_STORE_CORRUPT, BLM_STORE_FORMAT, BLM_STORE_NETWORK_DISK, BLM_RESTORE_UNFINISHED,
 * BLM_STORE_WRITE_FAILED.
 */
export function inspectStore(files: StoreFiles): StoreInspection {
  refuseNetworkDisk(files.dir);
  if (existsSync(files.unfinishedRestore)) {
    const message = `Opening the store in ${files.dir}: a restore into it did not end; run \`bloomery restore FILE --force\` again`;
    throw new BloomeryError('BLM_RESTORE_UNFINISHED', message, { facts: { file: files.unfinishedRestore } });
  }
  const acknowledged = readMark(files.mark);
  const size = sizeOf(files.database);
  if (size === undefined || size === 0) {
    const beside = [files.key, files.mark].find((file) => existsSync(file));
    if (beside === undefined) return { isNew: true, acknowledged: undefined, dropEvidence: () => {} };
    throw corruptStore(files.database, `is ${size === undefined ? 'missing' : 'empty'}, and ${beside} is there`);
  }
  const wal = (sizeOf(files.log) ?? 0) > 0 ? inspectWal(files.log) : undefined;
  const evidence = `${files.log}.suspect`;
  const isSuspect = wal !== undefined && (wal.isHeaderBad || wal.orphans > 0);
  if (isSuspect) copyFileSync(files.log, evidence);
  inspectDatabase(files, acknowledged, wal);
  return { isNew: false, acknowledged, dropEvidence: () => rmSync(evidence, { force: true }) };
}

function inspectDatabase(files: StoreFiles, acknowledged: number | undefined, wal: WalReport | undefined): void {
  let db: DatabaseSync;
  try {
    db = new DatabaseSync(files.database, { readOnly: true });
  } catch (cause) {
    throw openFailure(files.database, cause);
  }
  try {
    db.exec('PRAGMA busy_timeout = 0');
    const format = readFormat(db, files.database);
    requireKnownFormat(format, files.database);
    requireWhole(db, files.database);
    if (format === STORE_FORMAT || hasNoTables(db)) requireAcknowledged(db, files, acknowledged, wal);
  } catch (cause) {
    throw openFailure(files.database, cause);
  } finally {
    db.close();
    dropReaderFiles(files);
  }
}

function requireWhole(db: DatabaseSync, file: string): void {
  let found: unknown;
  try {
    found = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  } catch (cause) {
    throw corruptStore(file, `is damaged (${errorText(cause)})`, { cause });
  }
  if (found !== 'ok') throw corruptStore(file, `is damaged (${String(found).replaceAll('\n', ' ')})`);
}

function requireAcknowledged(
  db: DatabaseSync,
  files: StoreFiles,
  acknowledged: number | undefined,
  wal: WalReport | undefined,
): void {
  // A store gets its key when its tables are on disk.
  const isEmpty = hasNoTables(db);
  const revision = isEmpty ? 0 : Number(db.prepare('SELECT revision FROM state').get()?.['revision'] ?? 0);
  if (acknowledged === undefined) {
    if (isEmpty && existsSync(files.key))
      throw corruptStore(files.database, `holds nothing, and ${files.key} is there`);
    if ((wal?.orphanCommits ?? 0) < 2) return;
    throw corruptStore(
      files.log,
      `is damaged behind frame ${wal?.validFrames}: commits follow that can no longer be read`,
    );
  }
  if (revision >= acknowledged) return;
  const facts = { revision, acknowledged };
  const lost = `the store ends at revision ${revision}, and ${acknowledged} was acknowledged (${files.mark})`;
  if (wal === undefined) throw corruptStore(files.log, `is missing or empty: ${lost}`, { facts });
  const where = wal.isHeaderBad ? 'in its header' : `behind frame ${wal.validFrames}`;
  throw corruptStore(files.log, `is damaged ${where}: ${lost}`, { facts });
}

function refuseNetworkDisk(dir: string): void {
  const name = networkFileSystem(statfsSync(dir).type);
  if (name === undefined) return;
  const message = `Opening the store in ${dir}: it lies on ${name}, a network file system, where locks and flushes do not hold; give a directory on a local disk with --data`;
  throw new BloomeryError('BLM_STORE_NETWORK_DISK', message, { facts: { dir, fileSystem: name } });
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}
