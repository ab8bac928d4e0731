import { BloomeryError } from '@bloomery/ports';
import {
  createFieldWriter,
  entriesOf,
  type FieldWriter,
  field,
  isYamlList,
  isYamlMap,
  scalarString,
  type YamlMap,
  type YamlTree,
} from '../yaml/index.ts';
import { isSameTree } from './merge-document.ts';

/** One operation in Talos' dialect of RFC 6902. `value` undefined means that the key is absent. */
export interface PatchOperation {
  readonly op: string;
  readonly path: string | undefined;
  readonly from: string | undefined;
  readonly value: YamlTree | undefined;
}

const MAX_PATH_CHARACTERS = 4096;
const MAX_OPERATIONS = 10_000;
/** All `copy` operations of a patch together: each may double what is there. */
const MAX_COPIED_VALUES = 200_000;

/** Read a list of operations. @returns undefined when it is no list of mappings. Bad operations are found by `applyOperations`. */
export function readOperations(tree: YamlTree | undefined): PatchOperation[] | undefined {
  if (!isYamlList(tree) || tree.length > MAX_OPERATIONS) return undefined;
  const operations: PatchOperation[] = [];
  for (const item of tree) {
    if (!isYamlMap(item)) return undefined;
    operations.push({
      op: scalarString(field(item, 'op')) ?? 'unknown',
      path: scalarString(field(item, 'path')),
      from: scalarString(field(item, 'from')),
      value: field(item, 'value'),
    });
  }
  return operations;
}

/**
 * Apply operations in order, as Talos does (spec/boot.md section 6): negative list indices count from the end, `replace` of
 * a missing map key adds it, a missing parent or list index is an error. The document is not changed.
 *
 * @throws BloomeryError BLM_TALOS_PATCH_INVALID naming the operation and the path; values are never quoted.
 */
export function applyOperations(document: YamlTree, operations: readonly PatchOperation[]): YamlTree {
  const work: Work = { set: createFieldWriter(), copied: 0 };
  return operations.reduce((tree, operation, index) => {
    try {
      return applyOperation(work, tree, operation);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const where = `operation ${index + 1} (${operation.op.slice(0, 20)} ${(operation.path ?? '').slice(0, 200)})`;
      throw new BloomeryError('BLM_TALOS_PATCH_INVALID', `applying JSON patch: ${where}: ${error.message}`);
    }
  }, document);
}

class Refusal extends Error {}

/** What one run over all operations keeps. */
interface Work {
  readonly set: FieldWriter;
  /** Values that were copied until now. */
  copied: number;
}

function applyOperation(work: Work, tree: YamlTree, operation: PatchOperation): YamlTree {
  const { op, path } = operation;
  const { set } = work;
  switch (op) {
    case 'add':
    case 'replace':
      return write(tree, pointer(path), { how: op, value: operation.value ?? null, set });
    case 'remove':
      return write(tree, nonEmpty(pointer(path)), { how: 'remove', value: null, set });
    case 'test':
      return test(tree, operation);
    case 'move': {
      const from = nonEmpty(pointer(operation.from));
      const value = existing(tree, from);
      const without = write(tree, from, { how: 'remove', value: null, set });
      return write(without, pointer(path), { how: 'add', value, set });
    }
    case 'copy': {
      const value = copied(work, existing(tree, pointer(operation.from)));
      return write(tree, pointer(path), { how: 'add', value, set });
    }
    default:
      throw new Refusal('unknown operation');
  }
}

function test(tree: YamlTree, operation: PatchOperation): YamlTree {
  const found = read(tree, pointer(operation.path));
  if (found === undefined && operation.value === undefined) return tree;
  if (found === undefined || !isSameTree(found, operation.value ?? null)) throw new Refusal('test failed');
  return tree;
}

function pointer(path: string | undefined): readonly string[] {
  if (path === undefined) throw new Refusal('path is missing');
  if (path.length > MAX_PATH_CHARACTERS) throw new Refusal('path is too long');
  if (path === '') return [];
  if (!path.startsWith('/')) throw new Refusal('path does not start with /');
  return path
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function nonEmpty(path: readonly string[]): readonly string[] {
  if (path.length === 0) throw new Refusal('the whole document cannot be removed');
  return path;
}

function existing(tree: YamlTree, path: readonly string[]): YamlTree {
  const found = read(tree, path);
  if (found === undefined) throw new Refusal('nothing at from');
  return found;
}

/** A value of its own: what is changed at one place later stays as it is at the other. */
function copied(work: Work, tree: YamlTree): YamlTree {
  work.copied += 1;
  if (work.copied > MAX_COPIED_VALUES) throw new Refusal(`more than ${MAX_COPIED_VALUES} values are copied`);
  if (isYamlList(tree)) return tree.map((item) => copied(work, item));
  if (!isYamlMap(tree)) return tree;
  return Object.fromEntries(entriesOf(tree).map(([key, value]) => [key, copied(work, value)]));
}

function read(tree: YamlTree | undefined, path: readonly string[]): YamlTree | undefined {
  let at = tree;
  for (const token of path) {
    if (isYamlMap(at)) at = field(at, token);
    else if (isYamlList(at)) at = at[index(token, at.length) ?? -1];
    else return undefined;
  }
  return at;
}

/** A list index; negative ones count from the end. undefined when it is none or outside. */
function index(token: string, length: number): number | undefined {
  if (!/^-?\d{1,9}$/.test(token)) return undefined;
  const number = Number(token);
  const at = number < 0 ? length + number : number;
  return at >= 0 && at < length ? at : undefined;
}

interface Write {
  readonly how: 'add' | 'replace' | 'remove';
  readonly value: YamlTree;
  readonly set: FieldWriter;
}

function write(tree: YamlTree, path: readonly string[], change: Write): YamlTree {
  const [token, ...rest] = path;
  if (token === undefined) {
    if (change.how === 'replace') return change.value;
    throw new Refusal('the path is empty');
  }
  if (isYamlMap(tree)) return writeKey(tree, token, rest, change);
  if (isYamlList(tree)) return writeIndex(tree, token, rest, change);
  throw new Refusal('missing parent');
}

function writeKey(map: YamlMap, key: string, rest: readonly string[], change: Write): YamlTree {
  const { how, value, set } = change;
  const own = field(map, key);
  if (rest.length > 0) {
    if (own === undefined || own === null) throw new Refusal('missing parent');
    return set(map, key, write(own, rest, change));
  }
  if (how === 'remove') {
    if (own === undefined) throw new Refusal('nothing to remove');
    return set(map, key, undefined);
  }
  return set(map, key, value);
}

function writeIndex(list: readonly YamlTree[], token: string, rest: readonly string[], change: Write): YamlTree {
  const { how, value } = change;
  if (rest.length === 0 && how === 'add') {
    const at = token === '-' ? list.length : index(token, list.length + 1);
    if (at === undefined) throw new Refusal(`no place in a list of ${list.length}`);
    return list.toSpliced(at, 0, value);
  }
  const at = index(token, list.length);
  const own = at === undefined ? undefined : list[at];
  if (at === undefined || own === undefined) throw new Refusal(`nothing at this place of a list of ${list.length}`);
  if (rest.length > 0) return list.with(at, write(own, rest, change));
  return how === 'remove' ? list.toSpliced(at, 1) : list.with(at, value);
}
