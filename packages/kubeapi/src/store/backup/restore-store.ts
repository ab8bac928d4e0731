import { closeSync, mkdirSync, openSync } from 'node:fs';
import type { RandomBytes } from '@bloomery/ports';
import { type ApiObject, withMeta } from '../../api-object.ts';
import { openMark } from '../acknowledged-mark.ts';
import { createBodyCipher } from '../body-cipher.ts';
import { LogDatabase } from '../log-database.ts';
import { SEALED_RESOURCES } from '../open-store.ts';
import { storeFiles, syncDirectory } from '../store-files.ts';
import { bindStoreKey, loadStoreKey } from '../store-key.ts';
import { createBodyCodec } from '../stored-body.ts';
import { type BackupLine, invalidBackup } from './backup-format.ts';
import type { VerifiedBackup } from './read-backup.ts';

/**
 * By how much a restored store begins above the backup. Clients may have seen any revision that the lost store gave out after
 * the backup: at 5,000 writes per second this covers 23 days, at 50 six years.
 */
export const REVISION_JUMP = 10_000_000_000;

const BATCH = 1000;

/** How to make a store from a backup. */
export interface RestoreStoreOptions {
  readonly backup: VerifiedBackup;
  /** An absent or empty directory. */
  readonly dir: string;
  readonly random: RandomBytes;
  /** An object that must not come back as it was: what it is to be, or undefined to leave it. */
  readonly change?: (resource: string, object: ApiObject) => ApiObject | undefined;
}

/** What was made. */
export interface RestoredStore {
  readonly revision: number;
  readonly objects: number;
  /** Objects that `change` changed. */
  readonly changed: readonly ApiObject[];
}

/**
 * Make a store, with a new key, from a backup: all objects under their own resourceVersion, no history, and a revision that
 * no client has seen, so that every watch and list from before gets 410.
 *
 * @throws BloomeryError BLM_BACKUP_INVALID when an object does not belong where it stands.
 */
export async function restoreStore({ backup, dir, random, change }: RestoreStoreOptions): Promise<RestoredStore> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const files = storeFiles(dir);
  closeSync(openSync(files.database, 'wx', 0o600));
  const key = loadStoreKey(files, random);
  const codec = createBodyCodec(files.database, createBodyCipher(key, random), SEALED_RESOURCES);
  const database = new LogDatabase(files.database, codec);
  const changed: ApiObject[] = [];
  const seen = new Set<string>();
  let revision = backup.head.revision + REVISION_JUMP;
  let objects = 0;
  try {
    // While the store is still empty: one with objects may not lack its key.
    bindStoreKey(files, key, database, random);
    for (const lines of inBatches(backup.content())) {
      database.transaction(() => {
        for (const { resource, object } of lines) {
          const { name, namespace = '', resourceVersion = '' } = object.metadata;
          const where = `${resource}/${namespace}/${name}`;
          if (seen.has(where) || Number(resourceVersion) > backup.head.revision)
            throw invalidBackup(dir, `${where} is in it twice or is younger than the backup`);
          seen.add(where);
          const other = change?.(resource, object);
          if (other !== undefined) revision += 1;
          const stored = other === undefined ? object : withMeta(other, { resourceVersion: String(revision) });
          if (other !== undefined) changed.push(stored);
          database.adopt({ resource, namespace, name }, Number(stored.metadata.resourceVersion), stored);
          objects += 1;
        }
      });
    }
    database.transaction(() => database.setState({ revision, compacted: revision, objects, atMs: 0 }));
    await openMark(files.mark, revision).close();
  } finally {
    database.close();
  }
  syncDirectory(dir);
  return { revision, objects, changed };
}

function* inBatches(lines: Iterable<BackupLine>): Generator<(BackupLine & { readonly kind: 'object' })[]> {
  let batch: (BackupLine & { readonly kind: 'object' })[] = [];
  for (const line of lines) {
    if (line.kind !== 'object') continue;
    batch.push(line);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}
