export * from './address-port.ts';
export * from './api-endpoint.ts';
export * from './device/link-interface.ts';
export * from './device/start-wireguard.ts';
export {
  adoptUserspaceDevice,
  startNamedUserspaceDevice,
  type UserspaceDeps,
  type UserspaceDevice,
} from './device/userspace-device.ts';
export * from './device/wireguard-device.ts';
export { type DialDeps, openSocket, type Spoken } from './dial/open-socket.ts';
export type { Environment } from './dial/proxy-for.ts';
export * from './endpoint-order.ts';
export * from './kernel-log/kernel-log-line.ts';
export * from './kernel-log/kernel-log-record.ts';
export * from './kernel-log/kernel-log-source.ts';
export * from './kernel-log/read-kernel-log.ts';
export * from './link-identity.ts';
export * from './link-silence.ts';
export * from './link-sinks.ts';
export * from './machine-event.ts';
export * from './network-prefix.ts';
export * from './node/host-port.ts';
export * from './node/link-arguments.ts';
export * from './node/link-document.ts';
export * from './node/link-sources.ts';
export * from './node/machine-events.ts';
export * from './node/node-options.ts';
export * from './node/siderolink-node.ts';
export * from './plan-peers.ts';
export * from './tunnel/tunnel-relay.ts';
export * from './tunnel/tunnel-server.ts';
export * from './tunnel/virtual-address.ts';
export * from './wireguard-keys.ts';
