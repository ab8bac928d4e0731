import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, map, string } from '../schema.ts';

/** core/v1 Secret. `data` values are base64. */
export const secret = defineKind({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  scope: 'Namespaced',
  description: 'Secret data, such as credentials and keys.',
  columns: [
    { name: 'Type', path: '.type', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
  ],
  selectableFields: ['.type'],
  properties: {
    data: map(string({ format: 'byte' })),
    immutable: boolean(),
    stringData: map(string()),
    type: string(),
  },
});

export type Secret = ObjectOf<typeof secret>;
