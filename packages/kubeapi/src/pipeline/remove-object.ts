import { type ApiObject, withMeta } from '../api-object.ts';
import { toVersion } from '../registry/resource.ts';
import type { Store } from '../store/store.ts';
import { conflict, notFound } from './api-status.ts';
import { isSameObject } from './metadata-rules.ts';
import { isHeldNamespace, refuseStandingNamespace, withDyingPhase } from './namespace-rules.ts';
import { idOf } from './object-id.ts';
import type { DeleteRequest } from './write-request.ts';

/** The object with its deletion begun (`gone` false), or its last state (`gone` true). */
export interface Removal {
  readonly object: ApiObject;
  readonly gone: boolean;
}

/**
 * Make the function that deletes objects: at once where nothing holds them, else by marking them as dying.
 *
 * @param now the time as RFC 3339, seconds.
 */
export function createRemover(store: Store, now: () => string): (request: DeleteRequest) => Promise<Removal> {
  return async (request) => {
    const { resource, version, name } = request;
    const id = idOf(request, name);
    const before = store.head(id);
    if (before === undefined) throw notFound(resource, name);
    refuseStandingNamespace(resource, name);
    checkPreconditions(request, before);
    const finalizers = finalizersFor(request, before);
    if (finalizers.length === 0 && !isHeldNamespace(before)) {
      if (request.dryRun) return { object: toVersion(resource, before, version), gone: true };
      const last = await store.remove(id, (rv) => withMeta(before, { resourceVersion: rv }));
      return { object: toVersion(resource, last, version), gone: true };
    }
    const after = withDyingPhase(dyingObject(request, before, finalizers, now()));
    if (request.dryRun || isSameObject(before, after))
      return { object: toVersion(resource, after, version), gone: false };
    const stored = await store.put(id, (rv) => withMeta(after, { resourceVersion: rv }));
    return { object: toVersion(resource, stored, version), gone: false };
  };
}

function checkPreconditions({ resource, name, uid, resourceVersion }: DeleteRequest, before: ApiObject): void {
  const { metadata } = before;
  // kube-apiserver names the kind in these two, not the plural.
  const id = `${resource.kind}${resource.group === '' ? '' : `.${resource.group}`}`;
  const subject = { id, group: resource.group, plural: resource.kind };
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(subject, name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(subject, name, why);
  }
}

function dyingObject(
  { resource }: DeleteRequest,
  before: ApiObject,
  finalizers: readonly string[],
  now: string,
): ApiObject {
  const { deletionTimestamp, generation = 0 } = before.metadata;
  return withMeta(before, {
    finalizers: finalizers.length === 0 ? undefined : finalizers,
    deletionTimestamp: deletionTimestamp ?? now,
    deletionGracePeriodSeconds: 0,
    ...(deletionTimestamp === undefined && resource.rules.generation ? { generation: generation + 1 } : {}),
  });
}

function finalizersFor(request: DeleteRequest, before: ApiObject): readonly string[] {
  const present = before.metadata.finalizers ?? [];
  const others = present.filter((f) => f !== 'orphan' && f !== 'foregroundDeletion');
  if (request.propagationPolicy === 'Orphan') return [...others, 'orphan'];
  if (request.propagationPolicy === 'Foreground') return [...others, 'foregroundDeletion'];
  return request.propagationPolicy === 'Background' ? others : present;
}
