import { asObject, compact, only, spokeConversion, without } from '../conversion-data.ts';
import type { Json, JsonObject } from '../json.ts';
import { defineKind, isJsonObject } from '../kind.ts';
import { boolean, integer, intOrString, object, oneOfStrings, string } from '../schema.ts';
import { machineDeployment } from './machine-deployment.ts';
import { deprecatedSchema, notEmpty, unlessEmpty } from './v1beta2/converted-status.ts';
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

/** Fields of spec that v1beta2 gave up. They stay as they were. */
const LOST = ['revisionHistoryLimit', 'progressDeadlineSeconds'];
const LEGACY = ['readyReplicas', 'availableReplicas', 'updatedReplicas', 'unavailableReplicas'];

const convert = spokeConversion({
  hub: 'cluster.x-k8s.io/v1beta1',
  spoke: 'cluster.x-k8s.io/v1beta2',
  down: ({ spec, status }) => ({
    spec: spec && specDown(spec),
    status: status && replicaStatusDown(status, LEGACY),
  }),
  up: ({ spec, status }, before) => ({
    spec: spec && specUp(spec, before?.hub.spec),
    status: status && replicaStatusUp(status),
  }),
});

function specDown(spec: JsonObject): JsonObject {
  const { strategy, rolloutAfter, ...rest } = without(spec, LOST);
  const { type, rollingUpdate, remediation } = asObject(strategy);
  const { deletePolicy, ...steps } = asObject(rollingUpdate);
  const hasStrategy = type !== undefined || Object.keys(steps).length > 0;
  return compact({
    ...replicaSpecDown(rest, deletePolicy),
    rollout: unlessEmpty({
      after: rolloutAfter,
      strategy: hasStrategy ? compact({ type: type ?? 'RollingUpdate', rollingUpdate: unlessEmpty(steps) }) : undefined,
    }),
    remediation: isJsonObject(remediation) ? unlessEmpty(remediation) : undefined,
  });
}

function specUp(spec: JsonObject, before: Json | undefined): JsonObject {
  const { rollout, remediation, ...rest } = spec;
  const { after, strategy } = asObject(rollout);
  const { type, rollingUpdate } = asObject(strategy);
  const order = deletionOrder(spec);
  const steps = unlessEmpty({ ...asObject(rollingUpdate), deletePolicy: order });
  return compact({
    ...only(asObject(before), LOST),
    ...replicaSpecUp(rest, before),
    rolloutAfter: after,
    strategy: unlessEmpty({ type, rollingUpdate: steps, remediation }),
  });
}

/** Machines that are replaced step by step when their template changes, as Cluster API v1beta2 has it. */
export const machineDeploymentV1beta2 = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta2',
  kind: 'MachineDeployment',
  plural: 'machinedeployments',
  scope: 'Namespaced',
  shortNames: machineDeployment.shortNames,
  categories: machineDeployment.categories,
  crdLabels: machineDeployment.crdLabels,
  description: 'Machines of a cluster that are replaced step by step when their template changes.',
  storage: false,
  ...viaStorage(machineDeployment, convert, []),
  ...(machineDeployment.scale === undefined ? {} : { scale: machineDeployment.scale }),
  columns: [
    { name: 'Cluster', path: '.spec.clusterName', of: 'string' },
    { name: 'Desired', path: '.spec.replicas', of: 'integer' },
    { name: 'Current', path: '.status.replicas', of: 'integer' },
    { name: 'Ready', path: '.status.readyReplicas', of: 'integer' },
    { name: 'Available', path: '.status.availableReplicas', of: 'integer' },
    { name: 'Up-to-date', path: '.status.upToDateReplicas', of: 'integer' },
    { name: 'Phase', path: '.status.phase', of: 'string' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Version', path: '.spec.template.spec.version', of: 'string' },
    { name: 'Paused', path: '.status.conditions[?(@.type=="Paused")].status', of: 'string', wide: true },
  ],
  selectableFields: machineDeployment.selectableFields,
  properties: {
    spec: object(replicaSpecRequired, {
      ...replicaSpecOptional,
      paused: boolean({ description: 'Changes of the template wait; scaling goes on.' }),
      rollout: notEmpty(
        object(
          {},
          {
            after: string({ format: 'date-time', description: 'Machines older than this are replaced.' }),
            strategy: notEmpty(
              object(
                { type: oneOfStrings(['RollingUpdate', 'OnDelete']) },
                {
                  rollingUpdate: notEmpty(object({}, { maxSurge: intOrString(), maxUnavailable: intOrString() })),
                },
              ),
            ),
          },
        ),
      ),
      remediation: notEmpty(object({}, { maxInFlight: intOrString() })),
    }),
    status: notEmpty(
      object(
        {},
        {
          ...replicaStatusFields,
          phase: oneOfStrings(['ScalingUp', 'ScalingDown', 'Running', 'Failed', 'Unknown']),
          deprecated: deprecatedSchema({
            readyReplicas: integer(),
            availableReplicas: integer(),
            updatedReplicas: integer(),
            unavailableReplicas: integer(),
          }),
        },
      ),
    ),
  },
});
