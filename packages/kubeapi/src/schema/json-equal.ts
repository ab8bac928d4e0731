import { isJsonObject, type Json } from '@bloomery/model';

/** Structural equality: the order of members does not matter, absent and undefined members are the same. */
export function jsonEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => jsonEqual(item, b[i]));
  }
  if (isJsonObject(a)) return isJsonObject(b) && membersEqual(a, b);
  if (typeof a === 'bigint' || typeof b === 'bigint') return isNumeric(a) && isNumeric(b) && BigInt(a) === BigInt(b);
  return false;
}

function membersEqual(
  a: { readonly [key: string]: Json | undefined },
  b: { readonly [key: string]: Json | undefined },
): boolean {
  let defined = 0;
  for (const [key, value] of Object.entries(a)) {
    if (value === undefined) continue;
    defined++;
    if (!Object.hasOwn(b, key) || !jsonEqual(value, b[key])) return false;
  }
  return defined === Object.values(b).filter((value) => value !== undefined).length;
}

function isNumeric(value: Json | undefined): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
}
