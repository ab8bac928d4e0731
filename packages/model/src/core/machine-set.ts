import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { integer, object, string } from '../schema.ts';
import { labelSelectorSchema } from '../shared-schema.ts';
import { admitMachineSet, defaultMachineSet } from './admit-machine-set.ts';
import {
  clusterNameSchema,
  deletePolicySchema,
  machineNamingStrategySchema,
  machineTemplateSchema,
  replicasStatusFields,
} from './machine-template-schema.ts';

/** A number of equal Machines, as Cluster API v1beta1 has it. */
export const machineSet = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta1',
  preferred: true,
  kind: 'MachineSet',
  plural: 'machinesets',
  scope: 'Namespaced',
  shortNames: ['ms'],
  categories: ['cluster-api', 'bloomery'],
  description: 'A number of equal machines of a cluster.',
  crdLabels: { 'cluster.x-k8s.io/provider': 'cluster-api' },
  admit: admitMachineSet,
  defaults: defaultMachineSet,
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
  columns: [
    { name: 'Cluster', path: '.spec.clusterName', of: 'string' },
    { name: 'Desired', path: '.spec.replicas', of: 'integer', wide: true },
    { name: 'Replicas', path: '.status.replicas', of: 'integer' },
    { name: 'Ready', path: '.status.readyReplicas', of: 'integer' },
    { name: 'Available', path: '.status.availableReplicas', of: 'integer' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Version', path: '.spec.template.spec.version', of: 'string' },
  ],
  properties: {
    spec: object(
      { clusterName: clusterNameSchema, selector: labelSelectorSchema },
      {
        replicas: integer(),
        minReadySeconds: integer({ description: 'How long a machine must be ready to count as available.' }),
        deletePolicy: deletePolicySchema,
        template: machineTemplateSchema,
        machineNamingStrategy: machineNamingStrategySchema,
      },
    ),
    status: object(
      {},
      {
        ...replicasStatusFields,
        fullyLabeledReplicas: integer(),
        failureReason: string(),
        failureMessage: string({ minLength: 1, maxLength: 10240 }),
      },
    ),
  },
});

export type MachineSet = ObjectOf<typeof machineSet>;
