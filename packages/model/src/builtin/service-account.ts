import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, list, object, string } from '../schema.ts';
import { objectReferenceSchema } from '../shared-schema.ts';

/** core/v1 ServiceAccount. */
export const serviceAccount = defineKind({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  scope: 'Namespaced',
  shortNames: ['sa'],
  description: 'An identity for programs.',
  columns: [{ name: 'Age', path: '.metadata.creationTimestamp', of: 'date' }],
  properties: {
    automountServiceAccountToken: boolean(),
    imagePullSecrets: list(object({}, { name: string() }), {
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
    }),
    secrets: list(objectReferenceSchema, {
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
    }),
  },
});

export type ServiceAccount = ObjectOf<typeof serviceAccount>;
