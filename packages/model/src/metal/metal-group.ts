/** Labels of the CRDs of metal.sidero.dev: found by clusterctl, moved by `clusterctl move`. */
export const METAL_CRD_LABELS = {
  app: 'sidero',
  'cluster.x-k8s.io/provider': 'sidero',
  'cluster.x-k8s.io/v1alpha3': 'v1alpha3',
  'cluster.x-k8s.io/v1alpha4': 'v1alpha3',
  'cluster.x-k8s.io/v1beta1': 'v1alpha3',
  'clusterctl.cluster.x-k8s.io/move': '',
} as const;
