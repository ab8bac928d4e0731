import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, integer, object, oneOfStrings, openObject, string } from '../schema.ts';
import {
  conditionsSchema,
  machineAddressesSchema,
  metaConditionsSchema,
  objectReferenceSchema,
} from '../shared-schema.ts';
import { admitMachine, defaultMachine } from './admit-machine.ts';
import { clusterNameSchema, readinessGatesSchema } from './machine-template-schema.ts';

/** Where a Machine can be on its way. */
export const MACHINE_PHASES = [
  ...(['Pending', 'Provisioning', 'Provisioned', 'Running'] as const),
  ...(['Deleting', 'Deleted', 'Failed', 'Unknown'] as const),
] as const;

/** When the steps of a Machine's deletion began. */
export const machineDeletionSchema = object(
  {},
  {
    nodeDrainStartTime: string({ format: 'date-time' }),
    waitForNodeVolumeDetachStartTime: string({ format: 'date-time' }),
  },
);

/** One machine of a cluster, as Cluster API v1beta1 has it. */
export const machine = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta1',
  preferred: true,
  kind: 'Machine',
  plural: 'machines',
  scope: 'Namespaced',
  shortNames: ['ma'],
  categories: ['cluster-api', 'bloomery'],
  description: 'One machine of a cluster: its bootstrap config and its infrastructure.',
  crdLabels: { 'cluster.x-k8s.io/provider': 'cluster-api' },
  admit: admitMachine,
  defaults: defaultMachine,
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
        clusterName: clusterNameSchema,
        bootstrap: object({}, { configRef: objectReferenceSchema, dataSecretName: string({ maxLength: 253 }) }),
        infrastructureRef: objectReferenceSchema,
      },
      {
        version: string({ minLength: 1, maxLength: 256 }),
        providerID: string({ minLength: 1, maxLength: 512 }),
        failureDomain: string({ minLength: 1, maxLength: 256 }),
        readinessGates: readinessGatesSchema,
        nodeDrainTimeout: string(),
        nodeVolumeDetachTimeout: string(),
        nodeDeletionTimeout: string(),
        minReadySeconds: integer({ minimum: 0, description: 'Only of v1beta2; kept here.' }),
      },
    ),
    status: object(
      {},
      {
        phase: oneOfStrings(MACHINE_PHASES),
        addresses: machineAddressesSchema,
        bootstrapReady: boolean(),
        infrastructureReady: boolean(),
        nodeRef: objectReferenceSchema,
        nodeInfo: openObject(),
        conditions: conditionsSchema,
        failureReason: string(),
        failureMessage: string({ minLength: 1, maxLength: 10240 }),
        lastUpdated: string({ format: 'date-time' }),
        certificatesExpiryDate: string({ format: 'date-time' }),
        deletion: machineDeletionSchema,
        observedGeneration: integer({ format: 'int64' }),
        v1beta2: object({}, { conditions: metaConditionsSchema }),
        waitingFor: string({ maxLength: 40 }),
      },
    ),
  },
});

export type Machine = ObjectOf<typeof machine>;
