import type { Json } from '@bloomery/model';
import { BloomeryError, type ErrorCode, errorText } from '@bloomery/ports';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseAllDocuments,
  type Scalar,
  type YAMLMap,
  type ErrorCode as YamlErrorCode,
} from 'yaml';
import { kubeScalar, plainScalar, type ScalarValue, talosScalar } from './go-scalars.ts';
import { entriesOf, isYamlList, isYamlMap, PlainScalar, type YamlTree } from './yaml-tree.ts';

/** Limits against documents that are made to hurt. */
const MAX_CHARACTERS = 4 << 20;
const MAX_DEPTH = 128;
const MAX_VALUES = 200_000;
const MAX_DOCUMENTS = 1_000;
const MAX_CONSECUTIVE_OPENINGS = 512;

/** What the parser's codes mean. Its own messages quote the content, which may be secret. */
const PROBLEMS: Partial<Record<YamlErrorCode, string>> = {
  BAD_ALIAS: 'unknown or recursive anchor',
  BAD_DQ_ESCAPE: 'unknown escape in a quoted text',
  BAD_INDENT: 'wrong indentation',
  BAD_SCALAR_START: 'a value that must be quoted',
  BLOCK_AS_IMPLICIT_KEY: 'a second key on one line',
  BLOCK_IN_FLOW: 'a list or mapping of lines inside brackets',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters',
  MISSING_CHAR: 'a missing quote, bracket, comma or blank',
  MULTILINE_IMPLICIT_KEY: 'a line that is no "key: value"',
  TAB_AS_INDENT: 'a tab for indentation',
  UNEXPECTED_TOKEN: 'something that does not belong there',
};

/** Reads YAML text with the dialect left open; see `YamlTree`. */
export interface YamlReadOptions {
  /** Code of the error that is thrown. */
  readonly code?: ErrorCode;
  /** What is read, for messages: `patch 2 of Server x`. */
  readonly what?: string;
  /** Called for each key that a mapping has twice, with its line from 1; the last one counts. Without it such keys are refused. */
  readonly onDuplicate?: (key: string, line: number) => void;
}

/**
 * All documents of a YAML stream. Anchors and merge keys are expanded; duplicate keys are refused.
 *
 * @param text at most 4 MiB; nesting at most 128, at most 200 000 values after expanding aliases.
 * @throws BloomeryError BLM_TALOS_CONFIG_INVALID (or `options.code`); messages name line and column, never the content.
 */
export function readYaml(text: string, options: YamlReadOptions = {}): YamlTree[] {
  const refuse = (why: string): BloomeryError =>
    new BloomeryError(options.code ?? 'BLM_TALOS_CONFIG_INVALID', `reading ${options.what ?? 'YAML'}: ${why}`);
  if (text.length > MAX_CHARACTERS) throw refuse(`${text.length} characters are more than ${MAX_CHARACTERS}`);
  if (nestsTooDeep(text)) throw refuse(`nested deeper than ${MAX_DEPTH}`);
  let documents: ReturnType<typeof parseAllDocuments>;
  try {
    documents = parseAllDocuments(text, {
      schema: 'failsafe',
      logLevel: 'silent',
      prettyErrors: false,
      uniqueKeys: false,
    });
  } catch (error) {
    throw refuse(error instanceof RangeError ? 'nested too deep' : errorText(error));
  }
  if (!Array.isArray(documents)) return [];
  if (documents.length > MAX_DOCUMENTS) throw refuse(`more than ${MAX_DOCUMENTS} documents`);
  return documents.map((document: Document) => {
    const problem = document.errors[0];
    if (problem !== undefined)
      throw refuse(`${PROBLEMS[problem.code] ?? problem.code} at ${position(text, problem.pos[0])}`);
    const reader = createReader(
      (why, at) => refuse(at === undefined ? why : `${why} at ${position(text, at)}`),
      options.onDuplicate === undefined ? undefined : (key, at) => options.onDuplicate?.(key, lineOf(text, at)),
    );
    return reader(document.contents);
  });
}

/** The one document of a text. @throws BloomeryError when there are none or several. */
export function readYamlDocument(text: string, options: YamlReadOptions = {}): YamlTree {
  const documents = readYaml(text, options);
  const [first] = documents;
  if (first === undefined || documents.length > 1) {
    throw new BloomeryError(
      options.code ?? 'BLM_TALOS_CONFIG_INVALID',
      `reading ${options.what ?? 'YAML'}: ${documents.length} documents instead of one`,
    );
  }
  return first;
}

/** A cheap look before the parser recurses: flow collections and block lists opened one inside the other. */
function nestsTooDeep(text: string): boolean {
  let run = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === 0x5b || c === 0x7b) run++;
    else if (c === 0x5d || c === 0x7d) run = Math.max(0, run - 1);
    if (run > MAX_CONSECUTIVE_OPENINGS) return true;
  }
  return false;
}

