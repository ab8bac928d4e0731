import { BloomeryError } from '@bloomery/ports';
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import { isYamlMap, scalarString, writeYaml, type YamlMap, type YamlTree } from '../yaml/index.ts';
import type { DecodeProblem } from './decode-document.ts';
import { REDACTED, redactAt } from './redact-config.ts';

/** A document that is not loaded, before it is known where it stands in the text. Becomes a BloomeryError in `explained`. */
export class LoadRefusal extends Error {
  /** Its place among all documents of the text, from 0. */
  readonly at: number;
  readonly problems: readonly DecodeProblem[];
  readonly tree: YamlMap | undefined;
  /** The place of the other document of a conflict, from 0. */
  readonly other: number | undefined;

  constructor(at: number, message: string, problems: readonly DecodeProblem[] = [], tree?: YamlMap, other?: number) {
    super(message);
    this.at = at;
    this.other = other;
    this.problems = problems;
    this.tree = tree;
  }
}

/** One thing that the loader refuses, for programs. */
export interface LoadProblem {
  /** From 1. */
  readonly document: number;
  /** From 1; absent when the text is not known. */
  readonly line?: number;
  /** Dotted; '' for the whole document. */
  readonly path: string;
  readonly why: string;
}

const MAX_LISTED = 10;
const MAX_SUBTREE_CHARACTERS = 600;
/** Values that are no secret under any key. */
const HARMLESS = /^(true|false|null|~|-?\d{0,5})$/;

/**
 * Run something that loads documents, and say where in `text` a refusal happened. The text is read a second time then.
 *
 * @throws BloomeryError BLM_TALOS_CONFIG_INVALID; `facts.problems` lists LoadProblems.
 */
export function explained<T>(text: string | undefined, what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof LoadRefusal)) throw error;
    const locate = text === undefined ? () => undefined : createLocator(text);
    const problems = (error.problems.length === 0 ? [{ path: '', why: error.message }] : error.problems).map(
      ({ path, why }): LoadProblem => {
        const line = locate(error.at, path);
        return { document: error.at + 1, path, why, ...(line === undefined ? {} : { line }) };
      },
    );
    const message = `reading ${what}: ${refusalText(error, problems)}${otherPlace(error.other, locate)}`;
    throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', message, {
      facts: { problems },
    });
  }
}

function otherPlace(other: number | undefined, locate: (at: number, path: string) => number | undefined): string {
  if (other === undefined) return '';
  const line = locate(other, '');
  return `; the other one is document ${other + 1}${line === undefined ? '' : ` (line ${line})`}`;
}

function refusalText(error: LoadRefusal, problems: readonly LoadProblem[]): string {
  const place = (problem: LoadProblem | undefined): string =>
    problem?.line === undefined ? '' : ` (line ${problem.line})`;
  if (error.problems.length === 0) return `document ${error.at + 1}${place(problems[0])}: ${error.message}`;
  const listed = problems
    .slice(0, MAX_LISTED)
    .map((problem) => `${problem.path === '' ? 'document' : problem.path}${place(problem)}: ${problem.why}`);
  const more = problems.length > MAX_LISTED ? `; ${problems.length - MAX_LISTED} more` : '';
  const unknown = error.tree === undefined ? '' : unknownSubtree(error.tree, problems);
  return `document ${error.at + 1}, ${error.message.replace(/^document /, '')}: ${listed.join('; ')}${more}${unknown}`;
}

/** The unknown keys with what they hold, as upstream prints them; what may be a secret is hidden. */
function unknownSubtree(tree: YamlMap, problems: readonly LoadProblem[]): string {
  const paths = problems.filter(({ why }) => why === 'unknown key').map(({ path }) => path);
  if (paths.length === 0) return '';
  const only = (node: YamlTree, path: string, key = ''): YamlTree | undefined => {
    if (paths.includes(path)) return shortened(redactAt(node, key, undefined));
    if (!paths.some((one) => path === '' || one.startsWith(`${path}.`))) return undefined;
    const children: [string, YamlTree][] = isYamlMap(node)
      ? Object.entries(node).map(([key, value]) => [key, value ?? null])
      : Array.isArray(node)
        ? node.map((value: YamlTree, at): [string, YamlTree] => [String(at), value])
        : [];
    const kept = children.flatMap(([key, value]): [string, YamlTree][] => {
      const part = only(value, path === '' ? key : `${path}.${key}`, key);
      return part === undefined ? [] : [[key, part]];
    });
    if (kept.length === 0) return undefined;
    return Array.isArray(node) ? kept.map(([, value]) => value) : Object.fromEntries(kept);
  };
  const text = writeYaml(only(tree, '') ?? null).trimEnd();
  const cut = text.length > MAX_SUBTREE_CHARACTERS ? `${text.slice(0, MAX_SUBTREE_CHARACTERS)}…` : text;
  return `; unknown keys found during decoding:\n${cut}`;
}

/** A misspelt key does not tell that it holds a secret, and tokens are short: of values only numbers and switches are shown. */
function shortened(tree: YamlTree): YamlTree {
  if (Array.isArray(tree)) return tree.map(shortened);
  if (isYamlMap(tree)) {
    return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, shortened(value ?? null)]));
  }
  return HARMLESS.test(scalarString(tree) ?? '') ? tree : REDACTED;
}

/** @returns what gives the line, from 1, of a dotted path in the document at a place, counted from 0. */
export function createLocator(text: string): (at: number, path: string) => number | undefined {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    schema: 'failsafe',
    logLevel: 'silent',
    prettyErrors: false,
    // The parser's own check compares each key with every other one; duplicates were refused before.
    uniqueKeys: false,
    lineCounter: lines,
  });
  return (at, path) => {
    const root = Array.isArray(documents) ? documents[at]?.contents : undefined;
    const offset = offsetOf(root, path);
    return offset === undefined ? undefined : lines.linePos(offset).line;
  };
}

/** Where the node at `path` starts, or the deepest one above it that is there. */
function offsetOf(root: unknown, path: string): number | undefined {
  let node = root;
  let rest = path;
  let offset = startOf(root);
  while (rest !== '') {
    const found = childOf(node, rest);
    if (found === undefined) break;
    offset = startOf(found.key) ?? offset;
    node = found.value;
    rest = rest.slice(found.name.length + 1);
  }
  return offset;
}

interface Child {
  readonly name: string;
  /** What marks the place. */
  readonly key: unknown;
  readonly value: unknown;
}

/** The child that a dotted path begins with; keys may have dots themselves. */
function childOf(node: unknown, path: string): Child | undefined {
  const begins = (name: string): boolean => path === name || path.startsWith(`${name}.`);
  if (isSeq(node)) {
    const name = path.split('.', 1)[0] ?? '';
    const item = node.items[Number(name)];
    return item === undefined ? undefined : { name, key: item, value: item };
  }
  if (!isMap(node)) return undefined;
  const pairs = node.items.flatMap(({ key, value }): Child[] =>
    isScalar(key) && begins(String(key.value)) ? [{ name: String(key.value), key, value }] : [],
  );
  return pairs.sort((a, b) => b.name.length - a.name.length)[0];
}

function startOf(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) ? node.range?.[0] : undefined;
}
