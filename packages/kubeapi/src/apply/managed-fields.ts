import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { type FieldSet, isEmptySet, parseFieldsV1 } from './field-set.ts';
import { sharedFieldsV1, sharedSetOf } from './shared-fields.ts';

/** Who wrote: through which operation, in which version, at which subresource. */
export interface FieldManager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** '' for the object itself. */
  readonly subresource: string;
}

/** One entry of managedFields in a usable form. */
export interface ManagedEntry extends FieldManager {
  readonly fields: FieldSet;
  /** RFC 3339; absent when nothing changed since the entry came to be. */
  readonly time?: string;
}

/** Entries by identity. Appliers are the same whatever version they write in. */
export type ManagedEntries = ReadonlyMap<string, ManagedEntry>;

/** The identity of an entry within its object; also the order in which conflicts are told. */
export function managerKey({ manager, operation, apiVersion, subresource }: FieldManager): string {
  return JSON.stringify([manager, operation, operation === 'Apply' ? '' : apiVersion, subresource]);
}

/** Read metadata.managedFields; undefined when an entry is malformed. */
export function decodeManagedFields(value: Json | undefined): ManagedEntries | undefined {
  const entries = new Map<string, ManagedEntry>();
  if (value === undefined || value === null) return entries;
  if (!Array.isArray(value)) return undefined;
  for (const item of value) {
    const entry = decodeEntry(item);
    if (entry === undefined) return undefined;
    entries.set(managerKey(entry), entry);
  }
  return entries;
}

function decodeEntry(value: Json): ManagedEntry | undefined {
  if (!isJsonObject(value)) return undefined;
  const { manager = '', operation, apiVersion, subresource = '', time, fieldsType } = value;
  if (typeof manager !== 'string' || typeof subresource !== 'string' || fieldsType !== 'FieldsV1') return undefined;
  if (operation !== 'Apply' && operation !== 'Update') return undefined;
  if (typeof apiVersion !== 'string' || apiVersion === '') return undefined;
  const { fieldsV1 } = value;
  const fields = isJsonObject(fieldsV1) ? sharedSetOf(fieldsV1) : parseFieldsV1(fieldsV1);
  if (fields === undefined) return undefined;
  const timed = typeof time === 'string' ? { time } : {};
  return { manager, operation, apiVersion, subresource, fields, ...timed };
}

/** Write metadata.managedFields: Apply before Update, then by time, manager, version and subresource. */
export function encodeManagedFields(entries: ManagedEntries): readonly JsonObject[] {
  const kept = [...entries.values()].filter(({ fields }) => !isEmptySet(fields));
  return kept.sort(byPlace).map(({ manager, operation, apiVersion, subresource, fields, time }) => ({
    ...(manager === '' ? {} : { manager }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: sharedFieldsV1(fields),
    ...(subresource === '' ? {} : { subresource }),
  }));
}

function byPlace(a: ManagedEntry, b: ManagedEntry): number {
  const keys = (entry: ManagedEntry): readonly string[] => [
    entry.operation,
    entry.time ?? '',
    entry.manager,
    entry.apiVersion,
    entry.subresource,
  ];
  const left = keys(a);
  const right = keys(b);
  const at = left.findIndex((part, i) => part !== right[i]);
  return at < 0 ? 0 : (left[at] ?? '') < (right[at] ?? '') ? -1 : 1;
}

/** More Update entries than this are folded, the oldest first, into one per version. */
const MAX_UPDATE_ENTRIES = 10;
const ANCIENT = 'ancient-changes';

/** Keep the number of Update entries bounded. */
export function capUpdateEntries(
  entries: ManagedEntries,
  union: (a: FieldSet, b: FieldSet) => FieldSet,
): ManagedEntries {
  const updates = [...entries.values()].filter(({ operation }) => operation === 'Update').sort(byPlace);
  let excess = updates.length - MAX_UPDATE_ENTRIES;
  if (excess <= 0) return entries;
  const capped = new Map(entries);
  const buckets = new Set<string>();
  for (const entry of updates) {
    if (excess <= 0) break;
    const bucket: FieldManager = {
      manager: ANCIENT,
      operation: 'Update',
      apiVersion: entry.apiVersion,
      subresource: '',
    };
    const key = managerKey(bucket);
    if (managerKey(entry) === key) continue;
    const old = capped.get(key);
    const fields = old === undefined ? entry.fields : union(old.fields, entry.fields);
    capped.delete(managerKey(entry));
    capped.set(key, { ...bucket, fields, ...(entry.time === undefined ? {} : { time: entry.time }) });
    if (old !== undefined || buckets.has(key)) excess--;
    buckets.add(key);
  }
  return capped;
}
