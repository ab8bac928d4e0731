import type { Json } from './json.ts';
import { isJsonObject } from './kind.ts';

/**
 * Are two JSON values the same? Absent members count as undefined; `1` and `1n` are the same number. Order of members is free.
 */
export function jsonEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a === 'bigint' || typeof b === 'bigint') {
    return (typeof a === 'bigint' || typeof a === 'number') && (typeof b === 'bigint' || typeof b === 'number')
      ? String(a) === String(b)
      : false;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => jsonEqual(item, b[i]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const name of names) if (!jsonEqual(a[name], b[name])) return false;
  return true;
}
