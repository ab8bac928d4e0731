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
import { type ConfigDocument, type DocumentIdentity, identityText, isSameDocument } from './config-document.ts';
import { fieldNamed, type Shape } from './type-table.ts';

/** One step into a document: a key, or the first list element whose `key` is `value`. */
type Step = { readonly key: string } | { readonly match: { readonly key: string; readonly value: string } };

/** Something that a patch with `$patch: delete` removes. An empty path removes the whole document. */
export interface Deletion {
  readonly path: readonly Step[];
}

/** A patch document without its deletions, and these. */
export interface SplitPatch {
  /** undefined when nothing but deletions was there. */
  readonly rest: YamlMap | undefined;
  readonly deletions: readonly Deletion[];
}

const DIRECTIVE = '$patch';
const MAX_DELETIONS = 10_000;

/**
 * Take `$patch: delete` out of a patch document.
 *
 * @throws BloomeryError BLM_TALOS_PATCH_INVALID where Talos does not allow it.
 */
export function splitDeletions(document: YamlMap): SplitPatch {
  if (!isDeletion(document)) {
    const deletions: Deletion[] = [];
    const rest = takeOut(document, [], deletions);
    if (deletions.length > MAX_DELETIONS) throw refusal(`${deletions.length} are more than ${MAX_DELETIONS}`);
    return { rest: deletions.length > 0 && rest === undefined ? undefined : isYamlMap(rest) ? rest : {}, deletions };
  }
  if (
    scalarString(field(document, 'apiVersion')) === undefined ||
    scalarString(field(document, 'kind')) === undefined
  ) {
    throw refusal('deleting a whole document needs its apiVersion and kind');
  }
  return { rest: undefined, deletions: [{ path: [] }] };
}

const isDeletion = (tree: YamlTree): tree is YamlMap => isYamlMap(tree) && field(tree, DIRECTIVE) === 'delete';

/** @returns undefined when deletions left nothing. */
function takeOut(tree: YamlTree, path: readonly Step[], deletions: Deletion[]): YamlTree | undefined {
  const before = deletions.length;
  if (isYamlMap(tree)) {
    const kept: [string, YamlTree][] = [];
    for (const [key, value] of entriesOf(tree)) {
      const at = [...path, { key }];
      if (!isDeletion(value)) {
        const left = takeOut(value, at, deletions);
        if (left !== undefined) kept.push([key, left]);
      } else if (path.some((step) => 'match' in step))
        throw refusal(`deleting a key inside a list element (${pathText(at)})`);
      else deletions.push({ path: at });
    }
    return kept.length === 0 && deletions.length > before ? undefined : Object.fromEntries(kept);
  }
  if (!isYamlList(tree)) return tree;
  const kept: YamlTree[] = [];
  for (const item of tree) {
    const step = elementStep(item);
    if (isDeletion(item)) {
      if (step === undefined) throw refusal(`deleting a list element needs a key that names it (${pathText(path)})`);
      deletions.push({ path: [...path, step] });
    } else {
      const left = takeOut(item, [...path, step ?? { match: { key: '', value: '' } }], deletions);
      if (left !== undefined) kept.push(left);
    }
  }
  return kept.length === 0 && deletions.length > before ? undefined : kept;
}

function elementStep(item: YamlTree): Step | undefined {
  const named = isYamlMap(item) ? entriesOf(item).find(([key]) => key !== DIRECTIVE) : undefined;
  return named === undefined ? undefined : { match: { key: named[0], value: scalarString(named[1]) ?? '' } };
}

/**
 * Remove what the deletions of one patch document name.
 *
 * @returns the documents without it.
 * @throws BloomeryError BLM_TALOS_PATCH_INVALID when it is not there (a field that its type knows may be absent).
 */
export function applyDeletions(
  documents: readonly ConfigDocument[],
  identity: DocumentIdentity,
  deletions: readonly Deletion[],
): ConfigDocument[] {
  if (deletions.length === 0) return [...documents];
  const at = documents.findIndex((document) => isSameDocument(document, identity));
  const document = documents[at];
  if (document === undefined) throw refusal(`document ${identityText(identity)} is not there to delete from`);
  if (deletions.some((deletion) => deletion.path.length === 0)) return documents.toSpliced(at, 1);
  const set = createFieldWriter();
  const tree = deletions.reduce<YamlTree>((left, { path }) => {
    const missing = () => refusal(`nothing to delete at ${pathText(path)} of ${identityText(identity)}`);
    return remove({ set, missing }, document.shape, left, path);
  }, document.tree);
  return documents.with(at, { ...document, tree: isYamlMap(tree) ? tree : {} });
}

interface Removal {
  readonly set: FieldWriter;
  readonly missing: () => BloomeryError;
}

function remove(removal: Removal, shape: Shape, tree: YamlTree | undefined, path: readonly Step[]): YamlTree {
  const { set, missing } = removal;
  const [step, ...rest] = path;
  const type = shape.is === 'pointer' ? shape.of : shape;
  if (step === undefined) throw missing();
  if ('match' in step) {
    if (rest.length > 0 || !isYamlList(tree)) throw missing();
    return removeElement(tree, step.match, missing);
  }
  const known = type.is === 'struct' ? fieldNamed(type.name, step.key) : undefined;
  if (tree === undefined || tree === null) {
    // A struct that is held by value is never absent in Talos; its absent fields can be deleted.
    if (shape.is !== 'struct' || known === undefined) throw missing();
    if (rest.length > 0) remove(removal, known.shape, undefined, rest);
    return {};
  }
  if (!isYamlMap(tree)) throw missing();
  const own = field(tree, step.key);
  if (rest.length > 0) {
    const inner: Shape = known?.shape ?? (type.is === 'map' ? type.of : { is: 'free', object: false });
    if (own === undefined && inner.is !== 'struct') throw missing();
    const removed = remove(removal, inner, own, rest);
    return own === undefined ? tree : set(tree, step.key, removed);
  }
  if (own === undefined && known === undefined) throw missing();
  return set(tree, step.key, undefined);
}

function removeElement(
  list: readonly YamlTree[],
  match: { readonly key: string; readonly value: string },
  missing: () => BloomeryError,
): YamlTree {
  const at = list.findIndex((item) => isYamlMap(item) && field(item, match.key) === match.value);
  if (at < 0) throw missing();
  return list.toSpliced(at, 1);
}

function pathText(path: readonly Step[]): string {
  return path
    .map((step) => ('key' in step ? step.key : `[${step.match.key}]`))
    .join('.')
    .slice(0, 200);
}

function refusal(why: string): BloomeryError {
  return new BloomeryError('BLM_TALOS_PATCH_INVALID', `reading $patch: delete: ${why}`);
}
