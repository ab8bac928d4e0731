import { apiError } from '@bloomery/kube';
import type { ApiObject } from '../api-object.ts';
import { writtenText } from '../object-text.ts';

/** What an object may take in the store, as JSON: etcd's bound on a request. Patches can make an object grow without a large body. */
export const MAX_OBJECT_BYTES = 1536 * 1024;

/** @throws 413 for an object that is too large to be stored. Its text is kept: the store writes the same. */
export function refuseTooLarge(object: ApiObject): void {
  const text = writtenText(object);
  // A character takes three bytes at most.
  if (text.length * 3 <= MAX_OBJECT_BYTES) return;
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_OBJECT_BYTES) return;
  const message = `request is too large: the object would take ${bytes} bytes in the store, at most ${MAX_OBJECT_BYTES} are kept`;
  throw apiError({ code: 413, reason: 'RequestEntityTooLarge', message });
}
