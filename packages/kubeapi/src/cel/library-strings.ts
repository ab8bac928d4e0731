import { goQuote } from '../schema/go-text.ts';
import { EvaluationFailure } from './evaluation-failure.ts';
import { formatText } from './format-text.ts';
import type { Library } from './library.ts';
import { spendText } from './work-budget.ts';

/** No text that a rule makes may be longer: 16 MiB of characters. */
const MAX_TEXT = 16 * 1024 * 1024;

class StringsNamespace {}

/**
 * cel-go's string extensions, counting characters, not UTF-16 units. Functions that cel-js has in another form carry the
 * prefix `k_`: `syntax-tree.ts` sends calls to them.
 */
export const stringLibrary: Library = (define, env) => {
  define('string.k_lowerAscii(): string', (s: string) => s.replace(/[A-Z]+/g, (upper) => upper.toLowerCase()));
  define('string.k_upperAscii(): string', (s: string) => s.replace(/[a-z]+/g, (lower) => lower.toUpperCase()));
  define('string.charAt(int): string', (s: string, at: bigint) => {
    const points = pointsOf(s);
    const index = boundedIndex(at, points.length);
    return points[index] ?? '';
  });
  define('string.k_substring(int): string', (s: string, from: bigint) => substring(s, from));
  define('string.k_substring(int, int): string', (s: string, from: bigint, to: bigint) => substring(s, from, to));
  define('string.k_indexOf(string): int', (s: string, part: string) => indexOf(s, part, 0n));
  define('string.k_indexOf(string, int): int', (s: string, part: string, from: bigint) => indexOf(s, part, from));
  define('string.k_lastIndexOf(string): int', (s: string, part: string) => lastIndexOf(s, part, undefined));
  define('string.k_lastIndexOf(string, int): int', (s: string, part: string, to: bigint) => lastIndexOf(s, part, to));
  define('string.k_split(string): list<string>', (s: string, by: string) => split(s, by));
  define('string.k_split(string, int): list<string>', (s: string, by: string, limit: bigint) => {
    if (limit === 0n) return [];
    const parts = split(s, by);
    if (limit < 0n || BigInt(parts.length) <= limit) return parts;
    const first = parts.slice(0, Number(limit) - 1);
    return [...first, parts.slice(Number(limit) - 1).join(by)];
  });
  define('string.replace(string, string): string', (s: string, from: string, to: string) => replace(s, from, to, -1n));
  define('string.replace(string, string, int): string', replace);
  define('string.format(list): string', (s: string, values: readonly unknown[]) => {
    spendText(s.length);
    return formatText(s, values);
  });
  env.registerType('StringsNamespace', StringsNamespace);
  env.registerConstant('strings', 'StringsNamespace', new StringsNamespace());
  define('StringsNamespace.quote(string): string', (_: unknown, s: string) => {
    spendText(s.length);
    return goQuote(s);
  });
};

function pointsOf(text: string): string[] {
  spendText(text.length);
  return [...text];
}

function boundedIndex(at: bigint, length: number): number {
  if (at < 0n || at > BigInt(length)) throw new EvaluationFailure(`index out of range: ${at}`);
  return Number(at);
}

function substring(text: string, from: bigint, to?: bigint): string {
  const points = pointsOf(text);
  const start = boundedIndex(from, points.length);
  const end = to === undefined ? points.length : boundedIndex(to, points.length);
  if (start > end) throw new EvaluationFailure(`invalid substring range. start: ${from}, end: ${to}`);
  return points.slice(start, end).join('');
}

function indexOf(text: string, part: string, from: bigint): bigint {
  const points = pointsOf(text);
  if (from > BigInt(points.length)) return -1n;
  const start = boundedIndex(from, points.length);
  const skipped = points.slice(0, start).join('').length;
  const at = text.indexOf(part, skipped);
  return at < 0 ? -1n : BigInt([...text.slice(0, at)].length);
}

function lastIndexOf(text: string, part: string, to: bigint | undefined): bigint {
  const points = pointsOf(text);
  if (to !== undefined && to > BigInt(points.length)) return -1n;
  const limit = to === undefined ? text.length : points.slice(0, boundedIndex(to, points.length)).join('').length;
  const at = text.lastIndexOf(part, limit);
  return at < 0 ? -1n : BigInt([...text.slice(0, at)].length);
}

function split(text: string, by: string): string[] {
  spendText(text.length);
  return by === '' ? [...text] : text.split(by);
}

function replace(text: string, from: string, to: string, limit: bigint): string {
  spendText(text.length);
  const max = limit < 0n ? Number.POSITIVE_INFINITY : Number(limit);
  const parts = from === '' ? ['', ...text, ''] : text.split(from);
  const count = Math.min(parts.length - 1, max);
  if (text.length + count * to.length > MAX_TEXT) throw new EvaluationFailure('the replaced text is too long');
  spendText(count * to.length);
  const tail = parts.slice(count).join(from);
  return [...parts.slice(0, count), tail].join(to);
}
