import { spokeConversion, without } from '../conversion-data.ts';
import { defineKind } from '../kind.ts';
import { integer, object } from '../schema.ts';
import { machineSet } from './machine-set.ts';
import { deprecatedSchema, failureFields, notEmpty } from './v1beta2/converted-status.ts';
import {
  deletionOrder,
  replicaSpecDown,
  replicaSpecOptional,
  replicaSpecRequired,
  replicaSpecUp,
  replicaStatusDown,
  replicaStatusFields,
  replicaStatusUp,
} from './v1beta2/replica-sets.ts';
import { viaStorage } from './v1beta2/via-storage.ts';

const LEGACY = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'failureReason', 'failureMessage'];

const convert = spokeConversion({
  hub: 'cluster.x-k8s.io/v1beta1',
  spoke: 'cluster.x-k8s.io/v1beta2',
  down: ({ spec, status }) => ({
    spec: spec && replicaSpecDown(without(spec, ['deletePolicy']), spec['deletePolicy']),
    status: status && replicaStatusDown(status, LEGACY),
  }),
  up: ({ spec, status }, before) => {
    const order = spec && deletionOrder(spec);
    return {
      spec: spec && {
        ...replicaSpecUp(spec, before?.hub.spec),
        ...(order === undefined ? {} : { deletePolicy: order }),
      },
      status: status && replicaStatusUp(status),
    };
  },
});

/** A number of equal Machines, as Cluster API v1beta2 has it. */
export const machineSetV1beta2 = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta2',
  kind: 'MachineSet',
  plural: 'machinesets',
  scope: 'Namespaced',
  shortNames: machineSet.shortNames,
  categories: machineSet.categories,
  crdLabels: machineSet.crdLabels,
  description: 'A number of equal machines of a cluster.',
  storage: false,
  ...viaStorage(machineSet, convert, []),
  ...(machineSet.scale === undefined ? {} : { scale: machineSet.scale }),
  columns: [
    { name: 'Cluster', path: '.spec.clusterName', of: 'string' },
    { name: 'Desired', path: '.spec.replicas', of: 'integer' },
    { name: 'Current', path: '.status.replicas', of: 'integer' },
    { name: 'Ready', path: '.status.readyReplicas', of: 'integer' },
    { name: 'Available', path: '.status.availableReplicas', of: 'integer' },
    { name: 'Up-to-date', path: '.status.upToDateReplicas', of: 'integer' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Version', path: '.spec.template.spec.version', of: 'string' },
    { name: 'Paused', path: '.status.conditions[?(@.type=="Paused")].status', of: 'string', wide: true },
  ],
  selectableFields: machineSet.selectableFields,
  properties: {
    spec: object(replicaSpecRequired, replicaSpecOptional),
    status: notEmpty(
      object(
        {},
        {
          ...replicaStatusFields,
          deprecated: deprecatedSchema({
            ...failureFields,
            fullyLabeledReplicas: integer(),
            readyReplicas: integer(),
            availableReplicas: integer(),
          }),
        },
      ),
    ),
  },
});
