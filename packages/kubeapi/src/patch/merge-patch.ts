import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { type PatchResult, undecodable } from './patch-result.ts';

/**
 * Apply a JSON merge patch.
 *
 * @see RFC 7386 section 2
 * @returns a 400 refusal when the patch is not an object.
 */
export function applyMergePatch(object: JsonObject, patch: Json): PatchResult {
  if (!isJsonObject(patch)) return undecodable(patch, 'map[string]interface {}');
  return { ok: true, object: merge(object, patch) };
}

function merge(target: Json | undefined, patch: JsonObject): JsonObject {
  const members = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [name, change] of Object.entries(patch)) {
    if (change === undefined) continue;
    if (change === null) members.delete(name);
    else members.set(name, isJsonObject(change) ? merge(members.get(name), change) : change);
  }
  return Object.fromEntries(members);
}
