import { bool, defineResource, int, ipPort, type SpecOf, text } from '@bloomery/cosi';

export const SiderolinkConfig = defineResource({
  type: 'SiderolinkConfigs.siderolink.talos.dev',
  namespace: 'config',
  columns: [
    ['API Endpoint', '{.apiEndpoint}'],
    ['Tunnel', '{.tunnel}'],
  ],
  sensitive: true,
  spec: {
    apiEndpoint: text(1),
    host: text(2),
    joinToken: text(3),
    insecure: bool(4),
    tunnel: bool(5),
  },
});
export type SiderolinkConfig = SpecOf<typeof SiderolinkConfig>;

export const SiderolinkStatus = defineResource({
  type: 'SiderolinkStatuses.siderolink.talos.dev',
  namespace: 'config',
  columns: [
    ['Host', '{.host}'],
    ['Connected', '{.connected}'],
  ],
  spec: {
    host: text(1),
    connected: bool(2),
    linkName: text(3),
    grpcTunnel: bool(4),
  },
});
export type SiderolinkStatus = SpecOf<typeof SiderolinkStatus>;

export const SiderolinkTunnel = defineResource({
  type: 'SiderolinkTunnels.siderolink.talos.dev',
  namespace: 'config',
  columns: [
    ['API Endpoint', '{.apiEndpoint}'],
    ['Link name', '{.linkName}'],
    ['MTU', '{.mtu}'],
    ['Node address', '{.nodeAddress}'],
  ],
  sensitive: true,
  spec: {
    apiEndpoint: text(1),
    linkName: text(2),
    mtu: int(3),
    nodeAddress: ipPort(4),
  },
});
export type SiderolinkTunnel = SpecOf<typeof SiderolinkTunnel>;
