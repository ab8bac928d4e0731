import { isJsonObject, type Json, type JsonObject, type schema, stringifyJson } from '@bloomery/model';
import { ownMember } from '../schema/field-path.ts';
import { OBJECT_META_SCHEMA } from '../schema/object-meta-schema.ts';
import { type PatchResult, undecodable, unprocessable } from './patch-result.ts';

type Schema = schema.Schema;

const DELETE_FROM = '$deleteFromPrimitiveList/';
const ELEMENT_ORDER = '$setElementOrder/';
const RETAIN_KEYS = '$retainKeys';
const DIRECTIVE = '$patch';

/** Thrown inside this file only: the patch is not well formed. */
class BadPatch extends Error {}

/**
 * Apply a strategic merge patch: objects merge, null removes, lists are replaced unless the schema says
 * `x-kubernetes-patch-strategy: merge` (then items merge by `x-kubernetes-patch-merge-key`, plain items as a set).
 * Understands `$patch: replace|delete|merge`, `$deleteFromPrimitiveList/f`, `$setElementOrder/f` and `$retainKeys`.
 *
 * @param schema root schema of the kind; `metadata` is implied.
 */
export function applyStrategicMergePatch(schema: Schema, object: JsonObject, patch: Json): PatchResult {
  if (patch === null) return { ok: true, object };
  if (!isJsonObject(patch)) return undecodable(patch, 'map[string]interface {}');
  const root = { ...schema, properties: { ...schema.properties, metadata: OBJECT_META_SCHEMA } };
  try {
    return { ok: true, object: mergeObject(root, object, patch) };
  } catch (error) {
    if (error instanceof BadPatch) return unprocessable(error.message);
    throw error;
  }
}

function mergeObject(schema: Schema | undefined, original: JsonObject, patch: JsonObject): JsonObject {
  const directive = ownMember(patch, DIRECTIVE);
  if (directive === 'replace') return plain(patch);
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge')
    throw new BadPatch(`unknown $patch: ${stringifyJson(directive)}`);
  const members = new Map(Object.entries(retained(original, patch)));
  for (const [name, change] of Object.entries(patch)) {
    if (change === undefined || name.startsWith('$')) continue;
    const child = childSchema(schema, name);
    const current = members.get(name);
    if (change === null) members.delete(name);
    else if (isJsonObject(change)) {
      members.set(name, isJsonObject(current) ? mergeObject(child, current, change) : clean(change));
    } else if (Array.isArray(change) && Array.isArray(current) && mergesLists(child)) {
      members.set(name, mergeList(child, current, change, orderOf(patch, name)));
    } else members.set(name, clean(change));
  }
  applyListDirectives(schema, members, patch);
  return Object.fromEntries(members);
}

/** Lists that the patch only shortens or reorders: they have no member of their own in it. */
function applyListDirectives(
  schema: Schema | undefined,
  members: Map<string, Json | undefined>,
  patch: JsonObject,
): void {
  for (const [directive, value] of Object.entries(patch)) {
    if (directive.startsWith(DELETE_FROM)) {
      const name = directive.slice(DELETE_FROM.length);
      const gone = listOf(value, directive);
      const current = members.get(name);
      if (!Array.isArray(current)) continue;
      const keys = new Set(gone.map(keyText));
      members.set(
        name,
        current.filter((item: Json) => !keys.has(keyText(item))),
      );
    }
    if (directive.startsWith(ELEMENT_ORDER)) {
      const name = directive.slice(ELEMENT_ORDER.length);
      const current = members.get(name);
      if (!Array.isArray(current) || Array.isArray(ownMember(patch, name))) continue;
      const keys = identity(childSchema(schema, name));
      members.set(name, ordered(current, current, listOf(value, directive), keys));
    }
  }
}

function orderOf(patch: JsonObject, name: string): readonly Json[] | undefined {
  const order = ownMember(patch, ELEMENT_ORDER + name);
  return order === undefined ? undefined : listOf(order, ELEMENT_ORDER + name);
}

function listOf(value: Json | undefined, directive: string): readonly Json[] {
  if (!Array.isArray(value)) throw new BadPatch(`${directive} must be a list`);
  return value;
}

