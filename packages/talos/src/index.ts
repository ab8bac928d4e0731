export * from './api/index.ts';
export * from './certificates/index.ts';
export * from './config/index.ts';
export * from './generate/index.ts';
export * from './secrets/index.ts';
export * from './validate/index.ts';
export * from './yaml/index.ts';
