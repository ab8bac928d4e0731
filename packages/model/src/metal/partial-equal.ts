import type { Json } from '../json.ts';
import { isJsonObject } from '../kind.ts';
import type { Schema } from '../schema.ts';
import { hardwareSchema } from './hardware-schema.ts';

/**
 * Does hardware satisfy one qualifier? Everything that the qualifier gives must be there exactly; zero values ask nothing;
 * lists are compared position by position (spec/metal.md §7). Members that no hardware has are ignored.
 */
export function isPartialEqual(wanted: Json | undefined, actual: Json | undefined): boolean {
  return matches(hardwareSchema, wanted, actual);
}

function matches(schema: Schema, wanted: Json | undefined, actual: Json | undefined): boolean {
  if (isZero(schema, wanted)) return true;
  if (schema.type === 'array') {
    const want = Array.isArray(wanted) ? wanted : [];
    const have = Array.isArray(actual) ? actual : [];
    const items = schema.items ?? {};
    return want.length <= have.length && want.every((item, i) => matches(items, item, have[i]));
  }
  if (schema.type === 'object') {
    if (!isJsonObject(wanted) || !isJsonObject(actual)) return false;
    return Object.entries(schema.properties ?? {}).every(([name, inner]) => matches(inner, wanted[name], actual[name]));
  }
  return wanted === actual || (isNumber(wanted) && isNumber(actual) && String(wanted) === String(actual));
}

function isZero(schema: Schema, value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === 0n) return true;
  if (!isJsonObject(value)) return false;
  return Object.entries(schema.properties ?? {}).every(([name, inner]) => isZero(inner, value[name]));
}

function isNumber(value: Json | undefined): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}
