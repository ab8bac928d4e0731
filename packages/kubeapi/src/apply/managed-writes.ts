import { apiError } from '@bloomery/kube';
import { apiVersionOf, type JsonObject, type KindDefinition } from '@bloomery/model';
import { type ApiObject, asApiObject } from '../api-object.ts';
import type { AppliedWrite, FieldManagement, TrackedWrite } from '../pipeline/field-management.ts';
import type { Convert } from '../pipeline/with-conversions.ts';
import { type Resource, toStorage, toVersion } from '../registry/resource.ts';
import { conflictCauses, conflictText } from './apply-conflict.ts';
import type { FieldSet } from './field-set.ts';
import type { FieldVersions } from './field-versions.ts';
import { leastOwnedBytes } from './least-owned-bytes.ts';
import { decodeManagedFields } from './managed-fields.ts';
import { ignoredMembers } from './ownership.ts';
import { memberElement } from './path-element.ts';
import { type ApplyResult, serverSideApply } from './server-side-apply.ts';
import { isReset, managedFieldsOf, trackUpdate } from './track-update.ts';

/** managedFields and server-side apply for the write pipeline. */
export const managedWrites: FieldManagement = { track, leastBytes, apply };

function track(write: TrackedWrite): readonly JsonObject[] | undefined {
  const { resource, version, before, after, manager, subresource = '' } = write;
  // To the scale subresource an object whose replicas nobody owns is one that is not tracked.
  if (subresource === 'scale' && before !== undefined && !ownsReplicas(before, version)) {
    const kept = managedFieldsOf(before);
    return Array.isArray(kept) ? kept : undefined;
  }
  const tracked = trackUpdate({
    live: before,
    updated: after,
    manager,
    apiVersion: apiVersionOf(version),
    subresource,
    // kube-apiserver writes the entries of scale without a time.
    time: subresource === 'scale' ? undefined : write.time,
    versions: versionsOf(resource, write.convert),
    ignored: ignoredMembers(subresource, resource.storage.statusSubresource),
  });
  const fields = managedFieldsOf(tracked);
  return Array.isArray(fields) ? fields : undefined;
}

function leastBytes(write: Parameters<FieldManagement['leastBytes']>[0]): number {
  const { resource, version, before, after, subresource = '' } = write;
  const known = before === undefined ? undefined : managedFieldsOf(before);
  const isUntracked =
    before !== undefined && (!Array.isArray(known) || known.length === 0 || isReset(managedFieldsOf(after)));
  if (isUntracked || subresource === 'scale') return 0;
  const ignored = ignoredMembers(subresource, resource.storage.statusSubresource);
  return leastOwnedBytes(version.schema, before, after, ignored);
}

function ownsReplicas(object: ApiObject, { scale }: KindDefinition): boolean {
  const path = (scale?.specReplicasPath ?? '').split('.').filter(Boolean).map(memberElement);
  const entries = decodeManagedFields(managedFieldsOf(object)) ?? new Map();
  return [...entries.values()].some(({ fields }) => {
    let set: FieldSet | undefined = fields;
    for (const element of path) set = set?.children.get(element);
    return set?.owned === true;
  });
}

function apply(write: AppliedWrite): ApiObject {
  const { resource, version, before, applied, manager, force, subresource = '', time } = write;
  const result = serverSideApply({
    live: before,
    applied,
    manager,
    force,
    apiVersion: apiVersionOf(version),
    subresource,
    time,
    versions: versionsOf(resource, write.convert),
    ignored: ignoredMembers(subresource, resource.storage.statusSubresource),
  });
  if (!result.ok) throw refusal(result);
  return asApiObject(result.object);
}

function refusal(result: Exclude<ApplyResult, { readonly ok: true }>): Error {
  switch (result.refused) {
    case 'conflict': {
      const { conflicts } = result;
      const details = { causes: conflictCauses(conflicts) };
      return apiError({ code: 409, reason: 'Conflict', message: conflictText(conflicts), details });
    }
    case 'badRequest':
      return apiError({ code: 400, reason: 'BadRequest', message: result.message });
    case 'untyped':
      return apiError({ code: 422, reason: 'Invalid', message: result.message });
  }
}

const known = new WeakMap<Resource, FieldVersions>();

function versionsOf(resource: Resource, convert: Convert | undefined): FieldVersions {
  if (convert !== undefined) return fieldVersions(resource, convert);
  let versions = known.get(resource);
  if (versions === undefined) {
    versions = fieldVersions(resource);
    known.set(resource, versions);
  }
  return versions;
}

function fieldVersions(resource: Resource, convert?: Convert): FieldVersions {
  const find = (apiVersion: unknown) => resource.versions.find((version) => apiVersionOf(version) === apiVersion);
  return {
    schema: (apiVersion) => find(apiVersion)?.schema,
    convert(object, apiVersion) {
      const from = find(object['apiVersion']);
      const to = find(apiVersion);
      if (to === undefined) return undefined;
      if (from === undefined || from === to) return object;
      if (convert !== undefined) return convert(asApiObject(object), to);
      return toVersion(resource, toStorage(resource, asApiObject(object), from), to);
    },
  };
}
