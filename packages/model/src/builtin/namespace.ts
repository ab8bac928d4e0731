import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { list, object, string } from '../schema.ts';

/** core/v1 Namespace. */
export const namespace = defineKind({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  scope: 'Cluster',
  shortNames: ['ns'],
  description: 'A scope for names.',
  columns: [
    { name: 'Status', path: '.status.phase', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
  ],
  selectableFields: ['.status.phase'],
  properties: {
    spec: object({}, { finalizers: list(string()) }),
    status: object(
      {},
      {
        conditions: list(
          object(
            { type: string(), status: string() },
            { lastTransitionTime: string({ format: 'date-time' }), message: string(), reason: string() },
          ),
          {
            'x-kubernetes-list-map-keys': ['type'],
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-patch-merge-key': 'type',
            'x-kubernetes-patch-strategy': 'merge',
          },
        ),
        phase: string(),
      },
    ),
  },
});

export type Namespace = ObjectOf<typeof namespace>;
