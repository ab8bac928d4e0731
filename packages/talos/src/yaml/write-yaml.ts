import { isAmbiguous } from './go-scalars.ts';
import { entriesOf, isYamlList, isYamlMap, PlainScalar, type YamlTree } from './yaml-tree.ts';

const INDENT = '    ';
const PLAIN = /^[A-Za-z0-9_/.][A-Za-z0-9_/.@+=,:()*%$ -]*$/;
const MAX_PLAIN_CHARACTERS = 100_000;
/** Characters that go-yaml refuses or changes when they stand unescaped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to find
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;
const ESCAPE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** One YAML document in block style. Strings that any YAML dialect takes for something else are quoted; plain scalars stay as they were. */
export function writeYaml(tree: YamlTree): string {
  const lines: string[] = [];
  if (isYamlMap(tree) && entriesOf(tree).length > 0) writeMap(tree, '', lines);
  else if (isYamlList(tree) && tree.length > 0) writeList(tree, '', lines);
  else lines.push(inline(tree, ''));
  return `${lines.join('\n')}\n`;
}

/** Several documents, separated by `---`. */
export function writeYamlDocuments(trees: readonly YamlTree[]): string {
  return trees.map(writeYaml).join('---\n');
}

function writeMap(map: { readonly [key: string]: YamlTree | undefined }, indent: string, lines: string[]): void {
  for (const [key, value] of entriesOf(map)) {
    const head = `${indent}${scalarText(key)}:`;
    if (isYamlMap(value) && entriesOf(value).length > 0) {
      lines.push(head);
      writeMap(value, indent + INDENT, lines);
    } else if (isYamlList(value) && value.length > 0) {
      lines.push(head);
      writeList(value, indent + INDENT, lines);
    } else {
      lines.push(`${head} ${inline(value, indent)}`);
    }
  }
}

function writeList(list: readonly YamlTree[], indent: string, lines: string[]): void {
  for (const item of list) {
    const nested: string[] = [];
    if (isYamlMap(item) && entriesOf(item).length > 0) writeMap(item, `${indent}  `, nested);
    else if (isYamlList(item) && item.length > 0) writeList(item, `${indent}  `, nested);
    else nested.push(`${indent}  ${inline(item, indent)}`);
    const [first = '', ...rest] = nested;
    lines.push(`${indent}- ${first.slice(indent.length + 2)}`, ...rest);
  }
}

function inline(value: YamlTree, indent: string): string {
  if (value instanceof PlainScalar) return value.text === '' ? 'null' : value.text;
  if (value === null) return 'null';
  if (typeof value === 'string') return canBeBlock(value) ? block(value, indent) : scalarText(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'object') return isYamlList(value) ? '[]' : '{}';
  return String(value);
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return String(value);
}

function scalarText(text: string): string {
  return isPlainSafe(text) ? text : quoted(text);
}

function isPlainSafe(text: string): boolean {
  if (text.length > MAX_PLAIN_CHARACTERS || !PLAIN.test(text) || isAmbiguous(text)) return false;
  return !text.includes(': ') && !text.endsWith(':') && !text.endsWith(' ') && !text.startsWith('...');
}

function quoted(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    ESCAPE,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Text of several lines that a literal block keeps exactly in every reader. */
function canBeBlock(text: string): boolean {
  return (
    text.includes('\n') &&
    /^[^\s]/.test(text) &&
    !/[ \t]\n|[ \t]$|\t/.test(text) &&
    !UNPRINTABLE.test(text) &&
    text.isWellFormed()
  );
}

function block(text: string, indent: string): string {
  const body = text.replace(/\n+$/, '');
  const trailing = text.length - body.length;
  const chomp = trailing === 0 ? '-' : trailing === 1 ? '' : '+';
  const lines = body.split('\n').map((line) => (line === '' ? '' : `${indent}${INDENT}${line}`));
  return [`|${chomp}`, ...lines, ...new Array<string>(Math.max(0, trailing - 1)).fill('')].join('\n');
}
