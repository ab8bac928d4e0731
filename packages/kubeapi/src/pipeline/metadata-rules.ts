import { type FieldProblem, isJsonObject, type Json, type JsonObject, jsonEqual, stringifyJson } from '@bloomery/model';
import type { ApiMeta, ApiObject } from '../api-object.ts';
import type { Resource } from '../registry/resource.ts';
import {
  forbidden,
  invalid,
  labelTexts,
  labelValueTexts,
  pathSegmentProblems,
  qualifiedNameTexts,
  required,
  subdomainTexts,
  tooLong,
} from '../schema/index.ts';

const MAX_ANNOTATIONS_BYTES = 256 * 1024;
/** Finalizers of Kubernetes itself: the only ones of built-in kinds without a group. */
const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** What is wrong with the metadata of an object about to be created. */
export function metadataProblems(resource: Resource, metadata: ApiMeta): readonly FieldProblem[] {
  return [...nameProblems(resource, metadata), ...sharedProblems(metadata), ...finalizerProblems(resource, metadata)];
}

/**
 * What is wrong with the metadata of an object about to be changed. kube-apiserver asks some questions in several of its layers and
 * repeats their answers among the causes.
 */
export function changedMetadataProblems(
  resource: Resource,
  old: ApiObject,
  metadata: ApiMeta,
): readonly FieldProblem[] {
  const { builtin } = resource.rules;
  return [
    ...repeated(newFinalizerProblems(old, metadata), 2),
    ...repeated(sharedProblems(metadata), builtin ? 4 : 3),
    ...repeated(finalizerProblems(resource, metadata), builtin ? 2 : 1),
  ];
}

/** The same problems several times over. */
export function repeated(problems: readonly FieldProblem[], times: number): readonly FieldProblem[] {
  return problems.length === 0 ? [] : Array.from({ length: times }, () => problems).flat();
}

function nameProblems({ rules }: Resource, { name, generateName }: ApiMeta): readonly FieldProblem[] {
  const texts = rules.labelNames ? labelTexts : subdomainTexts;
  const problems = (field: string, text: string, shown = text): readonly FieldProblem[] =>
    rules.pathSegmentNames ? pathSegmentProblems(field, shown) : texts(text).map((why) => invalid(field, shown, why));
  // The hyphen at the end of a prefix is none at the end of a name.
  const prefix = generateName?.replace(/-$/, 'a');
  return [
    ...(prefix === undefined ? [] : problems('metadata.generateName', prefix, generateName)),
    ...((name ?? '') === ''
      ? [required('metadata.name', 'name or generateName is required')]
      : problems('metadata.name', name)),
  ];
}

/** What is asked of creates and of changes alike. */
function sharedProblems(metadata: ApiMeta): readonly FieldProblem[] {
  const { labels = {}, annotations = {} } = metadata;
  return [
    ...Object.entries(labels).flatMap(([key, value]) => [
      ...keyProblems('metadata.labels', key),
      ...labelValueTexts(value).map((why) => invalid('metadata.labels', value, why)),
    ]),
    ...annotationProblems(annotations),
    ...ownerProblems(metadata),
  ];
}

function keyProblems(field: string, key: string, shown = key): readonly FieldProblem[] {
  return qualifiedNameTexts(key).map((why) => invalid(field, shown, why));
}

function annotationProblems(annotations: { readonly [name: string]: string }): readonly FieldProblem[] {
  const entries = Object.entries(annotations);
  const bytes = entries.reduce((sum, [key, value]) => sum + key.length + Buffer.byteLength(value), 0);
  const keys = entries.flatMap(([key]) => keyProblems('metadata.annotations', key.toLowerCase(), key));
  return bytes <= MAX_ANNOTATIONS_BYTES ? keys : [...keys, tooLong('metadata.annotations', MAX_ANNOTATIONS_BYTES)];
}

function finalizerProblems({ rules, group }: Resource, { finalizers = [] }: ApiMeta): readonly FieldProblem[] {
  const names = finalizers.flatMap((finalizer) => keyProblems('metadata.finalizers', finalizer));
  const both = finalizers.includes('orphan') && finalizers.includes('foregroundDeletion');
  // CustomResourceDefinitions have a finalizer of their own of this form.
  const isStrict = rules.builtin && group !== 'apiextensions.k8s.io';
  const why = 'name is neither a standard finalizer name nor is it fully qualified';
  const bare = finalizers.flatMap((finalizer, i) =>
    isStrict && !finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer)
      ? [invalid(`metadata.finalizers[${i}]`, finalizer, why)]
      : [],
  );
  return [
    ...names,
    ...(both
      ? [invalid('metadata.finalizers', [...finalizers], 'finalizer orphan and foregroundDeletion cannot be both set')]
      : []),
    ...bare,
  ];
}

function ownerProblems(metadata: ApiMeta): readonly FieldProblem[] {
  const field = 'metadata.ownerReferences';
  const owners = metadata.ownerReferences ?? [];
  const controllers = owners.filter((owner) => owner.controller === true);
  return [
    ...owners.flatMap((owner) => {
      const { apiVersion = '', kind = '', name = '', uid = '' } = owner;
      const parts = apiVersion.split('/');
      const empty = (value: string, of: string): readonly FieldProblem[] =>
        value === '' ? [invalid(`${field}.${of}`, value, 'must not be empty')] : [];
      const isEvent = kind === 'Event' && (apiVersion === 'v1' || apiVersion === 'events.k8s.io/v1');
      return [
        ...(apiVersion === '' || parts.length > 2
          ? [invalid(`${field}.apiVersion`, apiVersion, 'version must not be empty')]
          : []),
        ...empty(kind, 'kind'),
        ...empty(name, 'name'),
        ...empty(uid, 'uid'),
        ...(isEvent
          ? [refused(field, goOwner(owner), `${goVersion(apiVersion)}, Kind=${kind} is disallowed from being an owner`)]
          : []),
      ];
    }),
    ...(controllers.length > 1 ? [severalControllers(field, owners, controllers)] : []),
  ];
}

function severalControllers(field: string, owners: readonly Owner[], controllers: readonly Owner[]): FieldProblem {
  const [first, second] = controllers.map(({ kind, name }) => `${kind}/${name}`);
  const why = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${second}`;
  return refused(field, owners.map(goOwner), why);
}

type Owner = NonNullable<ApiMeta['ownerReferences']>[number];

/** An owner with its members in Go's order. */
function goOwner({ apiVersion, kind, name, uid, ...rest }: Owner): JsonObject {
  return { apiVersion, kind, name, uid, ...rest };
}

/** Like `invalid`, with the members of the value in the order in which they are given. */
function refused(field: string, value: Json, why: string): FieldProblem {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${stringifyJson(value)}: ${why}` };
}

/** A version as Go prints it: with a slash where the group is empty too. */
export function goVersion(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
}

/** Finalizers that a dying object would gain: not allowed any more. */
function newFinalizerProblems(old: ApiObject, metadata: ApiMeta): readonly FieldProblem[] {
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
