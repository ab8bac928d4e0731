import {
  bool,
  bytes,
  defineResource,
  enumeration,
  int,
  ip,
  ipPort,
  list,
  message,
  optional,
  prefix,
  type SpecOf,
  text,
} from '@bloomery/cosi';
import { MACHINE_TYPE } from './enumerations.ts';

const controlPlaneFields = {
  port: int(1),
} as const;

export const Affiliate = defineResource({
  type: 'Affiliates.cluster.talos.dev',
  namespace: 'cluster',
  columns: [
    ['Hostname', '{.hostname}'],
    ['Machine Type', '{.machineType}'],
    ['Addresses', '{.addresses}'],
  ],
  spec: {
    nodeId: text(1),
    addresses: list(2, ip(1)),
    hostname: text(3),
    nodename: text(4, { omitEmpty: true }),
    operatingSystem: text(5),
    machineType: enumeration(6, MACHINE_TYPE),
    kubespan: message(
      7,
      {
        publicKey: text(1),
        address: ip(2),
        additionalAddresses: list(3, prefix(1)),
        endpoints: list(4, ipPort(1)),
        excludeAdvertisedNetworks: list(5, prefix(1)),
      },
      { omitEmpty: true },
    ),
    controlPlane: optional(message(8, controlPlaneFields)),
  },
});
export type Affiliate = SpecOf<typeof Affiliate>;

export const DiscoveryConfig = defineResource({
  type: 'DiscoveryConfigs.cluster.talos.dev',
  namespace: 'config',
  sensitive: true,
  spec: {
    discoveryEnabled: bool(1),
    registryKubernetesEnabled: bool(2),
    registryServiceEnabled: bool(3),
    serviceEndpoint: text(4),
    serviceEndpointInsecure: bool(5, { omitEmpty: true }),
    serviceEncryptionKey: bytes(6),
    serviceClusterID: text(7),
  },
});
export type DiscoveryConfig = SpecOf<typeof DiscoveryConfig>;

export const Identity = defineResource({
  type: 'Identities.cluster.talos.dev',
  namespace: 'cluster',
  columns: [['ID', '{.nodeId}']],
  spec: {
    nodeId: text(1),
  },
});
export type Identity = SpecOf<typeof Identity>;

export const Info = defineResource({
  type: 'Infos.cluster.talos.dev',
  namespace: 'cluster',
  columns: [
    ['Cluster ID', '{.clusterId}'],
    ['Cluster Name', '{.clusterName}'],
  ],
  spec: {
    clusterId: text(1),
    clusterName: text(2),
  },
});
export type Info = SpecOf<typeof Info>;

export const Member = defineResource({
  type: 'Members.cluster.talos.dev',
  namespace: 'cluster',
  columns: [
    ['Hostname', '{.hostname}'],
    ['Machine Type', '{.machineType}'],
    ['OS', '{.operatingSystem}'],
    ['Addresses', '{.addresses}'],
  ],
  spec: {
    nodeId: text(1),
    addresses: list(2, ip(1)),
    hostname: text(3),
    machineType: enumeration(4, MACHINE_TYPE),
    operatingSystem: text(5),
    controlPlane: optional(message(6, controlPlaneFields)),
  },
});
export type Member = SpecOf<typeof Member>;

export const KubernetesAccessConfig = defineResource({
  type: 'KubernetesAccessConfigs.cluster.talos.dev',
  namespace: 'config',
  spec: {
    enabled: bool(1),
    allowedAPIRoles: list(2, text(1)),
    allowedKubernetesNamespaces: list(3, text(1)),
  },
});
export type KubernetesAccessConfig = SpecOf<typeof KubernetesAccessConfig>;
