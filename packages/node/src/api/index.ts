export { type NodeApi, type NodeApiDeps, startNodeApi } from './start-node-api.ts';
