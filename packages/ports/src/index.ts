export * from './clock.ts';
export * from './error.ts';
export * from './error-codes.ts';
export * from './fake-clock.ts';
export * from './log.ts';
export * from './record-file.ts';
export * from './service.ts';
export * from './system-clock.ts';
