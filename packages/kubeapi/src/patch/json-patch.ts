import { isJsonObject, type Json, type JsonObject, jsonEqual } from '@bloomery/model';
import { ownMember } from '../schema/field-path.ts';
import { createJsonDraft, type JsonDraft, Misfit, PatchLimit } from './json-draft.ts';
import { type PatchResult, tooLarge, undecodable, unprocessable } from './patch-result.ts';

/** More operations than this are refused with 413. */
export const MAX_JSON_PATCH_OPERATIONS = 10_000;
/** `copy` may duplicate this much JSON in one patch: a few copies of copies would otherwise fill the memory. */
export const MAX_COPIED_BYTES = 3 * 1024 * 1024;

/** As deep as a body may be: operations could nest deeper, and what reads the result walks it by calls. */
const MAX_DEPTH = 200;

/**
 * Apply a JSON patch: all operations or none.
 *
 * As kube-apiserver does it: `replace` of an absent member adds it, `test` of an absent path against null passes,
 * negative indices count from the end, the root itself can only be replaced.
 *
 * @see RFC 6902
 */
export function applyJsonPatch(object: JsonObject, patch: Json): PatchResult {
  if (patch === null) return { ok: true, object };
  if (!Array.isArray(patch)) return undecodable(patch, 'jsonpatch.Patch');
  const operations: readonly Json[] = patch;
  if (operations.length > MAX_JSON_PATCH_OPERATIONS) {
    const limit = `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_JSON_PATCH_OPERATIONS}`;
    return tooLarge(`${limit}, got ${operations.length}`);
  }
  const wrong = operations.find((operation) => !isJsonObject(operation));
  if (wrong !== undefined) return undecodable(wrong, 'jsonpatch.Operation');
  const unnamed = operations.filter(isJsonObject).find(({ op }) => op !== undefined && typeof op !== 'string');
  if (unnamed !== undefined) return undecodable(unnamed['op'] ?? null, 'string');
  return run(object, operations.filter(isJsonObject));
}

function run(object: JsonObject, operations: readonly JsonObject[]): PatchResult {
  const draft = createJsonDraft(object);
  const budget = { bytes: MAX_COPIED_BYTES };
  try {
    for (const operation of operations) step(draft, operation, budget);
  } catch (error) {
    if (error instanceof PatchLimit) return tooLarge(error.message);
    if (error instanceof Misfit) return unprocessable(error.message);
    throw error;
  }
  const document = draft.root();
  if (isDeeper(document, MAX_DEPTH)) return unprocessable(`the result is nested deeper than ${MAX_DEPTH} levels`);
  return isJsonObject(document) ? { ok: true, object: document } : unprocessable('the result is not an object');
}

function step(draft: JsonDraft, operation: JsonObject, budget: { bytes: number }): void {
  const value = ownMember(operation, 'value') ?? null;
  if (ownMember(operation, 'path') === '' && ownMember(operation, 'op') === 'replace') {
    draft.setRoot(value);
    return;
  }
  const path = pointer(operation, 'path');
  switch (ownMember(operation, 'op')) {
    case 'add':
      draft.add(path, value);
      return;
    case 'remove':
      draft.remove(path);
      return;
    case 'replace':
      draft.replace(path, value);
      return;
    case 'test':
      if (jsonEqual(draft.read(path) ?? null, value)) return;
      throw new Misfit(`testing value at ${text(path)} failed`);
    case 'move': {
      const from = pointer(operation, 'from');
      const moved = draft.read(from) ?? null;
      draft.remove(from);
      draft.add(path, moved);
      return;
    }
    case 'copy': {
      const copied = draft.read(pointer(operation, 'from')) ?? null;
      budget.bytes -= draft.share(copied, budget.bytes);
      if (budget.bytes < 0) throw new PatchLimit(`copying exceeds the limit of ${MAX_COPIED_BYTES} bytes`);
      draft.add(path, copied);
      return;
    }
    default:
      throw new Misfit(`unexpected kind: ${String(ownMember(operation, 'op'))}`);
  }
}

/** Level by level: the value may be deeper than calls can be nested. */
function isDeeper(value: Json, limit: number): boolean {
  let level: readonly Json[] = [value];
  for (let depth = 0; depth <= limit && level.length > 0; depth++) {
    const below: Json[] = [];
    for (const parent of level) {
      if (Array.isArray(parent)) for (const item of parent) below.push(item);
      else if (isJsonObject(parent)) for (const member of Object.values(parent)) below.push(member ?? null);
    }
    level = below;
  }
  return level.length > 0;
}

/** A JSON pointer in its tokens. */
function pointer(operation: JsonObject, member: 'path' | 'from'): readonly string[] {
  const path = ownMember(operation, member);
  if (typeof path !== 'string' || !path.includes('/')) throw new Misfit(`the operation has no usable ${member}`);
  // What stands before the first slash is nothing to kube-apiserver either.
  return path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function text(path: readonly string[]): string {
  return path.map((token) => `/${token}`).join('');
}
