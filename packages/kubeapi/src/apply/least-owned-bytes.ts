import { isJsonObject, type Json, type JsonObject, type Schema } from '@bloomery/model';
import { fieldType, itemElement, memberSchema, objectSchema } from './field-type.ts';
import type { IgnoredMembers } from './ownership.ts';

/** `:{},` behind each path element. */
const FRAME_BYTES = 4;

/**
 * What the list items that an object gains take in managedFields, at least: a few characters of a set become several times as many
 * there. Counted without making the sets, which is what costs.
 *
 * @param before undefined when everything is new.
 * @returns bytes of JSON.
 */
export function leastOwnedBytes(
  schema: Schema,
  before: JsonObject | undefined,
  after: JsonObject,
  ignored: IgnoredMembers,
): number {
  const kept = Object.entries(after).filter(([name]) => !ignored(name));
  return bytesOf(objectSchema(schema), before, Object.fromEntries(kept));
}

function bytesOf(schema: Schema, before: Json | undefined, value: Json): number {
  const type = fieldType(schema, value);
  let bytes = 0;
  if (type.of === 'map' && isJsonObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      if (typeof member !== 'object' || member === null) continue;
      const old = isJsonObject(before) && Object.hasOwn(before, name) ? before[name] : undefined;
      bytes += bytesOf(memberSchema(type, name).schema, old, member);
    }
  } else if (type.of === 'list' && Array.isArray(value)) {
    const known = new Set(Array.isArray(before) ? before.map((item: Json) => itemElement(type, item)) : []);
    for (const item of value) {
      const element = itemElement(type, item);
      if (element === undefined || known.has(element)) continue;
      known.add(element);
      bytes += Buffer.byteLength(JSON.stringify(element)) + FRAME_BYTES + bytesOf(type.items, undefined, item);
    }
  }
  return bytes;
}
