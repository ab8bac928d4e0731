export * from './cluster/reconcile.ts';
export * from './machine/reconcile.ts';
export * from './metal-cluster/reconcile.ts';
export * from './talos-config/index.ts';
