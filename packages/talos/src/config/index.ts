export {
  type ConfigDocument,
  type DocumentIdentity,
  encodeDocuments,
  identityText,
  isLegacy,
  isSameDocument,
  type LocatedDocument,
  loadConfig,
  loadDocuments,
  loadExtendedConfig,
  readConfig,
  type Strictness,
  strictProblems,
} from './config-document.ts';
export * from './config-patch.ts';
export * from './diff-configs.ts';
export { applyOperations, type PatchOperation } from './json-patch.ts';
export type { LoadProblem } from './load-refusal.ts';
export { REDACTED, redactConfig, redactTree } from './redact-config.ts';
export { extendTypes, type TypeExtensions, type TypeTable } from './type-table.ts';
