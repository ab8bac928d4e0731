import { apiError } from '@bloomery/kube';
import { timeText } from '@bloomery/model';
import type { Clock, Logger } from '@bloomery/ports';
import type { User } from '../auth/user.ts';
import { methodNotAllowed } from '../pipeline/api-status.ts';
import { type BackupFile, writeBackup } from '../store/backup/write-backup.ts';
import type { Store } from '../store/store.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';

/** Where a backup is read. Only who may `get` this non-resource URL: it holds every Secret and the keys of the authority. */
export const BACKUP_PATH = '/bloomery/backup';
/** Backups under way at a time: each holds the objects of its moment in memory. */
const MAX_BACKUPS = 2;

/** What a backup needs beside the store. */
export interface BackupOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Version of the product. */
  readonly version: string;
  /** Files of the data directory that a start needs, read at each backup. */
  readonly files: () => readonly BackupFile[];
}

/** Make the function that answers GET BACKUP_PATH with a backup of this moment. The caller's right was checked. */
export function createBackupAnswer(options: BackupOptions): (request: ApiRequest, user: User) => ApiAnswer {
  let running = 0;
  return ({ method }, user) => {
    if (method !== 'GET') throw methodNotAllowed();
    if (running >= MAX_BACKUPS) throw tooManyBackups();
    const { store, clock, log, version, files } = options;
    const time = timeText(clock.nowMs());
    const { head, bytes } = writeBackup({ store, files: files(), version, time });
    log.info('store.backup', { revision: head.revision, objects: head.objects, user: user.name });
    return {
      status: 200,
      headers: { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' },
      body: counted(bytes),
    };
  };

  async function* counted(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    running += 1;
    try {
      yield* bytes;
    } finally {
      running -= 1;
    }
  }
}

function tooManyBackups() {
  return apiError({
    code: 429,
    reason: 'TooManyRequests',
    message: `${MAX_BACKUPS} backups are under way; try again when one has ended`,
    details: { retryAfterSeconds: 10 },
  });
}
