import { isJsonObject, type JsonObject, jsonEqual } from '@bloomery/model';
import { appliedProblems } from './applied-problems.ts';
import { type ApplyConflict, conflictOf } from './apply-conflict.ts';
import { differenceOf, EMPTY_SET, type FieldSet, intersectionOf, isEmptySet, pathsOf, unionOf } from './field-set.ts';
import { fieldSetOf, withNamedParents } from './field-set-of.ts';
import { atVersion, type FieldVersions, type VersionedObject } from './field-versions.ts';
import {
  decodeManagedFields,
  type FieldManager,
  type ManagedEntries,
  type ManagedEntry,
  managerKey,
} from './managed-fields.ts';
import { mergeObjects, removeFields } from './merge-objects.ts';
import {
  ChangeByVersion,
  type IgnoredMembers,
  releaseFields,
  withoutIgnored,
  withoutServerOwned,
} from './ownership.ts';
import { managedFieldsOf, recordUpdate, withManagedFields, withoutManagedFields } from './track-update.ts';

/** A server-side apply. */
export interface AppliedPatch {
  /** The stored object at the version of the request; undefined when it does not exist yet. */
  readonly live: JsonObject | undefined;
  /** The body, as it was sent: no defaults filled in, nothing pruned. */
  readonly applied: JsonObject;
  readonly manager: string;
  /** Take conflicting fields over instead of refusing. */
  readonly force: boolean;
  /** `group/version` of the request. */
  readonly apiVersion: string;
  /** '' for the object itself. */
  readonly subresource: string;
  /** RFC 3339, seconds. */
  readonly time: string;
  readonly versions: FieldVersions;
  readonly ignored: IgnoredMembers;
}

/** The object to take through defaulting, validation and the endpoint's rules; or why it was refused. */
export type ApplyResult =
  | {
      readonly ok: true;
      /** With managedFields. When nothing but ownership changes, the rest equals the live object. */
      readonly object: JsonObject;
    }
  /** 409: others own fields that the object sets differently. */
  | { readonly ok: false; readonly refused: 'conflict'; readonly conflicts: readonly ApplyConflict[] }
  /** 400: the body is no applied object. */
  | { readonly ok: false; readonly refused: 'badRequest'; readonly message: string }
  /** 422: the body does not fit the schema. */
  | { readonly ok: false; readonly refused: 'untyped'; readonly message: string };

const BEFORE_FIRST_APPLY = 'before-first-apply';

/**
 * Server-side apply: merge the applied object into the live one, take away what the manager applied before and does not
 * any more (unless others own it), and settle who owns what. Pure.
 *
 * @see spec kube-api §6
 */
export function serverSideApply(patch: AppliedPatch): ApplyResult {
  const { applied, apiVersion, versions, ignored } = patch;
  const refusal = refuseBody(patch);
  if (refusal !== undefined) return refusal;
  const typed = atVersion(versions, applied, apiVersion);
  if (typed === undefined) return { ok: false, refused: 'badRequest', message: `unknown version ${apiVersion}` };
  const { schema } = typed;
  const problems = appliedProblems(schema, applied);
  if (problems.length > 0) return untyped(patch, problems);

  const live = patch.live === undefined ? {} : withoutManagedFields(patch.live);
  const entries = liveEntries(patch, live);
  const applier: FieldManager = {
    manager: patch.manager,
    operation: 'Apply',
    apiVersion,
    subresource: patch.subresource,
  };
  const key = managerKey(applier);
  const previous = entries.get(key);
  const fields = withoutServerOwned(withoutIgnored(fieldSetOf(schema, applied), ignored));
  const current = new Map(entries).set(key, { ...applier, fields, ...timeOf(previous) });
  const merged = mergeObjects(schema, live, applied);
  const pruned = previous === undefined ? merged : pruneGivenUp(merged, current, previous, patch);
  const change = new ChangeByVersion(versions, live, pruned, ignored);
  const { entries: released, taken } = releaseFields(current, key, change);
  if (taken.size > 0 && !patch.force) return { ok: false, refused: 'conflict', conflicts: conflictsOf(entries, taken) };

  const changed = !jsonEqual(live, pruned);
  const settled = new Map(released);
  const entry: ManagedEntry = { ...applier, fields, ...(changed ? { time: patch.time } : timeOf(previous)) };
  if (isEmptySet(fields)) settled.delete(key);
  else settled.set(key, entry);
  return { ok: true, object: withManagedFields(changed ? pruned : live, settled) };
}

function timeOf(entry: ManagedEntry | undefined): { readonly time?: string } {
  return entry?.time === undefined ? {} : { time: entry.time };
}

