/** Labels of the CRDs of the infrastructure group: the contract map that Cluster API reads. */
export const INFRASTRUCTURE_CRD_LABELS = {
  app: 'sidero',
  'cluster.x-k8s.io/provider': 'sidero',
  'cluster.x-k8s.io/v1alpha3': 'v1alpha3',
  'cluster.x-k8s.io/v1alpha4': 'v1alpha3',
  'cluster.x-k8s.io/v1beta1': 'v1alpha3',
} as const;

/** JSONPath of the cluster that an object belongs to. */
export const CLUSTER_LABEL_PATH = '.metadata.labels.cluster\\.x-k8s\\.io/cluster-name';

/** JSONPath of the Machine that owns an object. */
export const OWNER_MACHINE_PATH = '.metadata.ownerReferences[?(@.kind=="Machine")].name';
