import type { Json } from './json.ts';

/**
 * Sixteen digits where a number can begin: only such a text can hold an integer that a double does not carry exactly. Digits inside
 * a string (serial numbers, WWIDs) seldom follow one of these, and a text that is taken for one with a long number loses time only.
 */
const LONG_NUMBER = /(?:^|[\s,:[])-?\d{16}/;
const INTEGER = /^-?\d+$/;

/**
 * Parse JSON without losing integers: one beyond ±2^53 becomes a bigint, everything else is as `JSON.parse` has it.
 *
 * @param text JSON text of any size; the caller bounds it.
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): Json {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text) as Json;
  return JSON.parse(text, exactInteger) as Json;
}

/**
 * Write JSON; a bigint is written as its digits. `undefined` members are left out, as `JSON.stringify` does.
 *
 * @param indent spaces per level; 0 or absent writes one line.
 */
export function stringifyJson(value: Json, indent = 0): string {
  try {
    return JSON.stringify(value, null, indent);
  } catch (error) {
    // A bigint: the serialiser is several times slower when it asks a function about every member.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, rawBigint, indent);
  }
}

function exactInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
  return INTEGER.test(source) ? BigInt(source) : value;
}

/** `JSON.rawJSON` of Node 24: text that the serialiser copies as it is. The compiler's library does not know it yet. */
const { rawJSON } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown };

function rawBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJSON(value.toString()) : value;
}