function position(text: string, offset: number): string {
  return `line ${lineOf(text, offset)}, column ${offset - text.lastIndexOf('\n', offset - 1)}`;
}

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

interface Anchored {
  readonly value: YamlTree;
  readonly size: number;
}

function createReader(
  refuse: (why: string, at?: number) => BloomeryError,
  onDuplicate: ((key: string, at: number) => void) | undefined,
): (node: Node | null) => YamlTree {
  const anchors = new Map<string, Anchored>();
  let size = 0;
  const count = (values: number): void => {
    size += values;
    if (size > MAX_VALUES) throw refuse(`more than ${MAX_VALUES} values after expanding aliases`);
  };

  const read = (node: unknown, depth: number): YamlTree => {
    const before = size;
    const value = readNode(node, depth);
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) anchors.set(anchor, { value, size: size - before });
    return value;
  };

  const readNode = (node: unknown, depth: number): YamlTree => {
    if (depth > MAX_DEPTH) throw refuse(`nested deeper than ${MAX_DEPTH}`);
    count(1);
    if (node === null || node === undefined) return null;
    if (isScalar(node)) return readScalar(node);
    if (isSeq(node)) return node.items.map((item) => read(item, depth + 1));
    if (isMap(node)) return readMap(node, depth);
    if (!isAlias(node)) throw refuse('something that is no value');
    const anchored = anchors.get(node.source);
    if (anchored === undefined) throw refuse('unknown or recursive anchor', node.range?.[0]);
    count(anchored.size);
    return anchored.value;
  };

  const readMap = (map: YAMLMap, depth: number): YamlTree => {
    const own = new Map<string, YamlTree>();
    const merged: YamlTree[] = [];
    for (const pair of map.items) {
      const key = readKey(pair.key, depth);
      const value = read(pair.value, depth + 1);
      if (key === undefined) merged.push(...(isYamlList(value) ? value : [value]));
      else {
        if (own.has(key) && onDuplicate === undefined) throw refuse('duplicate key', map.range?.[0]);
        if (own.has(key)) onDuplicate?.(key, isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0);
        own.set(key, value);
      }
    }
    for (const source of merged) {
      if (!isYamlMap(source)) throw refuse('merge key without a mapping', map.range?.[0]);
      for (const [key, value] of entriesOf(source)) if (!own.has(key)) own.set(key, value);
    }
    return Object.fromEntries(own);
  };

  /** undefined for the merge key. */
  const readKey = (node: unknown, depth: number): string | undefined => {
    if (isScalar(node) && node.type === 'PLAIN' && node.value === '<<') return undefined;
    const key = isScalar(node) ? (node.type === 'PLAIN' ? scalarText(node) : readScalar(node)) : read(node, depth + 1);
    if (isScalar(node) && node.anchor !== undefined) anchors.set(node.anchor, { value: scalarText(node), size: 1 });
    const text = key instanceof PlainScalar ? key.text : key;
    if (typeof text === 'object' && text !== null) throw refuse('a key that is no scalar');
    return text === null ? 'null' : String(text);
  };

  return (node) => read(node, 0);
}

const scalarText = (scalar: Scalar): string =>
  typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? '');

function readScalar(scalar: Scalar): YamlTree {
  const text = scalarText(scalar);
  switch (scalar.tag) {
    case undefined:
      return scalar.type === 'PLAIN' ? plainScalar(text) : text;
    case 'tag:yaml.org,2002:int':
    case 'tag:yaml.org,2002:float':
    case 'tag:yaml.org,2002:bool':
    case 'tag:yaml.org,2002:null':
      return plainScalar(text);
    case 'tag:yaml.org,2002:binary':
      return Buffer.from(text, 'base64').toString('utf8');
    default:
      return text;
  }
}

function resolveWith(resolve: (text: string) => ScalarValue, tree: YamlTree): Json {
  if (tree instanceof PlainScalar) return resolve(tree.text);
  if (isYamlList(tree)) return tree.map((item) => resolveWith(resolve, item));
  if (isYamlMap(tree)) return Object.fromEntries(entriesOf(tree).map(([k, v]) => [k, resolveWith(resolve, v)]));
  return tree;
}

/** The tree as JSON in the dialect of Kubernetes manifests (`yes` is true, `0644` is 420). Infinities stay numbers. */
export const kubeJson = (tree: YamlTree): Json => resolveWith(kubeScalar, tree);

/** The tree as JSON as Talos reads free-form parts (`yes` stays a string, `0644` is 420). */
export const talosJson = (tree: YamlTree): Json => resolveWith(talosScalar, tree);

/** The text of a scalar where a string is expected: numbers and booleans as they were written. undefined for collections and null. */
export function scalarString(tree: YamlTree | undefined): string | undefined {
  if (tree === undefined || tree === null) return undefined;
  if (tree instanceof PlainScalar) return tree.text;
  return typeof tree === 'object' ? undefined : String(tree);
}
