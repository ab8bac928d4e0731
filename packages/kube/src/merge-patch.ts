import type { Json, JsonObject } from '@bloomery/model';
import { isJsonObject } from '@bloomery/model';

/** Apply a JSON merge patch: null deletes, objects merge, everything else replaces. Inputs are not changed. RFC 7396. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const result: Record<string, Json | undefined> = isJsonObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

/**
 * The merge patch that turns `from` into `to`, or undefined when they are equal. Fields whose value in `to` is undefined
 * count as absent. Applying the result to `from` gives `to`.
 */
export function diffMergePatch(from: JsonObject, to: JsonObject): JsonObject | undefined {
  const patch: Record<string, Json> = {};
  for (const [name, want] of Object.entries(to)) {
    const have = from[name];
    if (want === undefined || jsonEqual(have, want)) continue;
    if (isJsonObject(have) && isJsonObject(want)) patch[name] = diffMergePatch(have, want) ?? {};
    else patch[name] = want;
  }
  for (const [name, have] of Object.entries(from)) {
    if (have !== undefined && to[name] === undefined) patch[name] = null;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** Deep equality of JSON values; absent and undefined properties are the same. */
export function jsonEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => jsonEqual(item, b[i]));
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  for (const name of Object.keys(a)) if (!jsonEqual(a[name], b[name])) return false;
  return Object.keys(b).every((name) => b[name] === undefined || a[name] !== undefined);
}
