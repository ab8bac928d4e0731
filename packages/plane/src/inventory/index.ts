export * from './agent/agent-deps.ts';
export * from './agent/agent-service.ts';
export * from './server/plan.ts';
export * from './server/reconcile.ts';
export * from './server-hardware.ts';
export * from './server-identity.ts';
export * from './server-name.ts';
export * from './wipe-guard.ts';
