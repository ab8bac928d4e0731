import { apiError } from '@bloomery/kube';
import { stringifyJson } from '@bloomery/model';
import { type ApiObject, withMeta } from '../api-object.ts';
import { writtenText } from '../object-text.ts';
import { MAX_DEFAULT_BYTES } from '../schema/index.ts';
import type { FieldManagement } from './field-management.ts';
import type { WriteContext } from './write-context.ts';
import type { WriteRequest } from './write-request.ts';

/** What an object may take in the store, as JSON: etcd's bound on a request. Patches can make an object grow without a large body. */
export const MAX_OBJECT_BYTES = 1536 * 1024;

/** @throws 413 for an object that is too large to be stored. Its text is kept: the store writes the same. */
export function refuseTooLarge(object: ApiObject): void {
  const text = writtenText(object);
  // A character takes three bytes at most.
  if (text.length * 3 <= MAX_OBJECT_BYTES) return;
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_OBJECT_BYTES) return;
  throw tooLarge(`the object would take ${bytes} bytes in the store, at most ${MAX_OBJECT_BYTES} are kept`);
}

/** What comes of a smaller body is judged once only, when it is stored. */
const LARGE_BODY_BYTES = 256 * 1024;

/**
 * Refuse what will be too large before it is looked at closely and its managedFields are made: that costs many times more than to
 * count. Asked for large bodies only.
 *
 * @param asked what the request wants: that is what its caller will own.
 * @throws 413.
 */
export function refuseTooLargeEarly(
  { fields }: Pick<WriteContext, 'fields'>,
  request: WriteRequest,
  before: ApiObject | undefined,
  after: ApiObject,
  asked: ApiObject,
): void {
  const { resource, version, subresource, bodyBytes = 0, applied } = request;
  if (bodyBytes < LARGE_BODY_BYTES) return;
  // Stored in another version an object may be smaller.
  const bare = version === resource.storage ? withMeta(after, { managedFields: undefined }) : {};
  const bytes = Buffer.byteLength(stringifyJson(bare));
  // An apply has made its managedFields already.
  const owned =
    applied === true ? 0 : (fields?.leastBytes({ resource, version, before, after: asked, subresource }) ?? 0);
  if (bytes + owned > MAX_OBJECT_BYTES) throw tooLargeFor(bytes + owned);
}

/** The same for what is about to be applied. @throws 413. */
export function refuseTooLargeApply(fields: FieldManagement, request: WriteRequest, applied: ApiObject): void {
  const { resource, version, subresource, bodyBytes = 0 } = request;
  if (bodyBytes < LARGE_BODY_BYTES) return;
  const bytes = fields.leastBytes({ resource, version, before: undefined, after: applied, subresource });
  if (bytes > MAX_OBJECT_BYTES) throw tooLargeFor(bytes);
}

function tooLargeFor(bytes: number): Error {
  return tooLarge(`the object would take ${bytes} bytes or more in the store, at most ${MAX_OBJECT_BYTES} are kept`);
}

/** 413 for an object that its kind's defaults would make too large. */
export function tooManyDefaults(): Error {
  return tooLarge(`defaults would add more than ${MAX_DEFAULT_BYTES} bytes to the object`);
}

function tooLarge(why: string): Error {
  return apiError({ code: 413, reason: 'RequestEntityTooLarge', message: `request is too large: ${why}` });
}
