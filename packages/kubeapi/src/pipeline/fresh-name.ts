import type { RandomBytes } from '@bloomery/ports';
import type { Store } from '../store/store.ts';
import { alreadyExists } from './api-status.ts';
import { idOf } from './object-id.ts';
import type { WriteRequest } from './write-request.ts';

const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
/** Generated names are labels: 63 letters with those at the end. */
const MAX_PREFIX_LETTERS = 58;
const ATTEMPTS = 8;

/** A name made of `metadata.generateName` and five letters that no object has yet. @throws 409 after eight that were taken. */
export function freshName(store: Store, random: RandomBytes, request: WriteRequest, prefix: string): string {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const suffix = [...random(5)].map((byte) => SUFFIX_LETTERS[byte % SUFFIX_LETTERS.length]).join('');
    const name = `${prefix.slice(0, MAX_PREFIX_LETTERS)}${suffix}`;
    if (store.head(idOf(request, name)) === undefined) return name;
  }
  throw alreadyExists(request.resource, prefix);
}

/** A random UUID, version 4. */
export function freshUid(random: RandomBytes): string {
  const bytes = Buffer.from(random(16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
