import { BloomeryError } from '@bloomery/ports';
import {
  entriesOf,
  field,
  isYamlList,
  isYamlMap,
  scalarString,
  withField,
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
  return operations.reduce((tree, operation, index) => {
    try {
      return applyOperation(tree, operation);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const where = `operation ${index + 1} (${operation.op.slice(0, 20)} ${(operation.path ?? '').slice(0, 200)})`;
      throw new BloomeryError('BLM_TALOS_PATCH_INVALID', `applying JSON patch: ${where}: ${error.message}`);
    }
  }, document);
}

class Refusal extends Error {}

function applyOperation(tree: YamlTree, operation: PatchOperation): YamlTree {
  const { op, path } = operation;
  switch (op) {
    case 'add':
    case 'replace':
      return write(tree, pointer(path), op, operation.value ?? null);
    case 'remove':
      return write(tree, nonEmpty(pointer(path)), 'remove', null);
    case 'test':
      return test(tree, operation);
    case 'move': {
      const from = nonEmpty(pointer(operation.from));
      const value = existing(tree, from);
      return write(write(tree, from, 'remove', null), pointer(path), 'add', value);
    }
    case 'copy':
      return write(tree, pointer(path), 'add', existing(tree, pointer(operation.from)));
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

type Write = 'add' | 'replace' | 'remove';

function write(tree: YamlTree, path: readonly string[], how: Write, value: YamlTree): YamlTree {
  const [token, ...rest] = path;
  if (token === undefined) {
    if (how === 'replace') return value;
    throw new Refusal('the path is empty');
  }
  if (isYamlMap(tree)) return writeKey(tree, token, rest, how, value);
  if (isYamlList(tree)) return writeIndex(tree, token, rest, how, value);
  throw new Refusal('missing parent');
}

function writeKey(map: YamlMap, key: string, rest: readonly string[], how: Write, value: YamlTree): YamlTree {
  const own = field(map, key);
  if (rest.length > 0) {
    if (own === undefined || own === null) throw new Refusal('missing parent');
    return withField(map, key, write(own, rest, how, value));
  }
  if (how === 'remove') {
    if (own === undefined) throw new Refusal('nothing to remove');
    return Object.fromEntries(entriesOf(map).filter(([name]) => name !== key));
  }
  return withField(map, key, value);
}

function writeIndex(
  list: readonly YamlTree[],
  token: string,
  rest: readonly string[],
  how: Write,
  value: YamlTree,
): YamlTree {
  if (rest.length === 0 && how === 'add') {
    const at = token === '-' ? list.length : index(token, list.length + 1);
    if (at === undefined) throw new Refusal(`no place in a list of ${list.length}`);
    return list.toSpliced(at, 0, value);
  }
  const at = index(token, list.length);
  const own = at === undefined ? undefined : list[at];
  if (at === undefined || own === undefined) throw new Refusal(`nothing at this place of a list of ${list.length}`);
  if (rest.length > 0) return list.with(at, write(own, rest, how, value));
  return how === 'remove' ? list.toSpliced(at, 1) : list.with(at, value);
}
