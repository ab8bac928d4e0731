import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';

/** The value as an object; an empty one when it is none. */
export function objectAt(value: Json | undefined, ...names: readonly string[]): JsonObject {
  const found = valueAt(value, ...names);
  return isJsonObject(found) ? found : {};
}

/** The value below these names; undefined where there is none. */
export function valueAt(value: Json | undefined, ...names: readonly string[]): Json | undefined {
  let found = value;
  for (const name of names) found = isJsonObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  return found;
}

/** The text below these names; '' where there is none. */
export function textAt(value: Json | undefined, ...names: readonly string[]): string {
  const found = valueAt(value, ...names);
  return typeof found === 'string' ? found : '';
}

/** The list below these names; empty where there is none. */
export function listAt(value: Json | undefined, ...names: readonly string[]): readonly Json[] {
  const found = valueAt(value, ...names);
  return Array.isArray(found) ? found : [];
}

/** The object with the members below these names replaced by what `change` makes of them; nothing is made where there is none. */
export function changedAt(
  object: JsonObject,
  names: readonly string[],
  change: (part: JsonObject) => JsonObject,
): JsonObject {
  const [name, ...rest] = names;
  if (name === undefined) return change(object);
  const part = object[name];
  if (!isJsonObject(part)) return object;
  const changed = changedAt(part, rest, change);
  return changed === part ? object : { ...object, [name]: changed };
}
