import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, integer, list, map, object, oneOfStrings, openObject, string } from '../schema.ts';
import { conditionsSchema, metaConditionsSchema, objectReferenceSchema } from '../shared-schema.ts';
import { admitCluster } from './admit-cluster.ts';
import { readinessGatesSchema } from './machine-template-schema.ts';
import { withReferenceNamespaces } from './reference-namespaces.ts';

/** Address ranges of a cluster. */
export const cidrsSchema = object({ cidrBlocks: list(string({ minLength: 1, maxLength: 43 }), { maxItems: 100 }) }, {});

/** Where a Cluster can be on its way. */
export const CLUSTER_PHASES = ['Pending', 'Provisioning', 'Provisioned', 'Deleting', 'Failed', 'Unknown'] as const;

/** How many machines there are of a part of a cluster. */
export const replicaCountsSchema = object(
  {},
  {
    desiredReplicas: integer(),
    replicas: integer(),
    readyReplicas: integer(),
    availableReplicas: integer(),
    upToDateReplicas: integer(),
  },
);

/** A cluster, as Cluster API v1beta1 has it. */
export const cluster = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta1',
  preferred: true,
  kind: 'Cluster',
  plural: 'clusters',
  scope: 'Namespaced',
  shortNames: ['cl'],
  categories: ['cluster-api', 'bloomery'],
  description: 'A Kubernetes cluster made of machines.',
  crdLabels: { 'cluster.x-k8s.io/provider': 'cluster-api' },
  admit: admitCluster,
  defaults: (object) => withReferenceNamespaces(object, [['infrastructureRef'], ['controlPlaneRef']]),
  columns: [
    { name: 'ClusterClass', path: '.spec.topology.class', of: 'string' },
    { name: 'Phase', path: '.status.phase', of: 'string' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Version', path: '.spec.topology.version', of: 'string' },
  ],
  selectableFields: ['.status.phase'],
  properties: {
    spec: object(
      {},
      {
        paused: boolean({ description: 'Every controller leaves the cluster and its objects alone.' }),
        clusterNetwork: object(
          {},
          {
            apiServerPort: integer(),
            pods: cidrsSchema,
            services: cidrsSchema,
            serviceDomain: string({ minLength: 1, maxLength: 253 }),
          },
        ),
        controlPlaneEndpoint: object({ host: string({ maxLength: 512 }), port: integer() }, {}),
        controlPlaneRef: objectReferenceSchema,
        infrastructureRef: objectReferenceSchema,
        topology: openObject({ description: 'Not offered: refused at admission.' }),
        availabilityGates: readinessGatesSchema,
      },
    ),
    status: object(
      {},
      {
        phase: oneOfStrings(CLUSTER_PHASES),
        infrastructureReady: boolean(),
        controlPlaneReady: boolean(),
        conditions: conditionsSchema,
        failureDomains: map(object({}, { controlPlane: boolean(), attributes: map(string()) })),
        failureReason: string(),
        failureMessage: string({ minLength: 1, maxLength: 10240 }),
        observedGeneration: integer({ format: 'int64' }),
        v1beta2: object(
          {},
          { conditions: metaConditionsSchema, controlPlane: replicaCountsSchema, workers: replicaCountsSchema },
        ),
        waitingFor: string({ maxLength: 40 }),
      },
    ),
  },
});

export type Cluster = ObjectOf<typeof cluster>;
