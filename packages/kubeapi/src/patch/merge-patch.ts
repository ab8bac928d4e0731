import { mergePatch } from '@bloomery/kube';
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
  return { ok: true, object: mergePatch(object, patch) };
}
