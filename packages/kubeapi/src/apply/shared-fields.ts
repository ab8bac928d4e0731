import type { JsonObject } from '@bloomery/model';
import { deepFreeze } from '../api-object.ts';
import { type FieldSet, fieldsV1Text, parseFieldsV1 } from './field-set.ts';

/** Sets kept for sharing, and the longest text of one that is. */
const MAX_SHARED = 2000;
const MAX_TEXT = 32 * 1024;

/**
 * FieldsV1 by its text. The objects of a kind own much the same fields, so that a few texts stand for thousands of entries: each is
 * parsed and printed once, and held in memory once.
 */
const shared = new Map<string, JsonObject>();
const sets = new WeakMap<JsonObject, FieldSet>();
const printed = new WeakMap<FieldSet, JsonObject>();

/** The set that FieldsV1 says; undefined when it is malformed. */
export function sharedSetOf(fieldsV1: JsonObject): FieldSet | undefined {
  const known = sets.get(fieldsV1) ?? sets.get(shared.get(JSON.stringify(fieldsV1)) ?? fieldsV1);
  if (known !== undefined) return known;
  const set = parseFieldsV1(fieldsV1);
  // The object belongs to somebody else: what is kept for it is its set, not the object itself.
  if (set !== undefined && Object.isFrozen(fieldsV1)) sets.set(fieldsV1, set);
  return set;
}

/** The FieldsV1 form of a set, frozen; the same object for equal sets. */
export function sharedFieldsV1(set: FieldSet): JsonObject {
  const known = printed.get(set);
  if (known !== undefined) return known;
  const text = fieldsV1Text(set);
  const kept = shared.get(text) ?? keep(text, set);
  printed.set(set, kept);
  return kept;
}

function keep(text: string, set: FieldSet): JsonObject {
  const fieldsV1: JsonObject = deepFreeze(JSON.parse(text));
  sets.set(fieldsV1, set);
  if (text.length > MAX_TEXT) return fieldsV1;
  const [oldest] = shared.keys();
  if (shared.size >= MAX_SHARED && oldest !== undefined) shared.delete(oldest);
  shared.set(text, fieldsV1);
  return fieldsV1;
}

/** Texts that were met last, the newest first: most objects of a kind have one of them. */
let recent: readonly string[] = [];
const MAX_RECENT = 4;

/**
 * The FieldsV1 whose text begins at a place of a longer one, shared, and how long that text is; undefined when there is no object.
 *
 * @param text JSON; where it is none, so is what is found.
 */
export function sharedFieldsOfText(
  text: string,
  start: number,
): { readonly fieldsV1: JsonObject; readonly length: number } | undefined {
  const met = recent.find((known) => text.startsWith(known, start)) ?? objectTextAt(text, start);
  if (met === undefined) return undefined;
  if (met !== recent[0]) recent = [met, ...recent.filter((known) => known !== met)].slice(0, MAX_RECENT);
  const fieldsV1 = shared.get(met) ?? kept(met);
  return fieldsV1 === undefined ? undefined : { fieldsV1, length: met.length };
}

function kept(text: string): JsonObject | undefined {
  const set = parseFieldsV1(JSON.parse(text));
  if (set === undefined) return undefined;
  const own = fieldsV1Text(set);
  // Only what we would write ourselves may stand for others. (And `text` would hold all that it was cut from.)
  return own === text ? keep(own, set) : undefined;
}

/** The text of the JSON object that begins at a place. */
function objectTextAt(text: string, start: number): string | undefined {
  let depth = 0;
  let quoted = false;
  for (let i = start; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i += 1;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x7b) depth += 1;
    else if (c === 0x7d) depth -= 1;
    if (depth === 0) return i > start ? text.slice(start, i + 1) : undefined;
  }
  return undefined;
}
