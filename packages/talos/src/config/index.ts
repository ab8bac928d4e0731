export * from './config-document.ts';
export * from './config-patch.ts';
export { applyOperations, type PatchOperation } from './json-patch.ts';
