export * from './config-document.ts';
export * from './config-patch.ts';
export * from './diff-configs.ts';
export { applyOperations, type PatchOperation } from './json-patch.ts';
export { REDACTED, redactConfig, redactTree } from './redact-config.ts';
