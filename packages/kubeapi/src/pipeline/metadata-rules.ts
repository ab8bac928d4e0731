import { type FieldProblem, isJsonObject, type JsonObject } from '@bloomery/model';
import type { ApiMeta, ApiObject } from '../api-object.ts';
import type { Resource } from '../registry/resource.ts';
import { forbidden, invalid, jsonEqual, pathSegmentProblems, required } from '../schema/index.ts';

const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const MAX_ANNOTATIONS_BYTES = 256 * 1024;

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const KEY_TEXT =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/** What is wrong with the metadata of an object about to be stored. */
export function metadataProblems(resource: Resource, metadata: ApiMeta): readonly FieldProblem[] {
  return [
    ...nameProblems(resource, metadata.name),
    ...Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => [
      ...keyProblems('metadata.labels', key),
      ...(value.length <= 63 && LABEL_VALUE.test(value) ? [] : [invalid('metadata.labels', value, VALUE_TEXT)]),
    ]),
    ...annotationProblems(metadata.annotations ?? {}),
    ...(metadata.finalizers ?? []).flatMap((finalizer, i) =>
      qualified(finalizer) ? [] : [invalid(`metadata.finalizers[${i}]`, finalizer, KEY_TEXT)],
    ),
    ...ownerProblems(metadata),
  ];
}

function nameProblems(resource: Resource, name: string): FieldProblem[] {
  if (name === '' || name === undefined) return [required('metadata.name', 'name or generateName is required')];
  if (resource.rules.pathSegmentNames) return [...pathSegmentProblems('metadata.name', name)];
  if (resource.rules.labelNames)
    return name.length <= 63 && LABEL.test(name) ? [] : [invalid('metadata.name', name, LABEL_TEXT)];
  return name.length <= 253 && SUBDOMAIN.test(name) ? [] : [invalid('metadata.name', name, SUBDOMAIN_TEXT)];
}

function qualified(key: string): boolean {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (parts.length > 2 || name.length > 63 || !QUALIFIED.test(name)) return false;
  return prefix === undefined || (prefix.length <= 253 && SUBDOMAIN.test(prefix));
}

function keyProblems(field: string, key: string): FieldProblem[] {
  return qualified(key) ? [] : [invalid(field, key, KEY_TEXT)];
}

function annotationProblems(annotations: { readonly [name: string]: string }): FieldProblem[] {
  const entries = Object.entries(annotations);
  const bytes = entries.reduce((sum, [key, value]) => sum + key.length + Buffer.byteLength(value), 0);
  const keys = entries.flatMap(([key]) => keyProblems('metadata.annotations', key.toLowerCase()));
  if (bytes <= MAX_ANNOTATIONS_BYTES) return keys;
  return [
    ...keys,
    {
      field: 'metadata.annotations',
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${MAX_ANNOTATIONS_BYTES} bytes`,
    },
  ];
}

function ownerProblems(metadata: ApiMeta): FieldProblem[] {
  const owners = metadata.ownerReferences ?? [];
  const problems = owners.flatMap((owner, i) =>
    (['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter((field) => typeof owner[field] !== 'string' || owner[field] === '')
      .map((field) =>
        invalid(`metadata.ownerReferences[${i}].${field}`, owner[field] ?? '', `${field} must not be empty`),
      ),
  );
  if (owners.filter((o) => o.controller === true).length > 1) {
    problems.push(
      invalid('metadata.ownerReferences', 'controller', 'Only one reference can have Controller set to true'),
    );
  }
  return problems;
}

/** Finalizers that a dying object would gain: not allowed any more. */
export function newFinalizerProblems(old: ApiObject, metadata: ApiMeta): readonly FieldProblem[] {
  if (old.metadata.deletionTimestamp === undefined) return [];
  const added = (metadata.finalizers ?? []).filter((f) => !(old.metadata.finalizers ?? []).includes(f));
  if (added.length === 0) return [];
  const list = `[]string{${added.map((f) => JSON.stringify(f)).join(', ')}}`;
  const why = 'no new finalizers can be added if the object is being deleted, found new finalizers';
  return [forbidden('metadata.finalizers', `${why} ${list}`)];
}

/** Whether two states differ in anything that raises `metadata.generation`: all but metadata, and but status where that is a subresource. */
export function specChanged(resource: Resource, before: JsonObject, after: JsonObject): boolean {
  const ignored = new Set([
    'metadata',
    'apiVersion',
    'kind',
    ...(resource.storage.statusSubresource ? ['status'] : []),
  ]);
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].some((name) => !ignored.has(name) && !jsonEqual(before[name] ?? null, after[name] ?? null));
}

/** Whether a write changes nothing: then it is not committed. Times of managedFields do not count. */
export function isSameObject(before: ApiObject, after: ApiObject): boolean {
  return jsonEqual(comparable(before), comparable(after));
}

function comparable(object: ApiObject): JsonObject {
  const { managedFields, resourceVersion: _, ...metadata } = object.metadata;
  const fields = managedFields?.map((entry) => (isJsonObject(entry) ? { ...entry, time: null } : entry));
  return { ...object, metadata: { ...metadata, ...(fields === undefined ? {} : { managedFields: fields }) } };
}
