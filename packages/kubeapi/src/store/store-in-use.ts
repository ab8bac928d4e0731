import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { isBloomeryError } from '@bloomery/ports';
import { openFailure } from './store-error.ts';
import { dropReaderFiles, storeFiles } from './store-files.ts';

/** Whether another process has the store of a directory open. A store that is damaged, or none, is not in use. */
export function isStoreInUse(dir: string): boolean {
  const files = storeFiles(dir);
  const { database } = files;
  if (!existsSync(database)) return false;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(database, { readOnly: true });
    db.exec('PRAGMA busy_timeout = 0');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    return isBloomeryError(openFailure(database, error), 'BLM_STORE_LOCKED');
  } finally {
    db?.close();
    dropReaderFiles(files);
  }
}
