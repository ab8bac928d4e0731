import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { differenceOf, isEmptySet, unionOf } from './field-set.ts';
import type { FieldVersions } from './field-versions.ts';
import {
  capUpdateEntries,
  decodeManagedFields,
  encodeManagedFields,
  type FieldManager,
  type ManagedEntries,
  managerKey,
} from './managed-fields.ts';
import { ChangeByVersion, type IgnoredMembers, releaseFields, withoutServerOwned } from './ownership.ts';

/** A create, update or patch whose fields shall be tracked. */
export interface TrackedUpdate {
  /** The stored object at the version of the request; undefined on create. */
  readonly live: JsonObject | undefined;
  /** The object as the request wants it, with defaults, before the endpoint restores what it may not change. */
  readonly updated: JsonObject;
  /** Who writes: at most 128 printable characters. */
  readonly manager: string;
  /** `group/version` of the request. */
  readonly apiVersion: string;
  /** '' for the object itself. */
  readonly subresource: string;
  /** RFC 3339, seconds; undefined leaves the entry without a time (scale). */
  readonly time: string | undefined;
  readonly versions: FieldVersions;
  readonly ignored: IgnoredMembers;
}

/**
 * Give an object the managedFields that follow from a create, update or patch: changed and added fields go to the
 * writer's Update entry and leave all others, removed fields leave all.
 *
 * Entries in the request are taken as they are (clients may edit them); `[]` and `[{}]` forget all and stop tracking,
 * and an object without entries is not tracked on updates. Pure.
 *
 * @see spec kube-api §6
 */
export function trackUpdate(update: TrackedUpdate): JsonObject {
  const { live, updated, subresource } = update;
  const asked = managedFieldsOf(updated);
  if (subresource === '' && live !== undefined && isReset(asked)) return withManagedFields(updated, new Map());
  const known = decodeManagedFields(live === undefined ? undefined : managedFieldsOf(live)) ?? new Map();
  const edited = subresource === '' ? decodeManagedFields(asked) : undefined;
  const entries: ManagedEntries = edited !== undefined && edited.size > 0 ? edited : known;
  if (live !== undefined && entries.size === 0) return withManagedFields(updated, entries);
  const before = live === undefined ? {} : withoutManagedFields(live);
  return withManagedFields(updated, recordUpdate(entries, before, withoutManagedFields(updated), update));
}

/** The entries after one manager changed `before` into `after`. */
export function recordUpdate(
  entries: ManagedEntries,
  before: JsonObject,
  after: JsonObject,
  update: Omit<TrackedUpdate, 'live' | 'updated'>,
): ManagedEntries {
  const { manager, apiVersion, subresource, time, versions, ignored } = update;
  const writer: FieldManager = { manager, operation: 'Update', apiVersion, subresource };
  const key = managerKey(writer);
  const change = new ChangeByVersion(versions, before, after, ignored);
  const released = new Map(releaseFields(entries, key, change).entries);
  const seen = change.at(apiVersion);
  if (seen === undefined) return released;
  const written = withoutServerOwned(unionOf(seen.modified, seen.added));
  const previous = released.get(key);
  const kept = previous === undefined ? undefined : differenceOf(previous.fields, seen.removed);
  const fields = kept === undefined ? written : unionOf(kept, written);
  const at = isEmptySet(written) ? previous?.time : time;
  if (isEmptySet(fields)) released.delete(key);
  else released.set(key, { ...writer, fields, ...(at === undefined ? {} : { time: at }) });
  return capUpdateEntries(released, unionOf);
}

/** Whether the managedFields of a request ask to forget all: `[]` and `[{}]`. */
export function isReset(asked: Json | undefined): boolean {
  if (!Array.isArray(asked)) return false;
  const [only] = asked;
  return asked.length === 0 || (asked.length === 1 && isJsonObject(only) && Object.keys(only).length === 0);
}

/** metadata.managedFields as it is. */
export function managedFieldsOf(object: JsonObject): Json | undefined {
  const { metadata } = object;
  return isJsonObject(metadata) ? metadata['managedFields'] : undefined;
}

/** The object without managedFields. */
export function withoutManagedFields(object: JsonObject): JsonObject {
  const { metadata } = object;
  if (!isJsonObject(metadata) || !Object.hasOwn(metadata, 'managedFields')) return object;
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: rest };
}

/** The object with these entries as its managedFields. */
export function withManagedFields(object: JsonObject, entries: ManagedEntries): JsonObject {
  const bare = withoutManagedFields(object);
  const managedFields = encodeManagedFields(entries);
  if (managedFields.length === 0) return bare;
  const { metadata } = bare;
  return { ...bare, metadata: { ...(isJsonObject(metadata) ? metadata : {}), managedFields } };
}
