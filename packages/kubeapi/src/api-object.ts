import type { Json, JsonObject, OwnerReference } from '@bloomery/model';

/** Object metadata as it travels through the server. Times are RFC 3339, UTC, seconds. */
export type ApiMeta = JsonObject & {
  readonly name: string;
  readonly namespace?: string;
  readonly generateName?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: { readonly [name: string]: string };
  readonly annotations?: { readonly [name: string]: string };
  readonly ownerReferences?: readonly (JsonObject & OwnerReference)[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly JsonObject[];
};

/** A whole object: what is stored, watched and answered. Frozen once it is in the store. */
export type ApiObject = JsonObject & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ApiMeta;
};

/** Freeze a JSON value to its leaves, in place. Already frozen parts are not walked again. */
export function deepFreeze<T extends Json | undefined>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}

/** The object with some metadata fields replaced; a field set to undefined is removed. */
export function withMeta(object: ApiObject, change: { readonly [field: string]: Json | undefined }): ApiObject {
  const metadata: { [field: string]: Json | undefined } = { ...object.metadata };
  for (const [field, value] of Object.entries(change)) {
    if (value === undefined) delete metadata[field];
    else metadata[field] = value;
  }
  return { ...object, metadata: metadata as ApiMeta };
}

/** Take a JSON object whose apiVersion, kind and metadata were checked for what it is. */
export function asApiObject(object: JsonObject): ApiObject {
  return object as ApiObject;
}
