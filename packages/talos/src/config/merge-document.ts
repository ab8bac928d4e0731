import { BloomeryError } from '@bloomery/ports';
import {
  entriesOf,
  field,
  isYamlList,
  isYamlMap,
  kubeJson,
  PlainScalar,
  scalarString,
  type YamlMap,
  type YamlTree,
} from '../yaml/index.ts';
import { mergeGoUrls } from './go-url.ts';
import { fieldNamed, type KeyedList, type Shape } from './type-table.ts';

/** Any value, without a type: unknown fields and documents. */
export const FREE: Shape = { is: 'free', object: false };

export interface MergeOptions {
  /** Refuse where the kinds of both values differ; otherwise the patch wins. */
  readonly strict: boolean;
}

/**
 * Talos' strategic merge of `patch` into `base` (spec/cluster.md section 6): scalars overwrite unless they are zero values
 * that no pointer holds, maps merge, lists append or merge by key. Neither argument is changed. Fields that the type does not
 * know are merged by what they are.
 *
 * @throws BloomeryError BLM_TALOS_PATCH_INVALID on a clash of kinds when strict.
 */
export function mergeShape(
  shape: Shape,
  base: YamlTree | undefined,
  patch: YamlTree | undefined,
  options: MergeOptions,
): YamlTree | undefined {
  return merge({ ...options, path: '' }, shape, base, patch, false);
}

interface Context extends MergeOptions {
  readonly path: string;
}

function clash(context: Context, base: YamlTree, patch: YamlTree): YamlTree {
  if (!context.strict) return patch;
  throw new BloomeryError(
    'BLM_TALOS_PATCH_INVALID',
    `merging a patch at ${context.path.slice(1, 200)}: ${kindName(patch)} cannot be merged into ${kindName(base)}`,
  );
}

function kindName(tree: YamlTree): string {
  if (isYamlMap(tree)) return 'a mapping';
  if (isYamlList(tree)) return 'a list';
  const json = kubeJson(tree);
  if (typeof json === 'number') return Number.isInteger(json) ? 'a whole number' : 'a number';
  return json === null ? 'null' : `a ${typeof json === 'bigint' ? 'whole number' : typeof json}`;
}

function merge(
  context: Context,
  shape: Shape,
  base: YamlTree | undefined,
  patch: YamlTree | undefined,
  held: boolean,
): YamlTree | undefined {
  if (patch === undefined || patch === null) return base;
  if (base === undefined || base === null) {
    // Talos merges keyed lists into nothing too: elements of one key become one.
    return shape.is === 'list' && shape.keyed !== undefined && isYamlList(patch)
      ? mergeKeyed(context, shape.keyed, shape.of, [], patch)
      : patch;
  }
  switch (shape.is) {
    case 'pointer':
      return merge(context, shape.of, base, patch, true);
    case 'custom':
      if (isUrlType(shape.name)) return mergeUrl(base, patch);
      return !held && isZeroScalar(patch) ? base : patch;
    case 'scalar':
      return !held && isZeroScalar(patch) ? base : patch;
    case 'struct':
      return isYamlMap(base) && isYamlMap(patch)
        ? mergeStruct(context, shape.name, base, patch)
        : clash(context, base, patch);
    case 'list':
      if (!isYamlList(base) || !isYamlList(patch)) return clash(context, base, patch);
      return shape.keyed === undefined ? [...base, ...patch] : mergeKeyed(context, shape.keyed, shape.of, base, patch);
    case 'map':
      if (!isYamlMap(base) || !isYamlMap(patch)) return clash(context, base, patch);
      return mergeMap(context, shape.of, shape.replaceValues, base, patch);
    case 'free':
      return mergeFree(context, base, patch);
  }
}

const isUrlType = (name: string): boolean => name === 'v1alpha1.Endpoint' || name === 'meta.URL';

/** Talos merges URLs part by part: what the patch leaves out (path, query) stays as it was. */
function mergeUrl(base: YamlTree, patch: YamlTree): YamlTree {
  return typeof base === 'string' && typeof patch === 'string' ? mergeGoUrls(base, patch) : patch;
}

