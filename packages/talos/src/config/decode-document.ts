import { formatGoDuration, parseGoDuration } from '@bloomery/wire';
import { goBoolean, goFloat, goInteger } from '../yaml/go-scalars.ts';
import {
  entriesOf,
  isYamlList,
  isYamlMap,
  PlainScalar,
  scalarString,
  talosJson,
  type YamlTree,
} from '../yaml/index.ts';
import { readCustomScalar } from './custom-scalar.ts';
import { type ScalarKind, type Shape, TALOS_TYPES, type TypeTable } from './type-table.ts';

/** Something in a document that its type does not allow. `path` is dotted (`machine.network.interfaces.0.mtu`). */
export interface DecodeProblem {
  readonly path: string;
  readonly why: string;
}

const MAX_PROBLEMS = 50;

/**
 * Read a tree by its type, as Talos' strict loader does: unknown keys and wrong kinds are problems. Values come out in
 * normal form: zero values that no pointer holds are left out, custom scalars are as Talos writes them.
 *
 * @param problems appended to, at most 50. Never quotes values.
 */
export function decodeShape(
  shape: Shape,
  tree: YamlTree,
  path: string,
  problems: DecodeProblem[],
  types: TypeTable = TALOS_TYPES,
): YamlTree | undefined {
  return decode({ problems, types }, shape, tree, path, false);
}

interface Context {
  readonly types: TypeTable;
  readonly problems: DecodeProblem[];
}

function refuse(context: Context, path: string, why: string): undefined {
  if (context.problems.length < MAX_PROBLEMS) context.problems.push({ path, why });
  return undefined;
}

/** `keepZero`: zero values matter here, because a pointer, list or map holds them. */
function decode(context: Context, shape: Shape, tree: YamlTree, path: string, keepZero: boolean): YamlTree | undefined {
  switch (shape.is) {
    case 'pointer':
      return tree === null ? undefined : decode(context, shape.of, tree, path, true);
    case 'scalar':
      return decodeScalar(context, shape, tree, path, keepZero);
    case 'custom':
      return decodeCustom(context, shape.name, tree, path, keepZero);
    case 'struct':
      return decodeStruct(context, shape.name, tree, path, keepZero);
    case 'list':
      return decodeList(context, shape.of, shape.lone === true && isYamlMap(tree) ? [tree] : tree, path);
    case 'map':
      return decodeMap(context, shape.of, tree, path);
    case 'free':
      return decodeFree(context, shape.object, tree, path);
  }
}

function decodeStruct(
  context: Context,
  name: string,
  tree: YamlTree,
  path: string,
  keepZero: boolean,
): YamlTree | undefined {
  if (tree === null) return keepZero ? {} : undefined;
  if (!isYamlMap(tree)) return refuse(context, path, 'expected a mapping');
  const entries: [string, YamlTree][] = [];
  for (const [key, value] of entriesOf(tree)) {
    const at = path === '' ? key : `${path}.${key}`;
    const found = context.types.fieldNamed(name, key);
    if (found === undefined) refuse(context, at.slice(0, 200), 'unknown key');
    else {
      const decoded = decode(context, found.shape, value, at, false);
      if (decoded !== undefined) entries.push([key, decoded]);
    }
  }
  return entries.length === 0 && !keepZero ? undefined : Object.fromEntries(entries);
}

function decodeList(context: Context, of: Shape, tree: YamlTree, path: string): YamlTree | undefined {
  if (tree === null) return undefined;
  if (!isYamlList(tree)) return refuse(context, path, 'expected a list');
  const items = tree.map((item, index) =>
    item === null ? undefined : decode(context, of, item, `${path}.${index}`, true),
  );
  return items.filter((item) => item !== undefined);
}

function decodeMap(context: Context, of: Shape, tree: YamlTree, path: string): YamlTree | undefined {
  if (tree === null) return undefined;
  if (!isYamlMap(tree)) return refuse(context, path, 'expected a mapping');
  return Object.fromEntries(
    entriesOf(tree).map(([key, value]) => [key, decode(context, of, value, `${path}.${key}`, true) ?? null]),
  );
}

function decodeFree(context: Context, object: boolean, tree: YamlTree, path: string): YamlTree | undefined {
  if (tree === null) return undefined;
  if (object && !isYamlMap(tree)) return refuse(context, path, 'expected a mapping');
  return talosJson(tree);
}

function decodeCustom(
  context: Context,
  name: string,
  tree: YamlTree,
  path: string,
  keepZero: boolean,
): YamlTree | undefined {
  if (tree === null) return undefined;
  const read = readCustomScalar(name, tree);
  if ('problem' in read) return refuse(context, path, read.problem);
  if (!keepZero && read.isZero === true) return undefined;
  return read.value === undefined && keepZero ? '' : read.value;
}

function decodeScalar(
  context: Context,
  shape: { readonly of: ScalarKind; readonly bits: number },
  tree: YamlTree,
  path: string,
  keepZero: boolean,
): YamlTree | undefined {
  const zero = shape.of === 'string' ? '' : shape.of === 'bool' ? false : 0;
  if (tree === null) return keepZero ? zero : undefined;
  const value = readScalar(shape, tree);
  if (value === undefined) return refuse(context, path, `expected ${SCALAR_NAMES[shape.of]}`);
  const isZero = value === zero || value === '0s';
  return isZero && !keepZero ? undefined : value;
}

const SCALAR_NAMES: Readonly<Record<ScalarKind, string>> = {
  string: 'a string',
  bool: 'a boolean',
  int: 'a whole number',
  uint: 'a whole number that is not negative',
  duration: 'a duration such as 1m30s',
};

function readScalar(shape: { readonly of: ScalarKind; readonly bits: number }, tree: YamlTree): YamlTree | undefined {
  switch (shape.of) {
    case 'string':
      return scalarString(tree);
    case 'bool':
      return typeof tree === 'boolean' ? tree : readBoolean(tree);
    case 'duration': {
      const nanoseconds =
        typeof tree === 'string'
          ? parseGoDuration(tree)
          : tree instanceof PlainScalar
            ? parseGoDuration(tree.text)
            : undefined;
      return nanoseconds === undefined ? undefined : formatGoDuration(nanoseconds);
    }
    default:
      return readInteger(shape.of === 'uint', shape.bits, tree);
  }
}

function readBoolean(tree: YamlTree): boolean | undefined {
  if (tree instanceof PlainScalar) return goBoolean(tree.text);
  return typeof tree === 'string' && !/^(true|false)$/i.test(tree) ? goBoolean(tree) : undefined;
}

function readInteger(unsigned: boolean, bits: number, tree: YamlTree): number | bigint | undefined {
  const value = wholeNumber(tree);
  if (value === undefined) return undefined;
  const limit = 2n ** BigInt(unsigned ? bits : bits - 1);
  if (value >= limit || value < (unsigned ? 0n : -limit)) return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function wholeNumber(tree: YamlTree): bigint | undefined {
  if (typeof tree === 'bigint') return tree;
  if (typeof tree === 'number') return Number.isInteger(tree) ? BigInt(tree) : undefined;
  if (!(tree instanceof PlainScalar)) return undefined;
  const integer = goInteger(tree.text);
  if (integer !== undefined) return integer;
  const float = goFloat(tree.text);
  return float !== undefined && Number.isSafeInteger(float) ? BigInt(float) : undefined;
}
