export * from './json-patch.ts';
export * from './merge-patch.ts';
export * from './patch-result.ts';
export * from './strategic-merge-patch.ts';
