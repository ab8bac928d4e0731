export { createFinalConfig, type FinalConfigDeps } from './final-config.ts';
export { createMetadataRoute, type MetadataRouteDeps } from './metadata-route.ts';
export { type ConfigInput, type ConfigPlan, type PatchSource, planConfig, planOwnConfig } from './plan-config.ts';
export { type ConfigSources, readConfigSources } from './read-config-input.ts';
