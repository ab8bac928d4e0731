import { type ApiObject, withMeta } from '../api-object.ts';
import { toVersion } from '../registry/resource.ts';
import type { Store } from '../store/store.ts';
import { isSameObject } from './metadata-rules.ts';
import { isHeldNamespace } from './namespace-rules.ts';
import { idOf } from './object-id.ts';
import type { WriteRequest, WriteResult } from './write-request.ts';

/** Two states of one object as they are stored, with what the caller is warned of. */
export interface StateChange {
  readonly before: ApiObject;
  readonly after: ApiObject;
  readonly warnings: readonly string[];
}

/**
 * Store the next state of an object. What changes nothing is not committed. A dying object that nothing holds any more is removed
 * in this same commit.
 */
export async function commitChange(
  store: Store,
  request: WriteRequest,
  name: string,
  { before, after, warnings }: StateChange,
): Promise<WriteResult> {
  const { resource, version } = request;
  const result = (object: ApiObject): WriteResult => ({
    object: toVersion(resource, object, version),
    warnings,
    created: false,
  });
  const dying = before.metadata.deletionTimestamp !== undefined && isReleased(after);
  if (!dying && isSameObject(before, after)) return result(before);
  if (request.dryRun) return result(after);
  const id = idOf(request, name);
  const build = (resourceVersion: string): ApiObject => withMeta(after, { resourceVersion });
  if (!dying) return result(await store.put(id, build));
  // The answer shows the last state under its old resourceVersion; only the DELETED event carries the new one.
  return result(withMeta(await store.remove(id, build), { resourceVersion: before.metadata.resourceVersion }));
}

/** No finalizer holds the object any more. */
function isReleased(object: ApiObject): boolean {
  return (object.metadata.finalizers ?? []).length === 0 && !isHeldNamespace(object);
}
