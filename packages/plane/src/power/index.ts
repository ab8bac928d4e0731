export * from './bmc-gate.ts';
export * from './fake-power.ts';
export * from './ipmi-client.ts';
export * from './ipmitool.ts';
export * from './management-api-client.ts';
export * from './power-client.ts';
export * from './power-clients.ts';
