import { yamlKey, yamlText } from './yaml-scalar.ts';

/** What a YAML document is made of. `plain` stands as it is; `text` is quoted where it must be. */
export type YamlNode =
  | { readonly plain: string }
  | { readonly text: string }
  | { readonly list: readonly YamlNode[] }
  | { readonly map: readonly (readonly [key: string, value: YamlNode])[] };

const INDENT = 4;

/** One YAML document in block style as Go's encoders print it: four columns for each level, two for what follows a dash. */
export function yamlDocument(node: YamlNode): string {
  const lines: string[] = [];
  if (!isNested(node)) lines.push(inline(node, INDENT));
  else if ('list' in node) writeList(node.list, 0, lines);
  else if ('map' in node) writeMap(node.map, 0, lines);
  return `${lines.join('\n')}\n`;
}

function writeMap(entries: readonly (readonly [string, YamlNode])[], indent: number, lines: string[]): void {
  for (const [key, value] of entries) {
    const head = `${' '.repeat(indent)}${yamlKey(key)}:`;
    if (!isNested(value)) lines.push(`${head} ${inline(value, nextLevel(indent))}`);
    else {
      lines.push(head);
      writeNested(value, nextLevel(indent), lines);
    }
  }
}

function writeList(items: readonly YamlNode[], indent: number, lines: string[]): void {
  for (const item of items) {
    const own: string[] = [];
    if (isNested(item)) writeNested(item, indent + 2, own);
    else own.push(' '.repeat(indent + 2) + inline(item, indent + 2));
    const [first = '', ...rest] = own;
    lines.push(`${' '.repeat(indent)}- ${first.slice(indent + 2)}`, ...rest);
  }
}

function writeNested(node: YamlNode, indent: number, lines: string[]): void {
  if ('list' in node) writeList(node.list, indent, lines);
  else if ('map' in node) writeMap(node.map, indent, lines);
}

/** Levels stand at multiples of four columns, also below the two of a dash. */
const nextLevel = (indent: number): number => INDENT * Math.floor((indent + INDENT) / INDENT);

function isNested(node: YamlNode): boolean {
  return ('list' in node && node.list.length > 0) || ('map' in node && node.map.length > 0);
}

function inline(node: YamlNode, indent: number): string {
  if ('plain' in node) return node.plain;
  if ('text' in node) return yamlText(node.text, indent);
  return 'list' in node ? '[]' : '{}';
}
