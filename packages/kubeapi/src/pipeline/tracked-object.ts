import { type ApiObject, withMeta } from '../api-object.ts';
import type { WriteContext } from './write-context.ts';
import type { WriteRequest } from './write-request.ts';

/**
 * The object with its managedFields brought up to date.
 *
 * @param asked what the request wants, before the endpoint keeps what it may not change: that is what the caller owns.
 */
export function trackedObject(
  context: WriteContext,
  request: WriteRequest,
  before: ApiObject | undefined,
  after: ApiObject,
  asked: ApiObject = after,
): ApiObject {
  if (context.fields === undefined) return after;
  const { resource, version, manager, subresource } = request;
  const write = { resource, version, before, after: asked, manager, subresource, time: context.now() };
  return withMeta(after, { managedFields: context.fields.track(write) });
}
