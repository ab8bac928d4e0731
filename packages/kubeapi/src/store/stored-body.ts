import { crc32 } from 'node:zlib';
import { errorText } from '@bloomery/ports';
import { type ApiObject, deepFreeze } from '../api-object.ts';
import { readStored } from '../apply/read-stored.ts';
import { writtenText } from '../object-text.ts';
import type { BodyCipher } from './body-cipher.ts';
import type { ObjectId } from './store.ts';
import { corruptStore } from './store-error.ts';

/** An object as a row holds it. */
export interface StoredBody {
  /** JSON text, or its sealed bytes. */
  readonly body: string | Uint8Array;
  /** CRC-32 over the row's key, its revision and the body: a row cannot be damaged or exchanged unseen. */
  readonly sum: number;
}

/** A row that should hold an object. */
export interface BodyRow {
  readonly key: string;
  readonly rev: number;
  readonly sum: unknown;
  readonly body: unknown;
}

/** Turns objects into rows and back. */
export interface BodyCodec {
  encode(id: ObjectId, key: string, rev: number, object: ApiObject): StoredBody;
  /** A body of the first format, which had no sum. @throws BloomeryError BLM_STORE_CORRUPT when it cannot be read. */
  adopt(key: string, rev: number, body: unknown): StoredBody;
  /** The object, frozen. @throws BloomeryError BLM_STORE_CORRUPT. */
  decode(row: BodyRow): ApiObject;
  /** @throws BloomeryError BLM_STORE_CORRUPT when body and sum differ. */
  verify(row: BodyRow): string | Uint8Array;
}

/** Make the codec of one database file. Bodies of `sealed` resources are encrypted. */
export function createBodyCodec(file: string, cipher: BodyCipher, sealed: ReadonlySet<string>): BodyCodec {
  const codec: BodyCodec = {
    encode(id, key, rev, object) {
      const text = writtenText(object);
      const body = sealed.has(id.resource) ? cipher.seal(text, key) : text;
      return { body, sum: sumOf(key, rev, body) };
    },
    adopt(key, rev, body) {
      const sum = typeof body === 'string' || body instanceof Uint8Array ? sumOf(key, rev, body) : undefined;
      codec.decode({ key, rev, sum, body });
      return { body: codec.verify({ key, rev, sum, body }), sum: sum ?? 0 };
    },
    verify({ key, rev, sum, body }) {
      if (typeof body !== 'string' && !(body instanceof Uint8Array))
        throw corruptStore(file, `lacks the body of ${key} at revision ${rev}`);
      if (sumOf(key, rev, body) !== sum)
        throw corruptStore(file, `holds a damaged row: the checksum of ${key} at revision ${rev} does not fit`);
      return body;
    },
    decode(row) {
      const body = codec.verify(row);
      const text = typeof body === 'string' ? body : cipher.open(body, row.key);
      try {
        return deepFreeze(readStored(text) as ApiObject);
      } catch (cause) {
        throw corruptStore(file, `holds no JSON for ${row.key}: ${errorText(cause)}`, { cause });
      }
    },
  };
  return codec;
}

/** The key of a row: no part but the name may contain a slash. */
export function rowKey(id: ObjectId): string {
  return `${id.resource}/${id.namespace}/${id.name}`;
}

/** The inverse of rowKey. */
export function idOfRow(key: string): ObjectId {
  const first = key.indexOf('/');
  const second = key.indexOf('/', first + 1);
  return { resource: key.slice(0, first), namespace: key.slice(first + 1, second), name: key.slice(second + 1) };
}

function sumOf(key: string, rev: number, body: string | Uint8Array): number {
  return crc32(body, crc32(`${key} ${rev}`));
}
