export * from '../operators/testing/dhcp-rig.ts';
export * from './fake-kernel/fake-kernel.ts';
export * from './test-environment.ts';
