import type { JsonObject, KindDefinition } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import type { Resource } from '../registry/resource.ts';
import type { Convert } from './with-conversions.ts';

/** A write whose ownership of fields is to be recorded. Objects are in the version of the request. */
export interface TrackedWrite {
  readonly resource: Resource;
  readonly version: KindDefinition;
  readonly before: ApiObject | undefined;
  readonly after: ApiObject;
  readonly manager: string;
  readonly subresource: string | undefined;
  /** RFC 3339, seconds. */
  readonly time: string;
  /** Converts objects between versions; absent: the kind's own functions do. */
  readonly convert?: Convert | undefined;
}

/** An object sent as a server-side apply. */
export interface AppliedWrite extends Omit<TrackedWrite, 'after'> {
  readonly applied: JsonObject;
  readonly force: boolean;
}

/** Who owns which field: managedFields and server-side apply, as pure functions over objects. */
export interface FieldManagement {
  /** managedFields of `after`; undefined for none. */
  track(write: TrackedWrite): readonly JsonObject[] | undefined;
  /**
   * What managedFields will take at least: of a write by what it changes, of an apply (`before` undefined) by all that is applied.
   * Bytes of JSON, found at a small part of the cost of `track`.
   */
  leastBytes(write: Omit<TrackedWrite, 'convert' | 'time' | 'manager'>): number;
  /** The merged object with its managedFields. @throws an API error: 409 with the conflicts, 400 or 422 for what cannot be merged. */
  apply(write: AppliedWrite): ApiObject;
}
