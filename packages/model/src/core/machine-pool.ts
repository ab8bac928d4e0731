import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { openObject } from '../schema.ts';

/**
 * A pool of machines that somebody else scales. Nothing here reconciles one, so none can be made; the kind is there because readers of
 * Cluster API's kinds, `clusterctl describe` first, list it and fail where it is not served.
 */
export const machinePool = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta1',
  kind: 'MachinePool',
  plural: 'machinepools',
  scope: 'Namespaced',
  shortNames: ['mp'],
  categories: ['cluster-api'],
  description: 'A pool of machines. Not offered: use a MachineDeployment.',
  crdLabels: { 'cluster.x-k8s.io/provider': 'cluster-api' },
  columns: [{ name: 'Age', path: '.metadata.creationTimestamp', of: 'date' }],
  admit: (_object, old) => ({
    problems:
      old !== undefined
        ? []
        : [
            {
              field: 'spec',
              reason: 'FieldValueForbidden',
              message:
                'Forbidden: MachinePools are not offered here; use a MachineDeployment, or run Cluster API core beside the plane (serve --cluster-api external)',
            },
          ],
  }),
  properties: { spec: openObject(), status: openObject() },
});

export type MachinePool = ObjectOf<typeof machinePool>;
