import type { Json } from '@bloomery/model';

const FILE_MODE = { defaultMode: 420 } as const;

/** Values that kube-apiserver fills in where a field of a message is absent, as long as they depend on nothing else. */
const PRESETS: { readonly [message: string]: { readonly [field: string]: Json } } = {
  'admissionregistration.MutatingWebhook': { reinvocationPolicy: 'Never', ...webhook() },
  'admissionregistration.Rule': { scope: '*' },
  'admissionregistration.ServiceReference': { port: 443 },
  'admissionregistration.ValidatingWebhook': webhook(),
  'apiregistration.ServiceReference': { port: 443 },
  'apps.DaemonSetSpec': { revisionHistoryLimit: 10 },
  'apps.DaemonSetUpdateStrategy': { type: 'RollingUpdate' },
  'apps.DeploymentSpec': { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 },
  'apps.DeploymentStrategy': { type: 'RollingUpdate' },
  'apps.ReplicaSetSpec': { replicas: 1 },
  'apps.StatefulSetSpec': {
    replicas: 1,
    podManagementPolicy: 'OrderedReady',
    revisionHistoryLimit: 10,
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
  },
  'apps.StatefulSetUpdateStrategy': { type: 'RollingUpdate' },
  'autoscaling.HorizontalPodAutoscalerSpec': {
    minReplicas: 1,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
  },
  'batch.CronJobSpec': {
    concurrencyPolicy: 'Allow',
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
  },
  'core.ConfigMapVolumeSource': FILE_MODE,
  'core.Container': { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' },
  'core.DownwardAPIVolumeSource': FILE_MODE,
  'core.EndpointPort': { protocol: 'TCP' },
  'core.EphemeralContainerCommon': {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  },
  'core.HTTPGetAction': { path: '/', scheme: 'HTTP' },
  'core.HostPathVolumeSource': { type: '' },
  'core.ObjectFieldSelector': { apiVersion: 'v1' },
  'core.PersistentVolumeClaimSpec': { volumeMode: 'Filesystem' },
  'core.PersistentVolumeClaimStatus': { phase: 'Pending' },
  'core.PersistentVolumeSpec': { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' },
  'core.PersistentVolumeStatus': { phase: 'Pending' },
  'core.PodSpec': {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
  },
  'core.PodStatus': { phase: 'Pending' },
  'core.Probe': { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 },
  'core.ProjectedVolumeSource': FILE_MODE,
  'core.ReplicationControllerSpec': { replicas: 1 },
  'core.SecretVolumeSource': FILE_MODE,
  'core.ServiceAccountTokenProjection': { expirationSeconds: 3600 },
  'core.ServiceSpec': { type: 'ClusterIP', sessionAffinity: 'None' },
  'discovery.EndpointPort': { name: '', protocol: 'TCP' },
  'networking.IngressClassParametersReference': { scope: 'Cluster' },
  'networking.NetworkPolicyPort': { protocol: 'TCP' },
  'scheduling.PriorityClass': { preemptionPolicy: 'PreemptLowerPriority' },
  'storage.CSIDriverSpec': {
    attachRequired: true,
    podInfoOnMount: false,
    volumeLifecycleModes: ['Persistent'],
    storageCapacity: false,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    requiresRepublish: false,
    seLinuxMount: false,
  },
  'storage.StorageClass': { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
};

/** What is filled in for an absent field of a message; undefined for nothing. */
export function presetOf(message: string, field: string): Json | undefined {
  return PRESETS[message]?.[field];
}

function webhook(): { readonly [field: string]: Json } {
  return {
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
  };
}
