export * from './cluster/reconcile.ts';
export * from './machine/reconcile.ts';
export * from './metal-cluster/reconcile.ts';
export * from './talos-config/index.ts';
export * from './workload/create-workload-clusters.ts';
export * from './workload/kubeconfig-secret.ts';
export * from './workload/workload-clusters.ts';