/** The original with only the members that `$retainKeys` names, when the patch has it. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
  const keep = ownMember(patch, RETAIN_KEYS);
  if (keep === undefined) return original;
  const names = new Set(listOf(keep, RETAIN_KEYS));
  for (const name of Object.keys(patch)) {
    if (!name.startsWith('$') && patch[name] !== null && !names.has(name)) {
      throw new BadPatch(`${name} is set but not listed in $retainKeys`);
    }
  }
  return Object.fromEntries(Object.entries(original).filter(([name]) => names.has(name)));
}

function childSchema(schema: Schema | undefined, name: string): Schema | undefined {
  const additional = schema?.additionalProperties;
  return ownMember(schema?.properties, name) ?? (typeof additional === 'object' ? additional : undefined);
}

function mergesLists(schema: Schema | undefined): boolean {
  return (schema?.['x-kubernetes-patch-strategy'] ?? '').split(',').includes('merge');
}

/** What makes two items the same: the merge key's value, or the whole item. */
function identity(schema: Schema | undefined): (item: Json) => string {
  const key = schema?.['x-kubernetes-patch-merge-key'];
  if (key === undefined) return keyText;
  return (item) => {
    const value = isJsonObject(item) ? ownMember(item, key) : undefined;
    if (value === undefined) throw new BadPatch(`a list item does not contain the merge key ${key}`);
    return keyText(value);
  };
}

/** The same text for equal values, whatever the order of their members. */
function keyText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(keyText).join()}]`;
  if (!isJsonObject(value)) return stringifyJson(value);
  const given = Object.entries(value).filter(([, member]) => member !== undefined);
  const texts = given.map(([name, member]) => `${JSON.stringify(name)}:${keyText(member ?? null)}`);
  return `{${texts.sort().join()}}`;
}

function mergeList(
  schema: Schema | undefined,
  original: readonly Json[],
  patch: readonly Json[],
  order: readonly Json[] | undefined,
): readonly Json[] {
  const directives = patch.filter((item) => isJsonObject(item) && Object.hasOwn(item, DIRECTIVE)).filter(isJsonObject);
  if (directives.some((item) => item[DIRECTIVE] === 'replace')) {
    return patch.filter((item) => !(isJsonObject(item) && item[DIRECTIVE] === 'replace')).map(clean);
  }
  const keyOf = identity(schema);
  const gone = new Set(directives.filter((item) => item[DIRECTIVE] === 'delete').map(keyOf));
  const changes = patch.filter((item) => !(isJsonObject(item) && item[DIRECTIVE] === 'delete'));
  const merged = original.filter((item) => !gone.has(keyOf(item)));
  const places = placesOf(merged, keyOf);
  for (const change of changes) {
    const key = keyOf(change);
    const at = places.get(key) ?? merged.length;
    const current = merged[at];
    if (current === undefined) {
      places.set(key, at);
      merged.push(clean(change));
    } else if (isJsonObject(current) && isJsonObject(change)) merged[at] = mergeObject(schema?.items, current, change);
  }
  return ordered(merged, original, order ?? changes, keyOf);
}

/** Where each key first stands: a request may bring lists that are too long to be searched for each item. */
function placesOf(list: readonly Json[], keyOf: (item: Json) => string): Map<string, number> {
  const places = new Map<string, number>();
  for (const [at, item] of list.entries()) {
    const key = keyOf(item);
    if (!places.has(key)) places.set(key, at);
  }
  return places;
}

/**
 * Put a merged list in order: items that the patch names follow the patch's order, the others the original's; where
 * both could be next, the original's order decides, and items that are new to it come first.
 */
function ordered(
  merged: readonly Json[],
  original: readonly Json[],
  order: readonly Json[],
  keyOf: (item: Json) => string,
): readonly Json[] {
  const ranks = placesOf(order, keyOf);
  const places = placesOf(original, keyOf);
  const items = merged.map((item) => {
    const key = keyOf(item);
    return { item, rank: ranks.get(key) ?? -1, place: places.get(key) ?? -1 };
  });
  const patched = items.filter(({ rank }) => rank >= 0).sort((a, b) => a.rank - b.rank);
  const others = items.filter(({ rank }) => rank < 0);
  const result: Json[] = [];
  let next = 0;
  for (const { item, place } of patched) {
    for (let other = others[next]; other !== undefined && other.place < place; other = others[++next]) {
      result.push(other.item);
    }
    result.push(item);
  }
  return [...result, ...others.slice(next).map(({ item }) => item)];
}

/** A value that is taken over whole: without nulls and directives. */
function clean(value: Json): Json {
  if (Array.isArray(value)) return value.filter((item: Json) => !isDeletion(item)).map(clean);
  return isJsonObject(value) ? plain(value) : value;
}

function plain(value: JsonObject): JsonObject {
  if (value[DIRECTIVE] === 'delete') return {};
  const members = Object.entries(value).filter(([name, member]) => !name.startsWith('$') && member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, clean(member ?? null)]));
}

function isDeletion(item: Json): boolean {
  return isJsonObject(item) && item[DIRECTIVE] === 'delete';
}
