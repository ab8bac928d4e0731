import { apiError } from '@bloomery/kube';
import type { Json } from '@bloomery/model';
import type { BloomeryError } from '@bloomery/ports';
import type { ApiMeta, ApiObject } from '../api-object.ts';
import type { Resource } from '../registry/resource.ts';
import { invalid } from '../schema/index.ts';
import { conflict, invalidObject } from './api-status.ts';
import { repeated } from './metadata-rules.ts';
import type { WriteRequest } from './write-request.ts';

/** Kubernetes' own kinds whose updates must say which state they are made for, as custom resources' must. */
const CONDITIONAL: ReadonlySet<string> = new Set([
  'apiservices.apiregistration.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'leases.coordination.k8s.io',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'poddisruptionbudgets.policy',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
]);

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
    if (asPatch) throw immutable(resource, name, 'uid', given.uid);
    throw conflict(resource, name, storageConflict(resource, name, given.uid, present));
  }
  // Who dies stays so: the time of the deletion cannot be changed, only that of the living not be set.
  const { deletionTimestamp, deletionGracePeriodSeconds } = given;
  if (deletionTimestamp !== undefined && present.metadata.deletionTimestamp === undefined)
    throw immutable(resource, name, 'deletionTimestamp', deletionTimestamp);
  const grace = present.metadata.deletionGracePeriodSeconds;
  if (deletionGracePeriodSeconds !== undefined && deletionGracePeriodSeconds !== grace)
    throw immutable(resource, name, 'deletionGracePeriodSeconds', deletionGracePeriodSeconds);
  if (given.resourceVersion === undefined || given.resourceVersion === '0') {
    if (resource.rules.builtin && !CONDITIONAL.has(resource.id)) return;
    // kube-apiserver names the plural here, not the kind.
    throw invalidObject({ group: resource.group, kind: resource.plural }, name, [
      invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  if (given.resourceVersion === present.metadata.resourceVersion) return;
  if (!/^\d{1,19}$/.test(given.resourceVersion)) throw noRevision(given.resourceVersion);
  throw conflict(resource, name);
}

function immutable({ group, kind }: Resource, name: string, field: string, value: Json): BloomeryError {
  const problem = invalid(`metadata.${field}`, value, 'field is immutable');
  return invalidObject({ group, kind }, name, repeated([problem], 2));
}

/** What etcd's layer says of another uid, with the key that the object has there. */
function storageConflict({ group, plural, rules }: Resource, name: string, uid: string, present: ApiObject): string {
  const { namespace = '' } = present.metadata;
  const key = ['/registry', rules.builtin ? '' : group, plural, namespace, name].filter(Boolean).join('/');
  const precondition = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${present.metadata.uid}`;
  return `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${precondition}`;
}

function noRevision(text: string): BloomeryError {
  const message = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
  return apiError({ code: 500, reason: 'InternalError', message });
}
