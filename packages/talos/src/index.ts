export * from './api/index.ts';
export * from './certificates/index.ts';
export * from './config/index.ts';
export * from './generate/index.ts';
export * from './secrets/index.ts';
export * from './testing/talos-machinery.ts';
export * from './testing/test-authority.ts';
export * from './yaml/index.ts';
