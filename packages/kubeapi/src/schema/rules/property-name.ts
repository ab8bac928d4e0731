/** Words that CEL keeps for itself; as property names they are written `__word__`. */
const KEYWORDS: ReadonlySet<string> = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
]);

const ESCAPES: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
};

/** How rules name a property: `foo-bar` is `foo__dash__bar`. Undefined for one that rules cannot reach. */
export function ruleNameOf(property: string): string | undefined {
  if (KEYWORDS.has(property)) return `__${property}__`;
  const name = property.replace(/__|[./-]/g, (found) => ESCAPES[found] ?? found);
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : undefined;
}
