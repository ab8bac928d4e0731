import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { ownMember } from '../schema/field-path.ts';

/** Items that insertions and removals may push along in one patch: some tenths of a second. */
export const MAX_MOVED_ITEMS = 100_000_000;

/** The operation does not fit the document. */
export class Misfit extends Error {}
/** The operations would cost too much. */
export class PatchLimit extends Error {}

type Members = Record<string, Json | undefined>;

/** A document that is changed step by step. */
export interface JsonDraft {
  root(): Json;
  setRoot(value: Json): void;
  /** The value at a path; undefined when the last member is absent. @throws Misfit when there is no way to it. */
  read(path: readonly string[]): Json | undefined;
  /** Add a member, or insert an item before an index or at the end (`-`). @throws Misfit, PatchLimit */
  add(path: readonly string[], value: Json): void;
  /** Set a member, or an item that exists. @throws Misfit */
  replace(path: readonly string[], value: Json): void;
  /** Take away a member or an item that exists. @throws Misfit, PatchLimit */
  remove(path: readonly string[]): void;
  /**
   * Say that a value will stand in a second place: a change of the one must not be seen in the other.
   *
   * @returns its size as JSON in about bytes, counted no further than just over the limit.
   */
  share(value: Json, limit: number): number;
}

/**
 * Make a draft of a document. The document itself and the values that are put in are never changed: lists and objects are copied
 * before their first change, and only then, so that ten thousand operations on one large object cost one copy of it.
 */
export function createJsonDraft(document: Json): JsonDraft {
  // Copies of this draft, which stand in one place only and may be changed.
  const lists = new WeakMap<object, Json[]>();
  const objects = new WeakMap<object, Members>();
  let root = document;
  let moved = 0;

  function ownList(list: readonly Json[]): Json[] {
    const own = lists.get(list) ?? [...list];
    lists.set(own, own);
    return own;
  }

  function ownObject(object: JsonObject): Members {
    const own = objects.get(object) ?? { ...object };
    objects.set(own, own);
    return own;
  }

  function owned(value: Json | undefined, token: string): Json[] | Members {
    if (Array.isArray(value)) return ownList(value);
    if (value !== undefined && isJsonObject(value)) return ownObject(value);
    throw new Misfit(`${token} is changed in a value that has no members`);
  }

  /** The container that the last token is about. */
  function parentOf(path: readonly string[]): Json[] | Members {
    let parent = owned(root, path[0] ?? '');
    root = parent;
    for (let depth = 0; depth + 1 < path.length; depth++) {
      const token = path[depth] ?? '';
      const own = owned(child(parent, token), path[depth + 1] ?? '');
      put(parent, token, own);
      parent = own;
    }
    return parent;
  }

  function splice(list: Json[], at: number, removed: number, values: readonly Json[]): void {
    moved += list.length - at;
    if (moved > MAX_MOVED_ITEMS) throw new PatchLimit(`the patch moves more than ${MAX_MOVED_ITEMS} items of lists`);
    list.splice(at, removed, ...values);
  }

  return {
    root: () => root,
    setRoot(value) {
      root = value;
    },
    read(path) {
      let value: Json | undefined = root;
      for (const token of path) {
        if (value === undefined) throw new Misfit(`nothing at ${token}`);
        value = child(value, token);
      }
      return value;
    },
    add(path, value) {
      const parent = parentOf(path);
      const token = path.at(-1) ?? '';
      if (!Array.isArray(parent)) put(parent, token, value);
      else if (token === '-') parent.push(value);
      else splice(parent, index(token, parent.length + 1), 0, [value]);
    },
    replace(path, value) {
      put(parentOf(path), path.at(-1) ?? '', value);
    },
    remove(path) {
      const parent = parentOf(path);
      const token = path.at(-1) ?? '';
      if (Array.isArray(parent)) return splice(parent, index(token, parent.length), 1, []);
      if (!Object.hasOwn(parent, token)) throw new Misfit(`nothing to remove at ${token}`);
      Reflect.deleteProperty(parent, token);
    },
    share(value, limit) {
      const pending: Json[] = [value];
      let bytes = 0;
      for (let next = pending.pop(); next !== undefined && bytes <= limit; next = pending.pop()) {
        bytes += 2;
        if (typeof next === 'string') bytes += next.length;
        else if (Array.isArray(next)) {
          lists.delete(next);
          for (const item of next) pending.push(item);
        } else if (isJsonObject(next)) {
          objects.delete(next);
          for (const [name, member] of Object.entries(next)) {
            bytes += name.length;
            pending.push(member ?? null);
          }
        }
      }
      return bytes;
    },
  };
}

function child(parent: Json, token: string): Json | undefined {
  if (Array.isArray(parent)) return parent[index(token, parent.length)];
  if (isJsonObject(parent)) return ownMember(parent, token);
  throw new Misfit(`${token} is looked up in a value that has no members`);
}

function put(parent: Json[] | Members, token: string, value: Json): void {
  if (Array.isArray(parent)) parent[index(token, parent.length)] = value;
  // An assignment would change the prototype.
  else if (token === '__proto__') {
    Object.defineProperty(parent, token, { value, writable: true, enumerable: true, configurable: true });
  } else parent[token] = value;
}

/** A list index; negative ones count from the end. */
function index(token: string, length: number): number {
  const at = /^[+-]?\d{1,9}$/.test(token) ? Number(token) : Number.NaN;
  const resolved = at < 0 ? at + length : at;
  if (!(resolved >= 0 && resolved < length)) throw new Misfit(`index ${token} is out of bounds`);
  return resolved;
}
