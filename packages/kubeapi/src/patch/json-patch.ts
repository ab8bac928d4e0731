import { isJsonObject, type Json, type JsonObject, jsonEqual } from '@bloomery/model';
import { ownMember } from '../schema/field-path.ts';
import { type PatchResult, tooLarge, undecodable, unprocessable } from './patch-result.ts';

/** More operations than this are refused with 413. */
export const MAX_JSON_PATCH_OPERATIONS = 10_000;
/** `copy` may duplicate this much JSON in one patch: a few copies of copies would otherwise fill the memory. */
export const MAX_COPIED_BYTES = 3 * 1024 * 1024;

/** Thrown inside this file only: the operation does not fit the document. */
class Misfit extends Error {}
class CopyLimit extends Error {}

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
  const budget = { bytes: MAX_COPIED_BYTES };
  let document: Json = object;
  try {
    for (const operation of operations) document = step(document, operation, budget);
  } catch (error) {
    if (error instanceof CopyLimit) return tooLarge(error.message);
    if (error instanceof Misfit) return unprocessable(error.message);
    throw error;
  }
  return isJsonObject(document) ? { ok: true, object: document } : unprocessable('the result is not an object');
}

function step(document: Json, operation: JsonObject, budget: { bytes: number }): Json {
  const value = ownMember(operation, 'value') ?? null;
  if (ownMember(operation, 'path') === '' && ownMember(operation, 'op') === 'replace') return value;
  const path = pointer(operation, 'path');
  switch (ownMember(operation, 'op')) {
    case 'add':
      return change(document, path, (parent, token) => added(parent, token, value));
    case 'remove':
      return change(document, path, removed);
    case 'replace':
      return change(document, path, (parent, token) => replaced(parent, token, value));
    case 'test':
      if (!jsonEqual(read(document, path) ?? null, value)) throw new Misfit(`testing value at ${text(path)} failed`);
      return document;
    case 'move': {
      const from = pointer(operation, 'from');
      const moved = read(document, from) ?? null;
      const without = change(document, from, removed);
      return change(without, path, (parent, token) => added(parent, token, moved));
    }
    case 'copy': {
      const copied = read(document, pointer(operation, 'from')) ?? null;
      budget.bytes -= sizeUpTo(copied, budget.bytes);
      if (budget.bytes < 0) throw new CopyLimit(`copying exceeds the limit of ${MAX_COPIED_BYTES} bytes`);
      return change(document, path, (parent, token) => added(parent, token, copied));
    }
    default:
      throw new Misfit(`unexpected kind: ${String(ownMember(operation, 'op'))}`);
  }
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

/** The value at a path; undefined when the last member is absent. */
function read(document: Json, path: readonly string[]): Json | undefined {
  let value: Json | undefined = document;
  for (const token of path) {
    if (value === undefined) throw new Misfit(`nothing at ${text(path)}`);
    value = child(value, token);
  }
  return value;
}

function child(parent: Json, token: string): Json | undefined {
  if (Array.isArray(parent)) return parent[index(token, parent.length)];
  if (isJsonObject(parent)) return ownMember(parent, token);
  throw new Misfit(`${token} is looked up in a value that has no members`);
}

/** Rebuild the document along a path with its last parent changed. The path is walked in a loop, not recursively. */
function change(document: Json, path: readonly string[], apply: (parent: Json, token: string) => Json): Json {
  const parents: Json[] = [];
  let value: Json | undefined = document;
  for (const token of path.slice(0, -1)) {
    if (value === undefined) break;
    parents.push(value);
    value = child(value, token);
  }
  if (value === undefined || value === null) throw new Misfit(`nothing to change at ${text(path)}`);
  let result = apply(value, path.at(-1) ?? '');
  for (let depth = parents.length - 1; depth >= 0; depth--) {
    result = replaced(parents[depth] ?? null, path[depth] ?? '', result);
  }
  return result;
}

function added(parent: Json, token: string, value: Json): Json {
  if (Array.isArray(parent)) {
    const at = token === '-' ? parent.length : index(token, parent.length + 1);
    return parent.toSpliced(at, 0, value);
  }
  return withMember(parent, token, value);
}

function replaced(parent: Json, token: string, value: Json): Json {
  return Array.isArray(parent) ? parent.with(index(token, parent.length), value) : withMember(parent, token, value);
}

function removed(parent: Json, token: string): Json {
  if (Array.isArray(parent)) return parent.toSpliced(index(token, parent.length), 1);
  if (!isJsonObject(parent) || !Object.hasOwn(parent, token)) throw new Misfit(`nothing to remove at ${token}`);
  return Object.fromEntries(Object.entries(parent).filter(([name]) => name !== token));
}

function withMember(parent: Json, token: string, value: Json): Json {
  if (!isJsonObject(parent)) throw new Misfit(`${token} is set in a value that has no members`);
  return { ...parent, [token]: value };
}

/** A list index; negative ones count from the end. */
function index(token: string, length: number): number {
  const at = /^[+-]?\d{1,9}$/.test(token) ? Number(token) : Number.NaN;
  const resolved = at < 0 ? at + length : at;
  if (!(resolved >= 0 && resolved < length)) throw new Misfit(`index ${token} is out of bounds`);
  return resolved;
}

/** The size of a value as JSON, counted no further than just over the limit. */
function sizeUpTo(value: Json, limit: number): number {
  const pending: Json[] = [value];
  let bytes = 0;
  for (let next = pending.pop(); next !== undefined && bytes <= limit; next = pending.pop()) {
    bytes += 2;
    if (typeof next === 'string') bytes += next.length;
    else if (Array.isArray(next)) for (const item of next) pending.push(item);
    else if (isJsonObject(next)) {
      for (const [name, member] of Object.entries(next)) {
        bytes += name.length;
        pending.push(member ?? null);
      }
    }
  }
  return bytes;
}
