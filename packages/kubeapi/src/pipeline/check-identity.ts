import type { ApiMeta, ApiObject } from '../api-object.ts';
import { invalid } from '../schema/index.ts';
import { conflict, invalidObject } from './api-status.ts';
import type { WriteRequest } from './write-request.ts';

/**
 * Check that a write is meant for the present state of this very object.
 *
 * @param given the metadata of the body or of the patched object.
 * @throws 409 for another uid or resourceVersion, 422 where a patch changes what may not change or a PUT has no resourceVersion.
 */
export function checkIdentity(
  { resource }: WriteRequest,
  name: string,
  present: ApiObject,
  given: ApiMeta,
  asPatch: boolean,
): void {
  if (given.uid !== undefined && given.uid !== present.metadata.uid) {
    if (asPatch) throw invalidObject(resource, name, [invalid('metadata.uid', given.uid, 'field is immutable')]);
    const why = `Precondition failed: UID in precondition: ${given.uid}, UID in object meta: ${present.metadata.uid}`;
    throw conflict(resource, name, why);
  }
  const { deletionTimestamp } = given;
  if (asPatch && deletionTimestamp !== undefined && deletionTimestamp !== present.metadata.deletionTimestamp) {
    throw invalidObject(resource, name, [
      invalid('metadata.deletionTimestamp', deletionTimestamp, 'field is immutable'),
    ]);
  }
  if (given.resourceVersion === undefined || given.resourceVersion === '0') {
    if (resource.rules.builtin || asPatch) return;
    // kube-apiserver names the plural here, not the kind.
    throw invalidObject({ group: resource.group, kind: resource.plural }, name, [
      invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  if (given.resourceVersion !== present.metadata.resourceVersion) throw conflict(resource, name);
}
