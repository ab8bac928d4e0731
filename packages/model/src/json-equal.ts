import type { Json, JsonObject } from './json.ts';
import { isJsonObject } from './kind.ts';

/**
 * Are two JSON values the same? Absent members count as undefined; `1` and `1n` are the same number. Order of members is free.
 */
export function jsonEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => jsonEqual(item, b[i]));
  }
  if (isJsonObject(a)) return isJsonObject(b) && membersEqual(a, b);
  if (typeof a === 'bigint' || typeof b === 'bigint') return isWhole(a) && isWhole(b) && BigInt(a) === BigInt(b);
  return false;
}

function membersEqual(a: JsonObject, b: JsonObject): boolean {
  let given = 0;
  for (const [key, value] of Object.entries(a)) {
    if (value === undefined) continue;
    given += 1;
    if (!Object.hasOwn(b, key) || !jsonEqual(value, b[key])) return false;
  }
  return given === Object.values(b).filter((value) => value !== undefined).length;
}

function isWhole(value: Json | undefined): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
}
