import { BloomeryError, errorText } from '@bloomery/ports';
import { isYamlList, isYamlMap, readYaml, writeYamlDocuments, type YamlMap, type YamlTree } from '../yaml/index.ts';
import {
  type ConfigDocument,
  type DocumentIdentity,
  encodeDocuments,
  identifyDocument,
  identityText,
  isLegacy,
  isSameDocument,
  loadAll,
  loadDocument,
  refuseConflicts,
  type Strictness,
} from './config-document.ts';
import { applyOperations, type PatchOperation, readOperations } from './json-patch.ts';
import { explained, LoadRefusal } from './load-refusal.ts';
import { mergeShape } from './merge-document.ts';
import { applyDeletions, type Deletion, splitDeletions } from './patch-delete.ts';

/** One document of a strategic patch. `document` is absent when it only deletes a whole document. */
interface StrategicPart {
  readonly identity: DocumentIdentity;
  readonly document?: ConfigDocument;
  readonly deletions: readonly Deletion[];
}

/** A patch that was read: strategic documents, or operations of RFC 6902. */
export type ConfigPatch = {
  /** Where it comes from, for messages: `spec.strategicPatches[1]`. */
  readonly what?: string;
} & (
  | { readonly kind: 'strategic'; readonly parts: readonly StrategicPart[] }
  | { readonly kind: 'json'; readonly operations: readonly PatchOperation[] }
);

/** A patch of which nobody said where it comes from; messages count it. */
const UNNAMED = 'patch';

/** Where patching failed: reading a patch, applying it, or reading the result. */
export type PatchStage = 'load' | 'apply' | 'result';

export interface PatchOptions {
  readonly strictness: Strictness;
  /**
   * What a JSON patch does to a configuration of several documents: refuse it as Talos' library does, or apply it to the
   * legacy document. Lenient patching always applies it.
   */
  readonly jsonPatchOnSeveral?: 'refuse' | 'legacyDocument';
}

/**
 * Read one patch: strategic documents, or a list of RFC 6902 operations in JSON or YAML. Empty text is a patch that changes nothing.
 *
 * @throws BloomeryError BLM_TALOS_PATCH_INVALID with `facts.stage` load.
 */
export function readPatch(text: string, strictness: Strictness, what = UNNAMED): ConfigPatch {
  return staged('load', what, () => {
    const trees = readYaml(text, { what });
    const first = trees.find((tree) => tree !== null);
    if (isYamlList(first)) {
      const operations = readOperations(first);
      if (operations === undefined)
        throw new BloomeryError('BLM_TALOS_PATCH_INVALID', `${what}: neither documents nor operations`);
      return { what, kind: 'json', operations };
    }
    return { what, kind: 'strategic', parts: explained(text, what, () => readParts(trees, strictness)) };
  });
}

/**
 * A patch out of operations that are data already (`spec.configPatches`). An absent value counts as null, as over the API.
 *
 * @throws BloomeryError BLM_TALOS_PATCH_INVALID when there are too many, or one is no mapping.
 */
export function operationsPatch(operations: readonly YamlTree[], what?: string): ConfigPatch {
  const read = readOperations(operations);
  if (read === undefined) {
    const why = `${operations.length} operations, of which each has to be a mapping, and of which there may be 10000`;
    throw new BloomeryError('BLM_TALOS_PATCH_INVALID', `reading ${what ?? UNNAMED}: ${why}`);
  }
  return {
    ...(what === undefined ? {} : { what }),
    kind: 'json',
    operations: read.map((operation) => ({ ...operation, value: operation.value ?? null })),
  };
}

function readParts(trees: readonly YamlTree[], strictness: Strictness): StrategicPart[] {
  const parts: StrategicPart[] = [];
  for (const [at, tree] of trees.entries()) {
    if (tree === null) continue;
    if (!isYamlMap(tree)) throw new LoadRefusal(at, 'a document is not a mapping');
    const { rest, deletions } = splitDeletions(tree);
    const part: StrategicPart =
      rest === undefined
        ? { identity: identifyDocument(tree, at, strictness), deletions }
        : mergePart(tree, rest, deletions, { at, strictness });
    if (
      strictness === 'strict' &&
      parts.some((other) => other.document && part.document && isSameDocument(other.identity, part.identity))
    ) {
      throw new LoadRefusal(at, `duplicate document ${identityText(part.identity)} is not allowed`);
    }
    parts.push(part);
  }
  if (strictness === 'strict') refuseConflicts(parts.flatMap(({ document }) => document ?? []));
  return parts;
}

interface PartPlace {
  readonly at: number;
  readonly strictness: Strictness;
}

function mergePart(
  whole: YamlMap,
  rest: YamlMap,
  deletions: readonly Deletion[],
  { at, strictness }: PartPlace,
): StrategicPart {
  const isBare = deletions.length > 0 && isLegacy(identifyDocument(whole, at, strictness));
  // What deletions left of the legacy document need not show any more what it is.
  const document = loadDocument(isBare ? { machine: null, ...rest } : rest, at, strictness);
  return { identity: document, document, deletions };
}

/** A configuration between patches: raw trees, or documents that were loaded. */
type State =
  /** `after` is the JSON patch that left them so. */
  { readonly trees: readonly YamlTree[]; readonly after?: string } | { readonly documents: readonly ConfigDocument[] };

