export * from './start-test-runtime.ts';
