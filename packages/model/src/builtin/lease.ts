import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { integer, object, string } from '../schema.ts';

/** coordination.k8s.io/v1 Lease. Times carry microseconds. */
export const lease = defineKind({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  scope: 'Namespaced',
  description: 'Who leads, and until when.',
  columns: [
    { name: 'Holder', path: '.spec.holderIdentity', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
  ],
  properties: {
    spec: object(
      {},
      {
        acquireTime: string({ format: 'date-time' }),
        holderIdentity: string(),
        leaseDurationSeconds: integer(),
        leaseTransitions: integer(),
        preferredHolder: string(),
        renewTime: string({ format: 'date-time' }),
        strategy: string(),
      },
    ),
  },
});

export type Lease = ObjectOf<typeof lease>;
