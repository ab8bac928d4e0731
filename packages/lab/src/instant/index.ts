export { type Contract, fakeCluster, fakeMachine, fakeMachineTemplate } from './fake-kinds.ts';
export { ANNOTATION_FAULT } from './fault-annotation.ts';
export type { InstantCluster, InstantMachine } from './instant-cluster.ts';
export type { InstantWorld } from './instant-world.ts';
export * from './start-instant-machines.ts';
