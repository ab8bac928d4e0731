export type { ConfigSources } from './acquire-config.ts';
export { configControllers } from './config-controllers.ts';
export { type ApplyOutcome, type ApplyRequest, type ConfigStore, openConfigStore } from './config-store.ts';
export { checkNodeConfig, type LoadedNodeConfig, loadNodeConfig } from './load-node-config.ts';
export * from './node-config.ts';
