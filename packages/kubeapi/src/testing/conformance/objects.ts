import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { THING } from './shared-kinds.ts';

/** Metadata beside the name. */
export type More = JsonObject;

/** A ConfigMap. */
export const configMap = (name: string, data: JsonObject = { a: '1' }, metadata: More = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

/** A Secret of data as it is written by hand. */
export const secret = (name: string, stringData: JsonObject = { a: '1' }, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData,
  ...more,
});

/** A Thing, the kind of the vectors; `size` is required. */
export const thing = (name: string, spec: JsonObject = { size: 1 }, metadata: More = {}): JsonObject => ({
  apiVersion: THING,
  kind: 'Thing',
  metadata: { name, ...metadata },
  spec,
});

/** A Lease. */
export const lease = (name: string, holderIdentity: string, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name },
  spec: { holderIdentity, leaseDurationSeconds: 15, ...more },
});

/** A CustomResourceDefinition of one version v1 unless more is given. */
export function crd(
  group: string,
  kind: string,
  schema: JsonObject = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  more: { readonly spec?: JsonObject; readonly version?: JsonObject; readonly names?: JsonObject } = {},
): JsonObject {
  const plural = `${kind.toLowerCase()}s`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List`, ...more.names },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...more.version }],
      ...more.spec,
    },
  };
}

/** The value at a path of names and indexes; null where there is none. */
export function at(value: Json | undefined, ...path: readonly (string | number)[]): Json {
  let inner: unknown = value;
  for (const key of path) inner = typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined;
  return (inner ?? null) as Json;
}

/** Kind of a list with the names of its items in order; of another object kind and name. */
export function kindAndNames(body: JsonObject): Json {
  const { items } = body;
  const names = Array.isArray(items)
    ? items.map((item: Json) => at(item, 'metadata', 'name'))
    : at(body, 'metadata', 'name');
  return { kind: at(body, 'kind'), names };
}

/** What of an object its writer gave: labels, annotations, finalizers, owners, and all but metadata. */
export function content(body: JsonObject): Json {
  const { metadata, kind, ...rest } = body;
  if (kind === 'Status') return body;
  const { labels, annotations, finalizers, ownerReferences } = isJsonObject(metadata) ? metadata : {};
  return JSON.parse(JSON.stringify({ labels, annotations, finalizers, ownerReferences, ...rest }));
}

/** The field sets of an object by manager. */
export function fields(body: JsonObject): Json {
  if (body['kind'] === 'Status') return body;
  const entries = at(body, 'metadata', 'managedFields');
  const { spec, data } = body;
  return JSON.parse(JSON.stringify({ managedFields: entries, spec, data }));
}

/** Path of the definitions of custom resources. */
export const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
