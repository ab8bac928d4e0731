import type { Resource } from '../registry/resource.ts';
import type { ObjectId } from '../store/store.ts';
import { methodNotAllowed } from './api-status.ts';

/** Where the object that is to be written lives. @throws 405 for a resource whose objects are computed. */
export function idOf(
  { resource, namespace }: { readonly resource: Resource; readonly namespace: string },
  name: string,
): ObjectId {
  if (resource.computed !== undefined) throw methodNotAllowed();
  return { resource: resource.id, namespace: resource.namespaced ? namespace : '', name };
}
