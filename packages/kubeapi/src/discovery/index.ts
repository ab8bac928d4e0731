export * from './api-resource.ts';
export * from './discovery.ts';
export * from './version-order.ts';
