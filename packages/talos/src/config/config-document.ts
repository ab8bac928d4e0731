import { BloomeryError } from '@bloomery/ports';
import { entriesOf, field, isYamlMap, readYaml, scalarString, type YamlMap, type YamlTree } from '../yaml/index.ts';
import { type DecodeProblem, decodeShape } from './decode-document.ts';
import { encodeShape } from './encode-document.ts';
import { createLocator, explained, LoadRefusal } from './load-refusal.ts';
import { FREE } from './merge-document.ts';
import { documentKind, type Shape, TALOS_TYPES, type TypeTable } from './type-table.ts';

/** What tells documents of one configuration apart. `kind` is '' for the legacy document with `machine` and `cluster`. */
export interface DocumentIdentity {
  readonly apiVersion: string;
  readonly kind: string;
  /** '' for kinds that occur once. */
  readonly name: string;
}

/** One document of a machine configuration. */
export interface ConfigDocument extends DocumentIdentity {
  /** As read (lenient), or in the normal form of `decodeShape` (strict). */
  readonly tree: YamlMap;
  readonly shape: Shape;
}

/** Strict: as Talos loads; unknown keys, kinds and duplicates are refused. Lenient: they are kept as they are. */
export type Strictness = 'strict' | 'lenient';

const LEGACY_KEYS = ['version', 'machine', 'cluster', 'debug', 'persist'];
const LEGACY_MARKS = ['machine', 'cluster', 'debug', 'persist'];

/** Whether this is the legacy document (version, machine, cluster). */
export const isLegacy = (document: DocumentIdentity): boolean => document.kind === '';

/** `v1alpha1/HostnameConfig`, `/v1alpha1` for the legacy document. */
export function identityText(document: DocumentIdentity): string {
  if (isLegacy(document)) return '/v1alpha1';
  return `${document.apiVersion}/${document.kind}${document.name === '' ? '' : `/${document.name}`}`;
}

/** Whether both name the same document. */
export const isSameDocument = (a: DocumentIdentity, b: DocumentIdentity): boolean =>
  a.kind === b.kind && a.name === b.name && (isLegacy(a) || a.apiVersion === b.apiVersion);

/**
 * Read the documents of a machine configuration. Empty documents are skipped; no document at all gives an empty list.
 *
 * @throws BloomeryError BLM_TALOS_CONFIG_INVALID; messages name document, key path and line, never values but those of
 * unknown keys (`facts.problems` has all of them).
 */
export function readConfig(text: string, strictness: Strictness, what = 'machine configuration'): ConfigDocument[] {
  const trees = readYaml(text, { what });
  return explained(text, what, () => loadAll(trees, strictness));
}

/**
 * Load a configuration as Talos does: strictly, and there has to be one.
 *
 * @throws BloomeryError BLM_TALOS_CONFIG_INVALID as `readConfig`.
 */
export function loadConfig(text: string, what = 'machine configuration'): ConfigDocument[] {
  const documents = readConfig(text, 'strict', what);
  if (documents.length > 0) return documents;
  throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', `reading ${what}: config not found`);
}

/**
 * Load a configuration strictly, where there is more than Talos knows. It may have no document at all.
 *
 * @throws BloomeryError BLM_TALOS_CONFIG_INVALID as `readConfig`.
 */
export function loadExtendedConfig(
  text: string,
  types: TypeTable,
  what = 'machine configuration',
): readonly LocatedDocument[] {
  const trees = readYaml(text, { what });
  return explained(text, what, () => {
    const documents = loadAll(trees, 'strict', types);
    const lineOf = createLocator(text);
    const places = trees.flatMap((tree, at) => (tree === null ? [] : [at]));
    return documents.map((document, index) => {
      const at = places[index] ?? 0;
      return { ...document, lineOf: (path) => lineOf(at, path) ?? 1 };
    });
  });
}

/** A document that knows where it stands in its text. */
export interface LocatedDocument extends ConfigDocument {
  /** Line of the whole text, from 1, of a dotted path (or of what is above it and there); '' is the document itself. */
  readonly lineOf: (path: string) => number;
}

/**
 * As `readConfig`, for trees that are parsed already.
 *
 * @throws BloomeryError BLM_TALOS_CONFIG_INVALID without lines.
 */
export const loadDocuments = (trees: readonly YamlTree[], strictness: Strictness, what: string): ConfigDocument[] =>
  explained(undefined, what, () => loadAll(trees, strictness));

/** As `loadDocuments`. @throws LoadRefusal; wrap with `explained`. */
export function loadAll(trees: readonly YamlTree[], strictness: Strictness, types = TALOS_TYPES): ConfigDocument[] {
  const documents: ConfigDocument[] = [];
  const places: number[] = [];
  for (const [at, tree] of trees.entries()) {
    if (tree === null) continue;
    const document = loadDocument(tree, at, strictness, types);
    const other = strictness === 'strict' ? documents.findIndex((one) => isSameDocument(one, document)) : -1;
    if (other >= 0) {
      const message = `duplicate document ${identityText(document)} is not allowed`;
      throw new LoadRefusal(at, message, [], undefined, places[other]);
    }
    documents.push(document);
    places.push(at);
  }
  if (strictness === 'strict') refuseConflicts(documents, places);
  return documents;
}

