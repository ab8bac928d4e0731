import type { Column, ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, integer, list, object, string } from '../schema.ts';
import { conditionsSchema } from '../shared-schema.ts';
import { convertMetalCluster } from './convert-metal-cluster.ts';
import { CLUSTER_LABEL_PATH, INFRASTRUCTURE_CRD_LABELS } from './infrastructure-group.ts';

const endpoint = object({ host: string({ maxLength: 512 }), port: integer() }, {});

const columns = (endpointPath: string): readonly Column[] => [
  { name: 'Cluster', path: CLUSTER_LABEL_PATH, of: 'string' },
  { name: 'Ready', path: '.status.ready', of: 'boolean' },
  { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
  { name: 'Endpoint', path: endpointPath, of: 'string', wide: true },
];

/** Infrastructure of a Cluster: carries its endpoint. Stored version. */
export const metalCluster = defineKind({
  group: 'infrastructure.cluster.x-k8s.io',
  version: 'v1alpha3',
  kind: 'MetalCluster',
  plural: 'metalclusters',
  scope: 'Namespaced',
  categories: ['cluster-api', 'bloomery'],
  description: 'Infrastructure of a Cluster of bare machines.',
  crdLabels: INFRASTRUCTURE_CRD_LABELS,
  columns: columns('.spec.controlPlaneEndpoint.host'),
  properties: {
    spec: object({}, { controlPlaneEndpoint: endpoint }),
    status: object(
      { ready: boolean() },
      { initialization: object({}, { provisioned: boolean() }), conditions: conditionsSchema },
    ),
  },
});

/** MetalCluster as older manifests write it. */
export const metalClusterV1alpha2 = defineKind({
  group: 'infrastructure.cluster.x-k8s.io',
  version: 'v1alpha2',
  kind: 'MetalCluster',
  plural: 'metalclusters',
  scope: 'Namespaced',
  storage: false,
  convert: convertMetalCluster,
  categories: ['cluster-api', 'bloomery'],
  description: 'Infrastructure of a Cluster of bare machines. Old version.',
  crdLabels: INFRASTRUCTURE_CRD_LABELS,
  columns: columns('.spec.apiEndpoints[0].host'),
  properties: {
    spec: object({}, { apiEndpoints: list(object({ host: string(), port: integer() }, {})) }),
    status: object({ ready: boolean() }, { apiEndpoints: list(object({ host: string(), port: integer() }, {})) }),
  },
});

export type MetalCluster = ObjectOf<typeof metalCluster>;
export type MetalClusterV1alpha2 = ObjectOf<typeof metalClusterV1alpha2>;
