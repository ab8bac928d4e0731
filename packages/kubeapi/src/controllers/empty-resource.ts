import { isBloomeryError } from '@bloomery/ports';
import type { ApiObject } from '../api-object.ts';
import type { User } from '../auth/user.ts';
import type { Writer } from '../pipeline/writer.ts';
import type { Resource } from '../registry/resource.ts';
import type { Store } from '../store/store.ts';
import { APISERVER, controllerUser } from './controller-user.ts';

/** Deletions that are staged together: they share a commit. */
const STEP = 200;

/** Delete all objects of a resource, of one namespace or of all. Returns those that their finalizers hold. */
export async function emptyResource(
  store: Store,
  writer: Writer,
  resource: Resource,
  namespace?: string,
): Promise<readonly ApiObject[]> {
  // A whole kind is emptied by the server itself, a namespace by its controller.
  const actor = namespace === undefined ? APISERVER : controllerUser('namespace-controller');
  const objects = store.list(resource.id, namespace).filter((o) => o.metadata.deletionTimestamp === undefined);
  for (let at = 0; at < objects.length; at += STEP) {
    await Promise.all(objects.slice(at, at + STEP).map((object) => remove(writer, resource, object, actor)));
  }
  return store.list(resource.id, namespace);
}

async function remove(writer: Writer, resource: Resource, object: ApiObject, actor: User): Promise<void> {
  const { name, namespace = '', uid } = object.metadata;
  const request = { resource, version: resource.storage, namespace, name, uid, actor, dryRun: false };
  try {
    await writer.delete({ ...request, propagationPolicy: 'Background' });
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND') && !isBloomeryError(error, 'BLM_API_CONFLICT')) throw error;
  }
}
