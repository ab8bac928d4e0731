import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, integer, intOrString, object, oneOfStrings, string } from '../schema.ts';
import { labelSelectorSchema } from '../shared-schema.ts';
import { admitMachineDeployment, defaultMachineDeployment } from './admit-machine-deployment.ts';
import {
  clusterNameSchema,
  deletePolicySchema,
  machineNamingStrategySchema,
  machineTemplateSchema,
  replicasStatusFields,
} from './machine-template-schema.ts';

/** Machines that are replaced step by step when their template changes, as Cluster API v1beta1 has it. */
export const machineDeployment = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta1',
  preferred: true,
  kind: 'MachineDeployment',
  plural: 'machinedeployments',
  scope: 'Namespaced',
  shortNames: ['md'],
  categories: ['cluster-api', 'bloomery'],
  description: 'Machines of a cluster that are replaced step by step when their template changes.',
  crdLabels: { 'cluster.x-k8s.io/provider': 'cluster-api' },
  admit: admitMachineDeployment,
  defaults: defaultMachineDeployment,
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
    { name: 'Updated', path: '.status.updatedReplicas', of: 'integer' },
    { name: 'Unavailable', path: '.status.unavailableReplicas', of: 'integer' },
    { name: 'Phase', path: '.status.phase', of: 'string' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Version', path: '.spec.template.spec.version', of: 'string' },
  ],
  selectableFields: ['.status.phase'],
  properties: {
    spec: object(
      { clusterName: clusterNameSchema, selector: labelSelectorSchema, template: machineTemplateSchema },
      {
        replicas: integer(),
        paused: boolean({ description: 'Changes of the template wait; scaling goes on.' }),
        minReadySeconds: integer(),
        revisionHistoryLimit: integer(),
        progressDeadlineSeconds: integer(),
        rolloutAfter: string({ format: 'date-time', description: 'Machines older than this are replaced.' }),
        machineNamingStrategy: machineNamingStrategySchema,
        strategy: object(
          {},
          {
            type: oneOfStrings(['RollingUpdate', 'OnDelete']),
            rollingUpdate: object(
              {},
              { maxSurge: intOrString(), maxUnavailable: intOrString(), deletePolicy: deletePolicySchema },
            ),
            remediation: object({}, { maxInFlight: intOrString() }),
          },
        ),
      },
    ),
    status: object(
      {},
      {
        ...replicasStatusFields,
        phase: oneOfStrings(['ScalingUp', 'ScalingDown', 'Running', 'Failed', 'Unknown']),
        updatedReplicas: integer(),
        unavailableReplicas: integer(),
      },
    ),
  },
});

export type MachineDeployment = ObjectOf<typeof machineDeployment>;
