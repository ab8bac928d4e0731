import fc from 'fast-check';
import type { Json } from '../json.ts';
import type { Schema } from '../schema.ts';

/** Values that a schema admits, for property tests: optional members come and go, lists are short. */
export function arbitraryOf(schema: Schema): fc.Arbitrary<Json> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.nat({ max: 65535 });
    case 'number':
      return fc.nat({ max: 100 });
    case 'string':
      return fc.constantFrom('a', 'b', 'Dell Inc.', '');
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? {}), { maxLength: 3 });
    case 'object':
      return objectOf(schema);
    default:
      return fc.constantFrom<Json>(1, 'x', { deep: [true] });
  }
}

function objectOf(schema: Schema): fc.Arbitrary<Json> {
  if (schema.properties === undefined) return fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom<Json>('x', 'y'));
  const members = Object.entries(schema.properties).map(([name, inner]) => [name, arbitraryOf(inner)] as const);
  return fc.record(Object.fromEntries(members), { requiredKeys: [...(schema.required ?? [])] });
}