/** The documents in Talos' full form, ready for `writeYamlDocuments`. */
export const encodeDocuments = (documents: readonly ConfigDocument[]): YamlTree[] =>
  documents.map((document) =>
    document.shape.is === 'free' ? document.tree : encodeShape(document.shape, document.tree),
  );

/** Load one document of a text. @param at its place among all documents of the text, from 0. @throws LoadRefusal */
export function loadDocument(
  tree: YamlTree,
  at: number,
  strictness: Strictness,
  types: TypeTable = TALOS_TYPES,
): ConfigDocument {
  if (!isYamlMap(tree)) throw new LoadRefusal(at, 'a document is not a mapping');
  const identity = identifyDocument(tree, at, strictness);
  const known = types.documentKind(identity.apiVersion, identity.kind);
  if (strictness === 'lenient') {
    const name = known?.named === false ? '' : identity.name;
    return { ...identity, name, tree, shape: known === undefined ? FREE : unwrap(known.shape) };
  }
  if (known === undefined) throw new LoadRefusal(at, `document kind ${identityText(identity)} is not registered`);
  const problems: DecodeProblem[] = [];
  const decoded = decodeShape(known.shape, tree, '', problems, types);
  if (problems.length > 0) throw new LoadRefusal(at, `document ${identityText(identity)}`, problems, tree);
  return {
    ...identity,
    name: known.named ? identity.name : '',
    tree: isYamlMap(decoded) ? decoded : {},
    shape: known.shape,
  };
}

const unwrap = (shape: Shape): Shape => (shape.is === 'pointer' ? shape.of : shape);

/** What a document says that it is. @param at as for `loadDocument`. @throws LoadRefusal when it does not say. */
export function identifyDocument(tree: YamlMap, at: number, strictness: Strictness): DocumentIdentity {
  const apiVersion = scalarString(field(tree, 'apiVersion')) ?? '';
  const kind = scalarString(field(tree, 'kind')) ?? '';
  const name = scalarString(field(tree, 'name')) ?? '';
  const marks = strictness === 'strict' ? LEGACY_MARKS : LEGACY_KEYS;
  const isLegacyDocument = kind === '' && entriesOf(tree).some(([key]) => marks.includes(key));
  if (isLegacyDocument) return { apiVersion: '', kind: '', name: '' };
  if (entriesOf(tree).length === 0) throw new LoadRefusal(at, 'config not found: a document is empty');
  if (kind === '') throw new LoadRefusal(at, 'a document is missing kind');
  if (apiVersion === '') throw new LoadRefusal(at, `document of kind ${kind.slice(0, 60)} is missing apiVersion`);
  return { apiVersion, kind, name };
}

const LINKS = [
  'BondConfig',
  'BridgeConfig',
  'DummyLinkConfig',
  'LinkConfig',
  'VLANConfig',
  'VRFConfig',
  'VethConfig',
  'WireguardConfig',
];
const VIRTUAL_ADDRESSES = ['HCloudVIPConfig', 'Layer2VIPConfig'];
const USER_VOLUMES = ['ExistingVolumeConfig', 'UserVolumeConfig'];

/**
 * One name is one link, one volume, and one virtual address has one way of being moved.
 *
 * @param places of the documents in the text, where it had empty ones.
 * @throws LoadRefusal
 */
export function refuseConflicts(documents: readonly ConfigDocument[], places: readonly number[] = []): void {
  for (const kinds of [LINKS, VIRTUAL_ADDRESSES, USER_VOLUMES]) {
    const seen = new Map<string, number>();
    for (const [at, { kind, name }] of documents.entries()) {
      if (!kinds.includes(kind)) continue;
      const other = seen.get(name);
      if (other !== undefined) {
        const message = `conflicting documents: ${documents[other]?.kind ?? ''}/${name} and ${kind}/${name}`;
        throw new LoadRefusal(places[at] ?? at, message, [], undefined, places[other] ?? other);
      }
      seen.set(name, at);
    }
  }
}

/**
 * What Talos' strict loader would refuse in documents that were read leniently: `document: path: why`. Never values.
 */
export function strictProblems(documents: readonly ConfigDocument[]): string[] {
  return documents.flatMap((document) => {
    const known = documentKind(document.apiVersion, document.kind);
    if (known === undefined) return [`${identityText(document)}: unknown kind of document`];
    const problems: DecodeProblem[] = [];
    decodeShape(known.shape, document.tree, '', problems);
    return problems.map(({ path, why }) => `${identityText(document)}: ${path}: ${why}`);
  });
}
