import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, map, string } from '../schema.ts';

/** core/v1 ConfigMap. */
export const configMap = defineKind({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  scope: 'Namespaced',
  shortNames: ['cm'],
  description: 'Configuration data as pairs of key and value.',
  columns: [{ name: 'Age', path: '.metadata.creationTimestamp', of: 'date' }],
  properties: { binaryData: map(string({ format: 'byte' })), data: map(string()), immutable: boolean() },
});

export type ConfigMap = ObjectOf<typeof configMap>;
