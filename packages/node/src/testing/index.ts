export * from './fake-kernel/fake-kernel.ts';
