import type { JsonObject } from '@bloomery/model';
import { type Comparison, compareObjects } from './compare.ts';
import {
  differenceOf,
  type FieldSet,
  FieldSetBuilder,
  intersectionOf,
  isEmptySet,
  keepRootElements,
  unionOf,
} from './field-set.ts';
import { atVersion, type FieldVersions } from './field-versions.ts';
import type { ManagedEntries, ManagedEntry } from './managed-fields.ts';

/** Top-level members that a request cannot change: they take no part in ownership. */
export type IgnoredMembers = (member: string) => boolean;

/**
 * What a request at an endpoint cannot change: everything but status (and metadata) at /status, status at the main
 * endpoint of kinds that have the subresource.
 */
export function ignoredMembers(subresource: string, statusSubresource: boolean): IgnoredMembers {
  if (subresource === 'status') return (member) => member !== 'status' && member !== 'metadata';
  return (member) => statusSubresource && member === 'status';
}

/** The set without ignored top-level members. */
export function withoutIgnored(set: FieldSet, ignored: IgnoredMembers): FieldSet {
  return keepRootElements(set, (element) => !ignored(element.slice(2)));
}

/** Fields that the server owns and nobody manages. */
const SERVER_OWNED = ((): FieldSet => {
  const set = new FieldSetBuilder();
  for (const member of ['apiVersion', 'kind', 'metadata']) set.insert([`f:${member}`]);
  for (const field of [
    'name',
    'namespace',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'selfLink',
    'uid',
    'generation',
    'managedFields',
    'resourceVersion',
  ]) {
    set.insert(['f:metadata', `f:${field}`]);
  }
  return set;
})();

/** The set without fields that nobody manages. */
export function withoutServerOwned(set: FieldSet): FieldSet {
  return differenceOf(set, SERVER_OWNED);
}

/** Compares the same change in each version that entries were written in, each once. */
export class ChangeByVersion {
  readonly #versions: FieldVersions;
  readonly #before: JsonObject;
  readonly #after: JsonObject;
  readonly #ignored: IgnoredMembers;
  readonly #known = new Map<string, Comparison | undefined>();

  constructor(versions: FieldVersions, before: JsonObject, after: JsonObject, ignored: IgnoredMembers) {
    this.#versions = versions;
    this.#before = before;
    this.#after = after;
    this.#ignored = ignored;
  }

  /** The change as seen in a version; undefined when that version is gone. */
  at(apiVersion: string): Comparison | undefined {
    if (this.#known.has(apiVersion)) return this.#known.get(apiVersion);
    const before = atVersion(this.#versions, this.#before, apiVersion);
    const after = atVersion(this.#versions, this.#after, apiVersion);
    const made =
      before === undefined || after === undefined
        ? undefined
        : this.#compare(before.schema, before.object, after.object);
    this.#known.set(apiVersion, made);
    return made;
  }

  #compare(schema: Parameters<typeof compareObjects>[0], before: JsonObject, after: JsonObject): Comparison {
    const { added, removed, modified } = compareObjects(schema, before, after);
    const trim = (set: FieldSet): FieldSet => withoutIgnored(set, this.#ignored);
    return { added: trim(added), removed: trim(removed), modified: trim(modified) };
  }
}

/** What a change means for the entries of everybody but the one who makes it. */
export interface OthersAfter {
  /** Their entries once the change is made; entries of versions that are gone are left out. */
  readonly entries: ManagedEntries;
  /** The fields each of them owned and the change would take. */
  readonly taken: ReadonlyMap<string, FieldSet>;
}

/** Take changed and removed fields from all entries but one. */
export function releaseFields(entries: ManagedEntries, except: string, change: ChangeByVersion): OthersAfter {
  const left = new Map<string, ManagedEntry>();
  const taken = new Map<string, FieldSet>();
  for (const [key, entry] of entries) {
    if (key === except) {
      left.set(key, entry);
      continue;
    }
    const seen = change.at(entry.apiVersion);
    if (seen === undefined) continue;
    const lost = intersectionOf(entry.fields, unionOf(seen.modified, seen.added));
    if (!isEmptySet(lost)) taken.set(key, lost);
    const fields = differenceOf(differenceOf(entry.fields, lost), seen.removed);
    if (!isEmptySet(fields)) left.set(key, fields === entry.fields ? entry : { ...entry, fields });
  }
  return { entries: left, taken };
}
