import { type ApiObject, withMeta } from '../api-object.ts';
import { withConversions } from './with-conversions.ts';
import type { WriteContext } from './write-context.ts';
import type { WriteRequest } from './write-request.ts';

/**
 * The object with its managedFields brought up to date. A promise only where a conversion webhook has to be asked.
 *
 * @param asked what the request wants, before the endpoint keeps what it may not change: that is what the caller owns.
 */
export function trackedObject(
  context: WriteContext,
  request: WriteRequest,
  before: ApiObject | undefined,
  after: ApiObject,
  asked: ApiObject = after,
): ApiObject | Promise<ApiObject> {
  const { fields } = context;
  if (fields === undefined) return after;
  const { resource, version, manager, subresource } = request;
  const write = { resource, version, before, after: asked, manager, subresource, time: context.now() };
  return withConversions(context.conversions, resource, (convert) =>
    withMeta(after, { managedFields: fields.track(convert === undefined ? write : { ...write, convert }) }),
  );
}
