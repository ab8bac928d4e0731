export * from './address-filter.ts';
export * from './event-sink.ts';
export * from './link-peers.ts';
export * from './link-secret.ts';
export * from './link-state.ts';
export * from './plan-event.ts';
export * from './provision-service.ts';
export * from './start-link.ts';
