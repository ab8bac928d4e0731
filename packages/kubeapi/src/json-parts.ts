import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';

/** The value as an object; an empty one for anything else. */
export function record(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The value as a list; an empty one for anything else. */
export function items(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** The objects of a list; none for anything else. */
export function records(value: Json | undefined): readonly JsonObject[] {
  return items(value).filter(isJsonObject);
}

/** The value as a text; an empty one for anything else. */
export function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** The texts of a list; none for anything else. */
export function texts(value: Json | undefined): readonly string[] {
  return items(value).filter((item) => typeof item === 'string');
}

/** The object below these names; an empty one where there is none. */
export function objectAt(value: Json | undefined, ...names: readonly string[]): JsonObject {
  return record(valueAt(value, ...names));
}

/** The value below these names; undefined where there is none. */
export function valueAt(value: Json | undefined, ...names: readonly string[]): Json | undefined {
  let found = value;
  for (const name of names) found = isJsonObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  return found;
}

/** The text below these names; '' where there is none. */
export function textAt(value: Json | undefined, ...names: readonly string[]): string {
  return text(valueAt(value, ...names));
}

/** The list below these names; empty where there is none. */
export function listAt(value: Json | undefined, ...names: readonly string[]): readonly Json[] {
  return items(valueAt(value, ...names));
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
