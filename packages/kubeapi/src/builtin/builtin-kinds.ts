import type { KindDefinition } from '@bloomery/model';
import { admitConfiguration } from '../webhooks/admit-configuration.ts';
import { type BuiltinKind, builtinKind } from './builtin-kind.ts';
import { admitEvent, eventConversion } from './event-rules.ts';
import { admitService, withPolicyTypes, withServiceDefaults } from './network-rules.ts';
import { podProblems, withOwnPodDefaults, withPodDefaults } from './pod-rules.ts';
import {
  admitCronJob,
  admitJob,
  admitReplicationController,
  admitSelecting,
  keptAsData,
  withCronJobDefaults,
  withJobDefaults,
  withReplicationDefaults,
  withRolloutDefaults,
  withTemplateDefaults,
} from './workload-rules.ts';

const ALL = ['all'];
const EXTENSIONS = ['api-extensions'];
const CORE = { group: '', version: 'v1' };
const ADMISSION = { group: 'admissionregistration.k8s.io', version: 'v1' };
const APPS = { group: 'apps', version: 'v1' };
const BATCH = { group: 'batch', version: 'v1' };
const NETWORKING = { group: 'networking.k8s.io', version: 'v1' };
const STORAGE = { group: 'storage.k8s.io', version: 'v1' };
const REPLICAS = {
  specReplicasPath: '.spec.replicas',
  statusReplicasPath: '.status.replicas',
  labelSelectorPath: '.spec.selector',
};

const coreKinds: readonly BuiltinKind[] = [
  {
    ...CORE,
    kind: 'Pod',
    plural: 'pods',
    shortNames: ['po'],
    categories: ALL,
    description: 'Containers that belong together. Kept as data; nothing runs them here.',
    status: true,
    generation: true,
    fields: [
      '.spec.hostNetwork',
      '.spec.nodeName',
      '.spec.restartPolicy',
      '.spec.schedulerName',
      '.spec.serviceAccountName',
      '.status.nominatedNodeName',
      '.status.phase',
      '.status.podIP',
    ],
    defaults: withOwnPodDefaults,
    admit: keptAsData('Pods', (pod) => ({ problems: podProblems(pod['spec'], 'spec') })),
  },
  {
    ...CORE,
    kind: 'Service',
    plural: 'services',
    shortNames: ['svc'],
    categories: ALL,
    description: 'A name for what answers at a port. Kept as data; nothing routes it here.',
    status: true,
    fields: ['.spec.clusterIP', '.spec.type'],
    defaults: withServiceDefaults,
    admit: admitService,
  },
  {
    ...CORE,
    kind: 'Endpoints',
    plural: 'endpoints',
    shortNames: ['ep'],
    description: 'The addresses that answer for a Service.',
  },
  {
    ...CORE,
    kind: 'PersistentVolume',
    plural: 'persistentvolumes',
    scope: 'Cluster',
    shortNames: ['pv'],
    description: 'Storage of a cluster. Kept as data.',
    status: true,
  },
  {
    ...CORE,
    kind: 'PersistentVolumeClaim',
    plural: 'persistentvolumeclaims',
    shortNames: ['pvc'],
    description: 'A request for storage. Kept as data; nothing binds it here.',
    status: true,
  },
  {
    ...CORE,
    kind: 'ResourceQuota',
    plural: 'resourcequotas',
    shortNames: ['quota'],
    description: 'Limits of a namespace. Kept as data; not enforced here.',
    status: true,
  },
  {
    ...CORE,
    kind: 'LimitRange',
    plural: 'limitranges',
    shortNames: ['limits'],
    description: 'Limits of what one object of a namespace may ask for. Kept as data; not enforced here.',
  },
  {
    ...CORE,
    kind: 'ReplicationController',
    plural: 'replicationcontrollers',
    shortNames: ['rc'],
    categories: ALL,
    description: 'A number of equal pods. Kept as data.',
    status: true,
    generation: true,
    scale: REPLICAS,
    defaults: withReplicationDefaults,
    admit: keptAsData('ReplicationControllers', admitReplicationController),
  },
  {
    ...CORE,
    kind: 'PodTemplate',
    plural: 'podtemplates',
    description: 'A template of pods.',
    generation: true,
    defaults: (object) => withPodDefaults(object, ['template', 'spec']),
  },
];