function isZeroScalar(tree: YamlTree): boolean {
  return (
    tree === '' ||
    tree === 0 ||
    tree === false ||
    tree === '0s' ||
    (tree instanceof PlainScalar && kubeJson(tree) === 0)
  );
}

function mergeStruct(context: Context, name: string, base: YamlMap, patch: YamlMap): YamlTree {
  const merged = new Map(entriesOf(base));
  for (const [key, value] of entriesOf(patch)) {
    const known = fieldNamed(name, key);
    const own = merged.get(key);
    const inner = { ...context, path: `${context.path}.${key}` };
    const replaces = known?.replace === true && value !== null && !(isYamlMap(value) && entriesOf(value).length === 0);
    merged.set(key, replaces ? value : (merge(inner, known?.shape ?? FREE, own, value, false) ?? value));
  }
  return Object.fromEntries(merged);
}

function mergeMap(context: Context, of: Shape, replaceValues: boolean, base: YamlMap, patch: YamlMap): YamlTree {
  const merged = new Map(entriesOf(base));
  for (const [key, value] of entriesOf(patch)) {
    const own = merged.get(key);
    const inner = { ...context, path: `${context.path}.${key}` };
    merged.set(key, own === undefined || replaceValues ? value : (merge(inner, of, own, value, false) ?? value));
  }
  return Object.fromEntries(merged);
}

function mergeFree(context: Context, base: YamlTree, patch: YamlTree): YamlTree {
  if (isYamlMap(base) && isYamlMap(patch)) return mergeMap(context, FREE, false, base, patch);
  if (isYamlList(base) && isYamlList(patch)) return [...base, ...patch];
  return kindName(base) === kindName(patch) ? patch : clash(context, base, patch);
}

function mergeKeyed(
  context: Context,
  keyed: KeyedList,
  of: Shape,
  base: readonly YamlTree[],
  patch: readonly YamlTree[],
): YamlTree {
  const merged: YamlTree[] = [];
  const places = new Map<string, number>();
  // Verification rules are looked for among those of the base only, the last one of an image first.
  const areRules = keyed === 'verificationRules';
  const put = (item: YamlTree, isKnown = !areRules): void => {
    for (const name of isKnown ? elementNames(keyed, item) : []) {
      if (areRules || !places.has(name)) places.set(name, merged.length);
    }
    merged.push(item);
  };
  for (const item of base) put(item, true);
  for (const item of patch) {
    const [name = ''] = elementNames(keyed, item);
    const at = places.get(name) ?? -1;
    const own = merged[at];
    if (own === undefined) put(item);
    else if (areRules) merged[at] = item;
    else merged[at] = merge({ ...context, path: `${context.path}.${at}` }, of, own, item, true) ?? own;
  }
  return merged;
}

const KEYS: Readonly<Record<KeyedList, string>> = {
  interfaces: 'interface',
  vlans: 'vlanId',
  admissionPlugins: 'name',
  configFiles: 'mountPath',
  verificationRules: 'image',
};

/** What an element answers to; it is looked for by the first. An interface also answers to its selector. */
function elementNames(keyed: KeyedList, item: YamlTree): string[] {
  if (!isYamlMap(item)) return [];
  const key = scalarString(field(item, KEYS[keyed])) ?? '';
  if (keyed !== 'interfaces') return [`=${key}`];
  const selector = field(item, 'deviceSelector');
  // Talos compares selectors by value, and `physical` by where it is kept: a selector with it equals no other.
  const hasName = isYamlMap(selector) && field(selector, 'physical') === undefined;
  return [...(key === '' ? [] : [`=${key}`]), ...(hasName ? [`?${canonical(selector)}`] : [])];
}

/** Deep equality of trees as JSON, regardless of the order of keys. */
export function isSameTree(a: YamlTree | undefined, b: YamlTree | undefined): boolean {
  return canonical(a) === canonical(b);
}

function canonical(tree: YamlTree | undefined): string {
  if (tree === undefined) return 'undefined';
  return JSON.stringify(kubeJson(tree), (_key, value: unknown) => {
    if (typeof value === 'bigint') return `bigint ${value}`;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)));
  });
}
