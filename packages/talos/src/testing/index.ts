export type { CallFault, CallFaults, RecordedCall } from './call-faults.ts';
export * from './fake-cluster.ts';
export * from './fake-etcd.ts';
export type { FakeMachine, MachineOrder } from './fake-machine.ts';
export * from './fake-talos-node.ts';
export * from './talos-machinery.ts';
export * from './test-authority.ts';
