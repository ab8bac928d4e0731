export * from './fake-kernel/fake-kernel.ts';
export * from './test-environment.ts';
