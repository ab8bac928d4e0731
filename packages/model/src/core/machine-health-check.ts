import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { integer, intOrString, list, object, string } from '../schema.ts';
import {
  conditionsSchema,
  labelSelectorSchema,
  metaConditionsSchema,
  objectReferenceSchema,
} from '../shared-schema.ts';
import { admitMachineHealthCheck, defaultMachineHealthCheck } from './admit-machine-health-check.ts';
import { clusterNameSchema } from './machine-template-schema.ts';

/** When machines count as unhealthy and are replaced, as Cluster API v1beta1 has it. */
export const machineHealthCheck = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta1',
  preferred: true,
  kind: 'MachineHealthCheck',
  plural: 'machinehealthchecks',
  scope: 'Namespaced',
  shortNames: ['mhc', 'mhcs'],
  categories: ['cluster-api', 'bloomery'],
  description: 'When machines of a cluster count as unhealthy and are replaced.',
  crdLabels: { 'cluster.x-k8s.io/provider': 'cluster-api' },
  admit: admitMachineHealthCheck,
  defaults: defaultMachineHealthCheck,
  columns: [
    { name: 'Cluster', path: '.spec.clusterName', of: 'string' },
    { name: 'ExpectedMachines', path: '.status.expectedMachines', of: 'integer' },
    { name: 'MaxUnhealthy', path: '.spec.maxUnhealthy', of: 'string' },
    { name: 'CurrentHealthy', path: '.status.currentHealthy', of: 'integer' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
  ],
  properties: {
    spec: object(
      { clusterName: clusterNameSchema, selector: labelSelectorSchema },
      {
        unhealthyConditions: list(
          object({ type: string({ minLength: 1 }), status: string({ minLength: 1 }), timeout: string() }, {}),
          { maxItems: 100 },
        ),
        maxUnhealthy: intOrString({ description: 'With more unhealthy machines than this, none is replaced.' }),
        unhealthyRange: string({ minLength: 1, maxLength: 32, pattern: '^\\[[0-9]+-[0-9]+\\]$' }),
        nodeStartupTimeout: string({ description: 'How long a machine may take to become a Node; 0 for ever.' }),
        remediationTemplate: objectReferenceSchema,
      },
    ),
    status: object(
      {},
      {
        expectedMachines: integer({ minimum: 0 }),
        currentHealthy: integer({ minimum: 0 }),
        remediationsAllowed: integer({ minimum: 0 }),
        targets: list(string({ minLength: 1, maxLength: 253 }), { maxItems: 10_000 }),
        observedGeneration: integer({ format: 'int64' }),
        conditions: conditionsSchema,
        v1beta2: object({}, { conditions: metaConditionsSchema }),
        waitingFor: string({ maxLength: 40 }),
      },
    ),
  },
});

export type MachineHealthCheck = ObjectOf<typeof machineHealthCheck>;
