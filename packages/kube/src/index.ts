export * from './object-cache.ts';
export * from './object-client.ts';
