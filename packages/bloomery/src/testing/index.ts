export * from './kubectl.ts';
export * from './peer-process.ts';
export * from './serve-process.ts';
