import { existsSync, readFileSync } from 'node:fs';
import type { RandomBytes } from '@bloomery/ports';
import { type BodyCipher, createBodyCipher } from './body-cipher.ts';
import type { LogDatabase } from './log-database.ts';
import { corruptStore } from './store-error.ts';
import { type StoreFiles, writeDurably } from './store-files.ts';

const KEY_BYTES = 32;
const CHECK_TEXT = 'bloomery store key';
const CHECK_LABEL = 'store.key';

/** The key file, or a new key that is not written yet: only a store that has its tables may have a key. */
export function loadStoreKey(files: StoreFiles, random: RandomBytes): Uint8Array {
  if (!existsSync(files.key)) return random(KEY_BYTES);
  const key = Buffer.from(readFileSync(files.key, 'utf8').trim(), 'hex');
  if (key.length !== KEY_BYTES) throw corruptStore(files.key, 'is not a 32-byte key in hex');
  return key;
}

/**
 * Write the key of a new store, or see that the key is the one that the store was made with.
 *
 * @throws BloomeryError BLM_STORE_CORRUPT when the key is missing or another one.
 */
export function bindStoreKey(files: StoreFiles, key: Uint8Array, database: LogDatabase, random: RandomBytes): void {
  const cipher = createBodyCipher(key, random);
  const check = database.keyCheck();
  if (!existsSync(files.key)) {
    if (check !== undefined || database.state().revision > 1)
      throw corruptStore(files.key, `is missing: without it the Secrets in ${files.database} cannot be read`);
    writeDurably(files.key, Buffer.from(key).toString('hex'));
  }
  if (check === undefined) database.setKeyCheck(cipher.seal(CHECK_TEXT, CHECK_LABEL));
  else requireSameKey(files, check, cipher);
}

function requireSameKey(files: StoreFiles, check: Uint8Array, cipher: BodyCipher): void {
  try {
    if (cipher.open(check, CHECK_LABEL) === CHECK_TEXT) return;
  } catch (cause) {
    throw corruptStore(files.key, `is not the key of ${files.database}: it is from another store`, { cause });
  }
  throw corruptStore(files.key, `is not the key of ${files.database}`);
}
