export type { ConnectionLimits } from './connections.ts';
export * from './create-talos-api.ts';
export * from './talos-api.ts';
