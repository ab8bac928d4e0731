export * from './metal-machine/reconcile.ts';
export * from './paused.ts';
export * from './server-binding/reconcile.ts';
export * from './server-class/reconcile.ts';
export * from './wait.ts';
