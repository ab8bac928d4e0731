export type { ApiAccess } from './api-access.ts';
export { type NodeApi, type NodeApiDeps, startNodeApi } from './start-node-api.ts';
