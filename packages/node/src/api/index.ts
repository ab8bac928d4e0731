export { createNodeLogs, type NodeLogs } from './node-logs.ts';
export { type NodeApi, type NodeApiDeps, startNodeApi } from './start-node-api.ts';
