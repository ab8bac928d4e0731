export * from './memory-client.ts';
export * from './object-client-conformance.ts';
