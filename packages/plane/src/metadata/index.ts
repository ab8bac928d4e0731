export { createMetadataRoute, type MetadataRouteDeps } from './metadata-route.ts';
export { type ConfigInput, type ConfigPlan, type PatchSource, planConfig } from './plan-config.ts';
