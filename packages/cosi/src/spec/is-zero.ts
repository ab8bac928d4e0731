import type { Field, Fields } from './field.ts';
import { numberOfName } from './named-value.ts';

/** Whether a value of a field is what an unset field holds. */
export function isZero(field: Field, value: unknown): boolean {
  switch (field.kind) {
    case 'optional':
      return value === undefined;
    case 'list':
      return Array.isArray(value) && value.length === 0;
    case 'bytes':
      return value instanceof Uint8Array && value.length === 0;
    case 'map':
      return Object.keys(recordOf(value)).length === 0;
    case 'message':
      return areZero(field.fields, recordOf(value));
    case 'enumeration':
      return numberOfName(field.names, String(value)) === 0;
    default:
      return value === field.zero;
  }
}

/** Whether nothing of a table of fields is set. */
export function areZero(fields: Fields, spec: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(fields).every(([name, field]) => isZero(field, spec[name]));
}

/** The parts of a message or map. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** The items of a list. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
