export * from './api-endpoint.ts';
export * from './endpoint-order.ts';
export * from './link-identity.ts';
export * from './machine-event.ts';
export * from './network-prefix.ts';
export * from './plan-peers.ts';
export * from './wireguard-keys.ts';
