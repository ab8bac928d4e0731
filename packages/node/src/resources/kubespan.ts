import {
  bool,
  defineResource,
  enumeration,
  int,
  ip,
  ipPort,
  list,
  prefix,
  type SpecOf,
  text,
  time,
  uint,
} from '@bloomery/cosi';
import { PEER_STATE } from './enumerations.ts';

export const KubeSpanConfig = defineResource({
  type: 'KubeSpanConfigs.kubespan.talos.dev',
  namespace: 'config',
  sensitive: true,
  spec: {
    enabled: bool(1),
    clusterId: text(2),
    sharedSecret: text(3),
    forceRouting: bool(4),
    advertiseKubernetesNetworks: bool(5),
    mtu: uint(6, { omitEmpty: true }),
    endpointFilters: list(7, text(1), { omitEmpty: true }),
    harvestExtraEndpoints: bool(8),
    extraEndpoints: list(9, ipPort(1), { omitEmpty: true }),
    excludeAdvertisedNetworks: list(10, prefix(1), { omitEmpty: true }),
  },
});
export type KubeSpanConfig = SpecOf<typeof KubeSpanConfig>;

export const KubeSpanEndpoint = defineResource({
  type: 'KubeSpanEndpoints.kubespan.talos.dev',
  namespace: 'kubespan',
  columns: [
    ['Endpoint', '{.endpoint}'],
    ['Affiliate ID', '{.affiliateID}'],
  ],
  spec: {
    affiliateID: text(1),
    endpoint: ipPort(2),
  },
});
export type KubeSpanEndpoint = SpecOf<typeof KubeSpanEndpoint>;

export const KubeSpanIdentity = defineResource({
  type: 'KubeSpanIdentities.kubespan.talos.dev',
  namespace: 'kubespan',
  columns: [
    ['Address', '{.address}'],
    ['PublicKey', '{.publicKey}'],
  ],
  sensitive: true,
  spec: {
    address: prefix(1),
    subnet: prefix(2),
    privateKey: text(3),
    publicKey: text(4),
  },
});
export type KubeSpanIdentity = SpecOf<typeof KubeSpanIdentity>;

export const KubeSpanPeerSpec = defineResource({
  type: 'KubeSpanPeerSpecs.kubespan.talos.dev',
  namespace: 'kubespan',
  columns: [
    ['Label', '{.label}'],
    ['Endpoints', '{.endpoints}'],
  ],
  spec: {
    address: ip(1),
    allowedIPs: list(2, prefix(1)),
    endpoints: list(3, ipPort(1)),
    label: text(4),
  },
});
export type KubeSpanPeerSpec = SpecOf<typeof KubeSpanPeerSpec>;

export const KubeSpanPeerStatus = defineResource({
  type: 'KubeSpanPeerStatuses.kubespan.talos.dev',
  namespace: 'kubespan',
  columns: [
    ['Label', '{.label}'],
    ['Endpoint', '{.endpoint}'],
    ['State', '{.state}'],
    ['Rx', '{.receiveBytes}'],
    ['Tx', '{.transmitBytes}'],
  ],
  spec: {
    endpoint: ipPort(1),
    label: text(2),
    state: enumeration(3, PEER_STATE),
    receiveBytes: int(4),
    transmitBytes: int(5),
    lastHandshakeTime: time(6),
    lastUsedEndpoint: ipPort(7),
    lastEndpointChange: time(8),
  },
});
export type KubeSpanPeerStatus = SpecOf<typeof KubeSpanPeerStatus>;
