import { BloomeryError } from '@bloomery/ports';
import { entriesOf, field, isYamlMap, readYaml, scalarString, type YamlMap, type YamlTree } from '../yaml/index.ts';
import { type DecodeProblem, decodeShape } from './decode-document.ts';
import { encodeShape } from './encode-document.ts';
import { FREE } from './merge-document.ts';
import { documentKind, type Shape } from './type-table.ts';

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
 * @throws BloomeryError BLM_TALOS_CONFIG_INVALID; messages name places, never values.
 */
export function readConfig(text: string, strictness: Strictness, what = 'machine configuration'): ConfigDocument[] {
  return loadDocuments(readYaml(text, { what }), strictness, what);
}

/** As `readConfig`, for trees that are parsed already. */
export function loadDocuments(trees: readonly YamlTree[], strictness: Strictness, what: string): ConfigDocument[] {
  const documents: ConfigDocument[] = [];
  for (const tree of trees) {
    if (tree === null) continue;
    const document = loadDocument(tree, strictness, what);
    if (strictness === 'strict' && documents.some((other) => isSameDocument(other, document))) {
      throw invalid(what, `duplicate document ${identityText(document)} is not allowed`);
    }
    documents.push(document);
  }
  return documents;
}

/** The documents in Talos' full form, ready for `writeYamlDocuments`. */
export const encodeDocuments = (documents: readonly ConfigDocument[]): YamlTree[] =>
  documents.map((document) =>
    document.shape.is === 'free' ? document.tree : encodeShape(document.shape, document.tree),
  );

function loadDocument(tree: YamlTree, strictness: Strictness, what: string): ConfigDocument {
  if (!isYamlMap(tree)) throw invalid(what, 'a document is not a mapping');
  const identity = identifyDocument(tree, strictness, what);
  const known = documentKind(identity.apiVersion, identity.kind);
  if (strictness === 'lenient') {
    const name = known?.named === false ? '' : identity.name;
    return { ...identity, name, tree, shape: known === undefined ? FREE : unwrap(known.shape) };
  }
  if (known === undefined) throw invalid(what, `document kind ${identityText(identity)} is not registered`);
  const problems: DecodeProblem[] = [];
  const decoded = decodeShape(known.shape, tree, '', problems);
  if (problems.length > 0) {
    const list = problems.slice(0, 10).map((p) => `${p.path === '' ? 'document' : p.path}: ${p.why}`);
    throw invalid(what, `document ${identityText(identity)}: ${list.join('; ')}`, { problems });
  }
  return {
    ...identity,
    name: known.named ? identity.name : '',
    tree: isYamlMap(decoded) ? decoded : {},
    shape: known.shape,
  };
}

const unwrap = (shape: Shape): Shape => (shape.is === 'pointer' ? shape.of : shape);

/** What a document says that it is. @throws BloomeryError BLM_TALOS_CONFIG_INVALID when it does not say. */
export function identifyDocument(tree: YamlMap, strictness: Strictness, what: string): DocumentIdentity {
  const apiVersion = scalarString(field(tree, 'apiVersion')) ?? '';
  const kind = scalarString(field(tree, 'kind')) ?? '';
  const name = scalarString(field(tree, 'name')) ?? '';
  const marks = strictness === 'strict' ? LEGACY_MARKS : LEGACY_KEYS;
  const isLegacyDocument = kind === '' && entriesOf(tree).some(([key]) => marks.includes(key));
  if (isLegacyDocument) return { apiVersion: '', kind: '', name: '' };
  if (entriesOf(tree).length === 0) throw invalid(what, 'config not found: a document is empty');
  if (kind === '') throw invalid(what, 'a document is missing kind');
  if (apiVersion === '') throw invalid(what, `document of kind ${kind.slice(0, 60)} is missing apiVersion`);
  return { apiVersion, kind, name };
}

function invalid(what: string, why: string, facts: Readonly<Record<string, unknown>> = {}): BloomeryError {
  return new BloomeryError('BLM_TALOS_CONFIG_INVALID', `reading ${what}: ${why}`, { facts });
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