function refuseBody({ applied, apiVersion }: AppliedPatch): ApplyResult | undefined {
  const bad = (message: string): ApplyResult => ({ ok: false, refused: 'badRequest', message });
  if (applied['apiVersion'] !== apiVersion) {
    const given = String(applied['apiVersion'] ?? '');
    return bad(
      `Incorrect version specified in apply patch. Specified patch version: ${given}, expected: ${apiVersion}`,
    );
  }
  const asked = managedFieldsOf(applied);
  return asked === undefined || asked === null ? undefined : bad('metadata.managedFields must be nil');
}

function untyped({ applied, apiVersion }: AppliedPatch, problems: readonly string[]): ApplyResult {
  const { metadata } = applied;
  const meta = isJsonObject(metadata) ? metadata : {};
  const namespace = meta['namespace'] === undefined ? '' : `${String(meta['namespace'])}/`;
  const subject = `${namespace}${String(meta['name'] ?? '')}; ${apiVersion}, Kind=${String(applied['kind'] ?? '')}`;
  const text = problems.length === 1 ? (problems[0] ?? '') : `errors:\n  ${problems.join('\n  ')}`;
  return { ok: false, refused: 'untyped', message: `failed to create typed patch object (${subject}): ${text}` };
}

/** The entries of the live object; one that has none is said to be owned by whoever was before the first apply. */
function liveEntries(patch: AppliedPatch, live: JsonObject): ManagedEntries {
  const entries = decodeManagedFields(patch.live === undefined ? undefined : managedFieldsOf(patch.live)) ?? new Map();
  if (entries.size > 0) return entries;
  const { apiVersion, time, versions } = patch;
  const before = { manager: BEFORE_FIRST_APPLY, apiVersion, subresource: '', time, versions, ignored: () => false };
  return recordUpdate(entries, {}, live, before);
}

/**
 * The merged object without what the applier applied before, does not apply now, and nobody else owns. Entries may be
 * of several versions: what each of them owns is put back in its own version.
 */
function pruneGivenUp(
  merged: JsonObject,
  entries: ManagedEntries,
  previous: ManagedEntry,
  patch: AppliedPatch,
): JsonObject {
  const { versions, apiVersion } = patch;
  const start = atVersion(versions, merged, previous.apiVersion);
  if (start === undefined || isEmptySet(previous.fields)) return merged;
  const mine = withNamedParents(start.schema, previous.fields);
  let pruned = removeFields(start.schema, start.object, mine);
  const owned = ownedByVersion(entries, patch);
  const order = [...owned.keys()].sort((a, b) => Number(b === previous.apiVersion) - Number(a === previous.apiVersion));
  for (const version of order) {
    const whole = atVersion(versions, merged, version);
    const left = atVersion(versions, pruned, version);
    if (whole === undefined || left === undefined) continue;
    const { schema } = whole;
    const kept = unionOf(namedSetOf(left), withNamedParents(schema, owned.get(version) ?? EMPTY_SET));
    pruned = removeFields(schema, whole.object, differenceOf(namedSetOf(whole), kept));
  }
  const rest = atVersion(versions, pruned, previous.apiVersion);
  if (rest === undefined) return merged;
  // Only what was the applier's goes: what nobody ever owned stays.
  const gone = differenceOf(namedSetOf(start), namedSetOf(rest));
  const result = removeFields(start.schema, start.object, intersectionOf(gone, mine));
  return versions.convert(result, apiVersion) ?? merged;
}

function namedSetOf({ schema, object }: VersionedObject): FieldSet {
  return withNamedParents(schema, fieldSetOf(schema, object));
}

/** What is owned in each version, with all that the request applies, server-owned fields included. */
function ownedByVersion(entries: ManagedEntries, patch: AppliedPatch): ReadonlyMap<string, FieldSet> {
  const owned = new Map<string, FieldSet>();
  for (const { apiVersion, fields } of entries.values()) {
    owned.set(apiVersion, unionOf(owned.get(apiVersion) ?? EMPTY_SET, fields));
  }
  const applied = atVersion(patch.versions, patch.applied, patch.apiVersion);
  const fields = applied === undefined ? EMPTY_SET : fieldSetOf(applied.schema, applied.object);
  return owned.set(patch.apiVersion, unionOf(owned.get(patch.apiVersion) ?? EMPTY_SET, fields));
}

function conflictsOf(entries: ManagedEntries, taken: ReadonlyMap<string, FieldSet>): readonly ApplyConflict[] {
  const conflicts: ApplyConflict[] = [];
  for (const [key, fields] of [...taken].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const owner = entries.get(key);
    if (owner !== undefined) for (const path of pathsOf(fields)) conflicts.push(conflictOf(owner, path));
  }
  return conflicts;
}
