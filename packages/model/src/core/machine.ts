import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, integer, list, object, openObject, string } from '../schema.ts';
import { conditionsSchema, machineAddressesSchema, objectReferenceSchema } from '../shared-schema.ts';
import { withReferenceNamespaces } from './reference-namespaces.ts';

/** One machine of a cluster, as Cluster API v1beta1 has it. */
export const machine = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta1',
  kind: 'Machine',
  plural: 'machines',
  scope: 'Namespaced',
  shortNames: ['ma'],
  categories: ['cluster-api', 'bloomery'],
  description: 'One machine of a cluster: its bootstrap config and its infrastructure.',
  crdLabels: { 'cluster.x-k8s.io/provider': 'cluster-api' },
  defaults: (object) => withReferenceNamespaces(object, [['infrastructureRef'], ['bootstrap', 'configRef']]),
  columns: [
    { name: 'Cluster', path: '.spec.clusterName', of: 'string' },
    { name: 'NodeName', path: '.status.nodeRef.name', of: 'string' },
    { name: 'ProviderID', path: '.spec.providerID', of: 'string' },
    { name: 'Phase', path: '.status.phase', of: 'string' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Version', path: '.spec.version', of: 'string' },
  ],
  selectableFields: ['.status.phase', '.spec.clusterName'],
  properties: {
    spec: object(
      {
        clusterName: string({ minLength: 1 }),
        bootstrap: object({}, { configRef: objectReferenceSchema, dataSecretName: string() }),
        infrastructureRef: objectReferenceSchema,
      },
      {
        version: string(),
        providerID: string(),
        failureDomain: string(),
        readinessGates: list(openObject()),
        nodeDrainTimeout: string(),
        nodeVolumeDetachTimeout: string(),
        nodeDeletionTimeout: string(),
      },
    ),
    status: object(
      {},
      {
        phase: string(),
        addresses: machineAddressesSchema,
        bootstrapReady: boolean(),
        infrastructureReady: boolean(),
        nodeRef: objectReferenceSchema,
        nodeInfo: openObject(),
        conditions: conditionsSchema,
        failureReason: string(),
        failureMessage: string(),
        lastUpdated: string({ format: 'date-time' }),
        certificatesExpiryDate: string({ format: 'date-time' }),
        deletion: openObject(),
        observedGeneration: integer({ format: 'int64' }),
        v1beta2: openObject(),
        waitingFor: string({ maxLength: 40 }),
      },
    ),
  },
});

export type Machine = ObjectOf<typeof machine>;