/**
 * Apply patches in order to a configuration.
 *
 * @returns the documents; strict ones in normal form (`encodeDocuments` gives Talos' full form), lenient ones as they were.
 * @throws BloomeryError BLM_TALOS_PATCH_INVALID (`facts.stage` apply) or BLM_TALOS_CONFIG_INVALID (`facts.stage` result). Values are never quoted.
 */
export function patchConfig(config: string, patches: readonly ConfigPatch[], options: PatchOptions): ConfigDocument[] {
  let state: State = staged('result', 'machine configuration', () => ({
    trees: readYaml(config, { what: 'machine configuration' }),
  }));
  for (const [index, patch] of patches.entries()) {
    const before: State = state;
    const what = patch.what === undefined || patch.what === UNNAMED ? `patch ${index + 1}` : patch.what;
    state = staged(
      'apply',
      what,
      (): State =>
        patch.kind === 'json'
          ? { trees: patchTrees(rawTrees(before), patch.operations, options), after: what }
          : { documents: mergeParts(patchable(before, patch.parts, options), patch.parts, options) },
    );
  }
  const last = state;
  return staged('result', 'machine configuration', () => {
    const documents = loaded(
      'trees' in last ? last : { trees: encodedFor(last.documents, options) },
      options.strictness,
    );
    if (documents.length > 0 || options.strictness === 'lenient') return [...documents];
    throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', 'reading machine configuration: config not found');
  });
}

/** The documents as YAML text: strict ones in Talos' full form, lenient ones as they are. */
export function writeConfig(documents: readonly ConfigDocument[], strictness: Strictness): string {
  return writeYamlDocuments(strictness === 'strict' ? encodeDocuments(documents) : documents.map((d) => d.tree));
}

const encodedFor = (documents: readonly ConfigDocument[], options: PatchOptions): readonly YamlTree[] =>
  options.strictness === 'strict' ? encodeDocuments(documents) : documents.map((d) => d.tree);

const rawTrees = (state: State): readonly YamlTree[] =>
  'trees' in state ? state.trees.filter((tree) => tree !== null) : encodeDocuments(state.documents);

const loaded = (state: State, strictness: Strictness): readonly ConfigDocument[] =>
  'documents' in state
    ? state.documents
    : explained(undefined, state.after === undefined ? 'machine configuration' : `the result of ${state.after}`, () =>
        loadAll(state.trees, strictness),
      );

/** There has to be something to patch, unless earlier patches took it away. */
function patchable(
  state: State,
  parts: readonly StrategicPart[],
  { strictness }: PatchOptions,
): readonly ConfigDocument[] {
  const documents = loaded(state, strictness);
  if (parts.length > 0 && documents.length === 0 && 'trees' in state)
    throw new BloomeryError('BLM_TALOS_PATCH_INVALID', 'config not found');
  return documents;
}

function patchTrees(
  trees: readonly YamlTree[],
  operations: readonly PatchOperation[],
  options: PatchOptions,
): readonly YamlTree[] {
  if (trees.length <= 1) return [applyOperations(trees[0] ?? null, operations)];
  if (options.strictness === 'strict' && options.jsonPatchOnSeveral !== 'legacyDocument') {
    throw new BloomeryError(
      'BLM_TALOS_PATCH_INVALID',
      'JSON6902 patches are not supported for multi-document machine configuration',
    );
  }
  const at = explained(undefined, 'machine configuration', () => loadAll(trees, 'lenient')).findIndex(isLegacy);
  const legacy = trees[at];
  if (legacy === undefined)
    throw new BloomeryError('BLM_TALOS_PATCH_INVALID', 'a JSON patch needs a document with machine or cluster');
  return trees.with(at, applyOperations(legacy, operations));
}

function mergeParts(
  documents: readonly ConfigDocument[],
  parts: readonly StrategicPart[],
  options: PatchOptions,
): ConfigDocument[] {
  let merged = [...documents];
  for (const { identity, deletions } of parts) merged = applyDeletions(merged, identity, deletions);
  for (const { document } of parts) if (document !== undefined) merged = mergeOne(merged, document, options);
  if (options.strictness === 'strict') explained(undefined, 'machine configuration', () => refuseConflicts(merged));
  return merged;
}

function mergeOne(
  documents: readonly ConfigDocument[],
  patch: ConfigDocument,
  options: PatchOptions,
): ConfigDocument[] {
  const at = documents.findIndex((document) => isSameDocument(document, patch));
  const base = documents[at];
  if (base === undefined) return isLegacy(patch) ? [patch, ...documents] : [...documents, patch];
  const tree = mergeShape(base.shape, base.tree, patch.tree, { strict: options.strictness === 'strict' });
  return documents.with(at, { ...base, tree: isYamlMap(tree) ? tree : {} });
}

function staged<T>(stage: PatchStage, what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const code = stage === 'result' ? 'BLM_TALOS_CONFIG_INVALID' : 'BLM_TALOS_PATCH_INVALID';
    throw new BloomeryError(code, stage === 'load' ? errorText(error) : `patching ${what}: ${errorText(error)}`, {
      facts: { ...(error instanceof BloomeryError ? error.facts : {}), stage },
      cause: error,
    });
  }
}
