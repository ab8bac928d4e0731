export * from './api-resource.ts';
export * from './discovery.ts';
