export * from './cosi-client.ts';
export * from './sample-spec.ts';
export * from './serve-state.ts';
export * from './start-test-runtime.ts';
export * from './state-conformance.ts';
