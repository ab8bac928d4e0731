import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, integer, list, map, object, openObject, string } from '../schema.ts';
import { conditionsSchema, objectReferenceSchema } from '../shared-schema.ts';
import { withReferenceNamespaces } from './reference-namespaces.ts';

const cidrs = object({ cidrBlocks: list(string()) }, {});

/** A cluster, as Cluster API v1beta1 has it. */
export const cluster = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta1',
  kind: 'Cluster',
  plural: 'clusters',
  scope: 'Namespaced',
  shortNames: ['cl'],
  categories: ['cluster-api', 'bloomery'],
  description: 'A Kubernetes cluster made of machines.',
  crdLabels: { 'cluster.x-k8s.io/provider': 'cluster-api' },
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
        clusterNetwork: object({}, { apiServerPort: integer(), pods: cidrs, services: cidrs, serviceDomain: string() }),
        controlPlaneEndpoint: object({ host: string(), port: integer() }, {}),
        controlPlaneRef: objectReferenceSchema,
        infrastructureRef: objectReferenceSchema,
        topology: openObject(),
        availabilityGates: list(openObject()),
      },
    ),
    status: object(
      {},
      {
        phase: string(),
        infrastructureReady: boolean(),
        controlPlaneReady: boolean(),
        conditions: conditionsSchema,
        failureDomains: map(object({}, { controlPlane: boolean(), attributes: map(string()) })),
        failureReason: string(),
        failureMessage: string(),
        observedGeneration: integer({ format: 'int64' }),
        v1beta2: openObject(),
        waitingFor: string({ maxLength: 40 }),
      },
    ),
  },
});

export type Cluster = ObjectOf<typeof cluster>;
