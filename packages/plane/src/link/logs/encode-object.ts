import type { Json, JsonObject } from '@bloomery/model';

/**
 * Write JSON as Go's encoding/json writes a map: keys sorted bytewise at every level, `<`, `>`, `&`, U+2028 and U+2029 escaped.
 *
 * @param value Well-formed strings and finite numbers only; not deeper than the scanner lets through.
 */
export function encodeGoJson(value: Json): string {
  if (typeof value === 'string') return encodeGoString(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(encodeGoJson).join(',')}]`;
  return encodeGoObject(value as JsonObject);
}

function encodeGoObject(object: JsonObject): string {
  const members = Object.keys(object)
    .sort(byBytes)
    .map((key) => `${encodeGoString(key)}:${encodeGoJson(object[key] ?? null)}`);
  return `{${members.join(',')}}`;
}

/** A string as Go writes it, with its quotes. */
export function encodeGoString(text: string): string {
  const quoted = JSON.stringify(text);
  return HTML.test(quoted) ? quoted.replace(EVERY_HTML, escaped) : quoted;
}

const HTML = /[<>&\u2028\u2029]/;
const EVERY_HTML = new RegExp(HTML, 'g');

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** By UTF-8 bytes, which is by code points: JavaScript's own order differs above U+FFFF. */
export function byBytes(a: string, b: string): number {
  const isPlain = !SURROGATE.test(a) && !SURROGATE.test(b);
  if (isPlain) return a < b ? -1 : a > b ? 1 : 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const SURROGATE = /[\ud800-\udfff]/;
