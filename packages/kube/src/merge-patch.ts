import type { Json, JsonObject } from '@bloomery/model';
import { isJsonObject, jsonEqual } from '@bloomery/model';

export { jsonEqual };

/** Apply a JSON merge patch: null deletes, objects merge, everything else replaces. Inputs are not changed. RFC 7396. */
export function mergePatch(target: Json | undefined, patch: JsonObject): JsonObject;
export function mergePatch(target: Json | undefined, patch: Json): Json;
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  // A map, because a member may be called `__proto__`.
  const members = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) members.delete(name);
    else members.set(name, mergePatch(members.get(name), value));
  }
  return Object.fromEntries(members);
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
