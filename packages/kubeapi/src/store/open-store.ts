import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import { openMark } from './acknowledged-mark.ts';
import { createBodyCipher } from './body-cipher.ts';
import { inspectStore } from './inspect-store.ts';
import { LogDatabase } from './log-database.ts';
import { LogStore } from './log-store.ts';
import type { Store } from './store.ts';
import { openFailure } from './store-error.ts';
import { storeFiles, syncDirectory } from './store-files.ts';
import { bindStoreKey, loadStoreKey } from './store-key.ts';
import { createBodyCodec } from './stored-body.ts';

export interface StoreOptions {
  /** Directory of the store, made with mode 0700. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  /** Resources whose bodies are sealed on disk; `secrets` unless given. */
  readonly sealedResources?: ReadonlySet<string>;
  /** Revisions of history to keep at least; 10,000 unless given. */
  readonly keepRevisions?: number;
  /** Age of history to keep, in milliseconds; five minutes unless given. */
  readonly keepMs?: number;
  /** Bytes of history that age alone may hold; 16 MiB unless given, and never less than the live objects have. */
  readonly keepBytes?: number;
}

/** Resources whose bodies are sealed on disk unless said otherwise. */
export const SEALED_RESOURCES: ReadonlySet<string> = new Set(['secrets']);

/**
 * Open (or make) the store in a directory: `store.db`, `store.key` and `store.mark`, all 0600.
 *
 * @throws BloomeryError BLM_STORE_LOCKED, BLM_STORE_CORRUPT, BLM_STORE_FORMAT, BLM_STORE_NETWORK_DISK, BLM_STORE_WRITE_FAILED,
 * BLM_RESTORE_UNFINISHED. No object was changed then.
 */
export function openStore(options: StoreOptions): Store {
  const { dir, log, random } = options;
  const files = storeFiles(dir);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw openFailure(dir, cause);
  }
  const { isNew, acknowledged, dropEvidence } = inspectStore(files);
  const key = loadStoreKey(files, random);
  const codec = createBodyCodec(
    files.database,
    createBodyCipher(key, random),
    options.sealedResources ?? SEALED_RESOURCES,
  );
  if (isNew) makeOwnFile(files.database);
  const database = new LogDatabase(files.database, codec);
  try {
    bindStoreKey(files, key, database, random);
    chmodSync(files.database, 0o600);
    syncDirectory(dir);
    if (!isNew && acknowledged === undefined) log.warn('store.mark-missing', { file: files.mark });
    const store = new LogStore({ database, file: files.database, mark: openMark(files.mark, 1), options });
    dropEvidence();
    return store;
  } catch (error) {
    database.close();
    throw openFailure(files.database, error);
  }
}

function makeOwnFile(file: string): void {
  try {
    closeSync(openSync(file, 'a', 0o600));
  } catch (cause) {
    throw openFailure(file, cause);
  }
}
