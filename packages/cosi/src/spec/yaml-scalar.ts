/** Words that YAML 1.2 as Go reads it takes for something else than text. */
const WORDS = new Set(
  ['', '~', '<<', ...['null', 'true', 'false'].flatMap(spellings), ...['nan', 'inf'].flatMap(dotted)].flat(),
);
/** Words that YAML 1.1 took for booleans. */
const OLD_BOOLEANS = new Set(['y', 'Y', 'n', 'N', ...['yes', 'no', 'on', 'off'].flatMap(spellings)]);
const INTEGER = /^[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const SEXAGESIMAL = /^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$/;
const TIMESTAMP =
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})|[ ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]+)?)?$/;
/** Longer texts are never taken for numbers. */
const NUMBER_MAX_CHARACTERS = 400;
/** What may stand as it is: of what go-yaml prints all but the line breaks that only some readers know. */
const PRINTABLE = /^[\t\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/;
const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

/**
 * Text as one YAML scalar of block style, in the form that Go's yaml packages print: plain where it reads back as text, in double
 * quotes where it would read back as another scalar, in single quotes where only its characters forbid the plain form, and as a
 * literal block where it has several lines.
 *
 * @param indent Columns of the lines of a literal block.
 */
export function yamlText(text: string, indent: number): string {
  if (text.includes('\n')) return isBlockSafe(text) ? literal(text, indent) : doubleQuoted(text);
  if (readsAsOther(text)) return doubleQuoted(text);
  if (!hasIndicator(text)) return !PRINTABLE.test(text) || text.includes('\t') ? doubleQuoted(text) : text;
  return !PRINTABLE.test(text) || text.includes('\t') ? doubleQuoted(text) : `'${text.replaceAll("'", "''")}'`;
}

/** Text as the key of a mapping. */
export const yamlKey = (text: string): string => (text.includes('\n') ? doubleQuoted(text) : yamlText(text, 0));

function readsAsOther(text: string): boolean {
  if (WORDS.has(text) || OLD_BOOLEANS.has(text)) return true;
  if (text.length > NUMBER_MAX_CHARACTERS || !/^[-+.0-9]/.test(text)) return false;
  const digits = text.replaceAll('_', '');
  return INTEGER.test(digits) || FLOAT.test(digits) || SEXAGESIMAL.test(text) || TIMESTAMP.test(text);
}

/** Whether a plain scalar would be taken for structure, or lose blanks. */
function hasIndicator(text: string): boolean {
  if (/^[#,[\]{}&*!|>'"%@`]/.test(text) || text.startsWith('---') || text.startsWith('...')) return true;
  if (/^[-?:]( |$)/.test(text) || text.startsWith(' ') || text.endsWith(' ')) return true;
  return text.endsWith(':') || text.includes(': ') || text.includes(' #');
}

/** A literal block cannot hold blanks at the end of a line or nothing but blanks, nor characters that must be escaped. */
function isBlockSafe(text: string): boolean {
  return PRINTABLE.test(text) && /[^\t\n ]/.test(text) && !text.includes(' \n') && !text.endsWith(' ');
}

function literal(text: string, indent: number): string {
  const body = text.replace(/\n+$/, '');
  const breaks = text.length - body.length;
  const pad = ' '.repeat(indent);
  const lines = body.split('\n').map((line) => (line === '' ? '' : pad + line));
  const chomp = breaks === 0 ? '-' : breaks === 1 ? '' : '+';
  // Blanks at the beginning, also behind empty lines, would be taken for more indentation.
  const hint = /^\n* /.test(text) ? '4' : '';
  return [`|${hint}${chomp}`, ...lines, ...new Array<string>(Math.max(0, breaks - 1)).fill('')].join('\n');
}

function doubleQuoted(text: string): string {
  let out = '"';
  for (const character of text.toWellFormed()) out += escaped(character);
  return `${out}"`;
}

function escaped(character: string): string {
  const named = NAMED_ESCAPES[character];
  if (named !== undefined) return named;
  if (PRINTABLE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

const hex = (code: number, digits: number): string => code.toString(16).toUpperCase().padStart(digits, '0');

function spellings(word: string): string[] {
  return [word, `${word.charAt(0).toUpperCase()}${word.slice(1)}`, word.toUpperCase()];
}

function dotted(word: string): string[] {
  const texts = (word === 'nan' ? ['nan', 'NaN', 'NAN'] : spellings(word)).map((text) => `.${text}`);
  return word === 'nan' ? texts : texts.flatMap((text) => [text, `+${text}`, `-${text}`]);
}