const workloadKinds: readonly BuiltinKind[] = [
  {
    ...APPS,
    kind: 'ControllerRevision',
    plural: 'controllerrevisions',
    description: 'A former state of a workload.',
  },
  {
    ...APPS,
    kind: 'DaemonSet',
    plural: 'daemonsets',
    shortNames: ['ds'],
    categories: ALL,
    description: 'One pod on each node. Kept as data; nothing runs it here.',
    status: true,
    generation: true,
    defaults: withRolloutDefaults('updateStrategy', { maxUnavailable: 1, maxSurge: 0 }),
    admit: keptAsData('DaemonSets', admitSelecting),
  },
  {
    ...APPS,
    kind: 'Deployment',
    plural: 'deployments',
    shortNames: ['deploy'],
    categories: ALL,
    description: 'Equal pods that are replaced step by step. Kept as data; nothing runs them here.',
    status: true,
    generation: true,
    scale: REPLICAS,
    defaults: withRolloutDefaults('strategy', { maxUnavailable: '25%', maxSurge: '25%' }),
    admit: keptAsData('Deployments', admitSelecting),
  },
  {
    ...APPS,
    kind: 'ReplicaSet',
    plural: 'replicasets',
    shortNames: ['rs'],
    categories: ALL,
    description: 'A number of equal pods. Kept as data; nothing runs them here.',
    status: true,
    generation: true,
    scale: REPLICAS,
    fields: ['.status.replicas'],
    defaults: withTemplateDefaults,
    admit: keptAsData('ReplicaSets', admitSelecting),
  },
  {
    ...APPS,
    kind: 'StatefulSet',
    plural: 'statefulsets',
    shortNames: ['sts'],
    categories: ALL,
    description: 'Pods with names and storage of their own. Kept as data; nothing runs them here.',
    status: true,
    generation: true,
    scale: REPLICAS,
    defaults: withRolloutDefaults('updateStrategy', { partition: 0 }),
    admit: keptAsData('StatefulSets', admitSelecting),
  },
  {
    ...BATCH,
    kind: 'Job',
    plural: 'jobs',
    categories: ALL,
    description: 'Pods that run to their end. Kept as data; nothing runs them here.',
    status: true,
    generation: true,
    fields: ['.status.successful'],
    defaults: withJobDefaults,
    admit: keptAsData('Jobs', admitJob),
  },
  {
    ...BATCH,
    kind: 'CronJob',
    plural: 'cronjobs',
    shortNames: ['cj'],
    categories: ALL,
    description: 'Jobs at given times. Kept as data; nothing runs them here.',
    status: true,
    generation: true,
    defaults: withCronJobDefaults,
    admit: keptAsData('CronJobs', admitCronJob),
  },
  {
    group: 'autoscaling',
    version: 'v2',
    kind: 'HorizontalPodAutoscaler',
    plural: 'horizontalpodautoscalers',
    shortNames: ['hpa'],
    categories: ALL,
    description: 'How many pods a workload shall have. Kept as data; nothing scales here.',
    status: true,
    admit: keptAsData('HorizontalPodAutoscalers'),
  },
  {
    group: 'policy',
    version: 'v1',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    shortNames: ['pdb'],
    description: 'How many pods may be away at a time. Kept as data.',
    status: true,
    generation: true,
  },
  {
    group: 'scheduling.k8s.io',
    version: 'v1',
    kind: 'PriorityClass',
    plural: 'priorityclasses',
    scope: 'Cluster',
    shortNames: ['pc'],
    description: 'A priority of pods. Kept as data.',
    generation: true,
  },
];

const otherKinds: readonly BuiltinKind[] = [
  {
    group: 'discovery.k8s.io',
    version: 'v1',
    kind: 'EndpointSlice',
    plural: 'endpointslices',
    description: 'Some of the addresses that answer for a Service.',
    generation: true,
  },
  {
    ...NETWORKING,
    kind: 'Ingress',
    plural: 'ingresses',
    shortNames: ['ing'],
    description: 'How requests from outside reach Services. Kept as data; nothing routes it here.',
    status: true,
    generation: true,
  },
  {
    ...NETWORKING,
    kind: 'IngressClass',
    plural: 'ingressclasses',
    scope: 'Cluster',
    description: 'Who serves Ingresses. Kept as data.',
    generation: true,
  },
  {
    ...NETWORKING,
    kind: 'NetworkPolicy',
    plural: 'networkpolicies',
    shortNames: ['netpol'],
    description: 'Who may talk to pods. Kept as data; not enforced here.',
    generation: true,
    defaults: withPolicyTypes,
  },
  {
    ...STORAGE,
    kind: 'CSIDriver',
    plural: 'csidrivers',
    scope: 'Cluster',
    description: 'A storage driver. Kept as data.',
  },
  {
    ...STORAGE,
    kind: 'StorageClass',
    plural: 'storageclasses',
    scope: 'Cluster',
    shortNames: ['sc'],
    description: 'A class of storage. Kept as data; nothing provisions it here.',
  },
  {
    ...ADMISSION,
    kind: 'MutatingWebhookConfiguration',
    plural: 'mutatingwebhookconfigurations',
    scope: 'Cluster',
    categories: EXTENSIONS,
    description: 'Webhooks that change objects before they are stored.',
    generation: true,
    admit: admitConfiguration,
  },
  {
    ...ADMISSION,
    kind: 'ValidatingWebhookConfiguration',
    plural: 'validatingwebhookconfigurations',
    scope: 'Cluster',
    categories: EXTENSIONS,
    description: 'Webhooks that judge objects before they are stored.',
    generation: true,
    admit: admitConfiguration,
  },
  {
    group: 'apiregistration.k8s.io',
    version: 'v1',
    kind: 'APIService',
    plural: 'apiservices',
    scope: 'Cluster',
    categories: EXTENSIONS,
    description: 'An API served elsewhere. Kept as data; nothing is forwarded.',
    status: true,
    admit: keptAsForwarding(),
  },
];

/** Events as events.k8s.io shows them; they are stored as core Events. */
export const eventsV1: KindDefinition = builtinKind({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  description: 'What happened to an object.',
  fields: [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((n) => `.regarding.${n}`),
    '.reason',
    '.reportingController',
    '.type',
  ],
  admit: admitEvent,
  convert: eventConversion,
});

/** Kinds that clients and manifests need and nothing here acts on, with whether their generation is kept. */
export const dataKinds: readonly { readonly kind: KindDefinition; readonly generation: boolean }[] = [
  ...coreKinds,
  ...workloadKinds,
  ...otherKinds,
].map((source) => ({ kind: builtinKind(source), generation: source.generation === true }));

function keptAsForwarding(): NonNullable<BuiltinKind['admit']> {
  const warnings = ['APIServices are kept as data here: nothing is forwarded to them'];
  return (_, old) => ({ problems: [], ...(old === undefined ? { warnings } : {}) });
}
