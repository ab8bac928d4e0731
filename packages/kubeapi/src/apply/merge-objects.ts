import { isJsonObject, type Json, type JsonObject, type Schema } from '@bloomery/model';
import { ownMember } from '../schema/field-path.ts';
import type { FieldSet } from './field-set.ts';
import { type FieldType, fieldType, itemElement, itemsByElement, memberSchema } from './field-type.ts';
import { memberElement } from './path-element.ts';

/** Lay an applied object over a live one: its fields win, everything it does not name stays. */
export function mergeObjects(schema: Schema, live: JsonObject, applied: JsonObject): JsonObject {
  const merged = merge(schema, live, applied);
  return isJsonObject(merged) ? merged : applied;
}

function merge(schema: Schema, live: Json | undefined, applied: Json | undefined): Json {
  if (applied === undefined) return live ?? null;
  if (live === undefined) return applied;
  const type = fieldType(schema, applied ?? live);
  if (type.of === 'map' && isJsonObject(live) && (isJsonObject(applied) || applied === null)) {
    return applied === null && Object.keys(live).length === 0 ? null : mergeMembers(type, live, applied ?? {});
  }
  if (type.of === 'list' && Array.isArray(live) && (Array.isArray(applied) || applied === null)) {
    return applied === null && live.length === 0 ? null : mergeItems(type, live, applied ?? []);
  }
  return applied;
}

function mergeMembers(type: FieldType & { readonly of: 'map' }, live: JsonObject, applied: JsonObject): JsonObject {
  const members = new Map(Object.entries(live));
  for (const [name, member] of Object.entries(applied)) {
    if (member !== undefined) members.set(name, merge(memberSchema(type, name).schema, ownMember(live, name), member));
  }
  return Object.fromEntries(members);
}

/**
 * Merge lists item by item. The applied list's order leads for its items; items of the live list only keep their place
 * among those that both lists have, and go before new ones.
 */
function mergeItems(
  type: FieldType & { readonly of: 'list' },
  live: readonly Json[],
  applied: readonly Json[],
): readonly Json[] {
  const liveItems = itemsByElement(type, live);
  const appliedItems = itemsByElement(type, applied);
  const left = live.map((item) => ({ item, element: itemElement(type, item) ?? '' }));
  const right = [...appliedItems].map(([element, items]) => ({ item: items[0] ?? null, element }));
  const shared = right.filter(({ element }) => liveItems.has(element)).map(({ element }) => element);
  const done = new Set<string>();
  const result: Json[] = [];
  const take = (element: string, item: Json): void => {
    result.push(merge(type.items, liveItems.get(element)?.[0], item));
    done.add(element);
    if (shared[0] === element) shared.shift();
  };
  let i = 0;
  for (const { element, item } of right) {
    // Live-only items go first, up to the next item that both lists have and that is due now.
    for (let next = left[i]; next !== undefined && next.element !== element; next = left[i]) {
      if (!appliedItems.has(next.element)) result.push(next.item);
      else if (next.element === shared[0] && !done.has(next.element)) break;
      i++;
    }
    if (left[i]?.element === element) i++;
    take(element, item);
  }
  for (const { element, item } of left.slice(i)) if (!appliedItems.has(element)) result.push(item);
  return result;
}

/** The object without the members of a set. Objects and lists that lose all they held are gone too. */
export function removeFields(schema: Schema, object: JsonObject, fields: FieldSet): JsonObject {
  const left = remove(schema, object, fields);
  return isJsonObject(left) ? left : {};
}

function remove(schema: Schema, value: Json, fields: FieldSet): Json | undefined {
  if (fields.children.size === 0) return value;
  const type = fieldType(schema, value);
  if (type.of === 'map' && isJsonObject(value)) {
    const members: [string, Json][] = [];
    for (const [name, member] of Object.entries(value)) {
      const below = fields.children.get(memberElement(name));
      if (below?.owned === true || member === undefined) continue;
      const kept = below === undefined ? member : remove(memberSchema(type, name).schema, member, below);
      if (kept !== undefined) members.push([name, kept]);
    }
    return Object.fromEntries(members);
  }
  if (type.of === 'list' && Array.isArray(value)) {
    const items = value.flatMap((item: Json) => removeFromItem(type, item, fields));
    return items;
  }
  return value;
}

function removeFromItem(type: FieldType & { readonly of: 'list' }, item: Json, fields: FieldSet): readonly Json[] {
  const element = itemElement(type, item);
  const below = element === undefined ? undefined : fields.children.get(element);
  if (below === undefined) return [item];
  if (below.owned) return [];
  const kept = remove(type.items, item, below);
  return kept === undefined ? [] : [kept];
}
