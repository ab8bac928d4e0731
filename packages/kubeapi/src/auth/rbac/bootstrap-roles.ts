import type { JsonObject } from '@bloomery/model';

/** A ClusterRole that is there from the first start. */
export interface BootstrapRole {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly rules: readonly JsonObject[];
  /** Its rules are those of all ClusterRoles with this label. */
  readonly aggregates?: string;
}

/** A ClusterRoleBinding that is there from the first start, to the ClusterRole of its name. */
export interface BootstrapBinding {
  readonly name: string;
  readonly subjects: readonly JsonObject[];
}

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const ALL = [...WRITE, ...READ].sort();

const rule = (group: string, resources: readonly string[], verbs: readonly string[]): JsonObject => ({
  verbs: [...verbs],
  apiGroups: [group],
  resources: [...resources],
});
const paths = (...nonResourceURLs: string[]): JsonObject => ({ verbs: ['get'], nonResourceURLs });
const aggregateTo = (role: string): string => `rbac.authorization.k8s.io/aggregate-to-${role}`;
const aggregatedTo = (role: string): Readonly<Record<string, string>> => ({ [aggregateTo(role)]: 'true' });

const HEALTH = ['/healthz', '/livez', '/readyz', '/version', '/version/'];
const WORKLOADS = ['daemonsets', 'deployments', 'replicasets', 'statefulsets'];
const SCALED = ['deployments/scale', 'replicasets/scale', 'statefulsets/scale'];
const EDITED_CORE = [
  'configmaps',
  'endpoints',
  'events',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'replicationcontrollers/scale',
  'secrets',
  'serviceaccounts',
  'services',
];
const NETWORK = ['ingresses', 'networkpolicies'];
/** Of Cluster API: none holds credentials. */
const CORE_KINDS = ['clusters', 'machinedeployments', 'machinehealthchecks', 'machinepools', 'machines', 'machinesets'];
const CORE_SCALED = ['machinedeployments/scale', 'machinesets/scale'];
const withStatus = (resources: readonly string[]): readonly string[] => resources.flatMap((r) => [r, `${r}/status`]);

/** Not the kernel logs of machines, `serverlogs`: whatever runs on a machine may have written to them. */
const INSIGHT = ['boottraces', 'explanations', 'plans', 'siderolinkdevices', 'siderolinkpeers', 'timelines'];

/** What namespaced kinds of the product anybody may see who may see a namespace; none of them holds credentials. */
const SEEN_KINDS: readonly JsonObject[] = [
  rule('cluster.x-k8s.io', [...withStatus(CORE_KINDS), ...CORE_SCALED], READ),
  rule(
    'infrastructure.cluster.x-k8s.io',
    [...withStatus(['metalclusters', 'metalmachines']), 'metalmachinetemplates'],
    READ,
  ),
  rule('insight.bloomery.dev', INSIGHT, READ),
];

/**
 * Kinds with whole machine configurations or BMC passwords in them: to see them is to hold credentials, so `view` does not have
 * them, nor the kernel logs. Those of metal.sidero.dev and ServerBindings are of the whole rack, and no role for a namespace writes them.
 */
const EDITED_KINDS: readonly JsonObject[] = [
  rule('cluster.x-k8s.io', [...CORE_KINDS, ...CORE_SCALED], WRITE),
  rule('infrastructure.cluster.x-k8s.io', ['metalclusters', 'metalmachines', 'metalmachinetemplates'], WRITE),
  rule('bootstrap.cluster.x-k8s.io', ['*'], ALL),
  rule('controlplane.cluster.x-k8s.io', ['*'], ALL),
  rule('insight.bloomery.dev', ['serverlogs'], READ),
];

/** The roles of every Kubernetes, cut to the kinds that can be here, and the two of the rack. */
export const BOOTSTRAP_ROLES: readonly BootstrapRole[] = [
  {
    name: 'cluster-admin',
    rules: [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ],
  },
  {
    name: 'system:discovery',
    rules: [
      paths(
        '/api',
        '/api/*',
        '/apis',
        '/apis/*',
        '/healthz',
        '/livez',
        '/openapi',
        '/openapi/*',
        '/readyz',
        '/version',
        '/version/',
      ),
    ],
  },
  { name: 'system:public-info-viewer', rules: [paths(...HEALTH)] },
  {
    name: 'system:monitoring',
    rules: [
      paths('/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/metrics/slis', '/readyz', '/readyz/*'),
      rule('', ['nodes/metrics'], ['get']),
    ],
  },
  {
    name: 'system:basic-user',
    rules: [
      rule('authorization.k8s.io', ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['create']),
      rule('authentication.k8s.io', ['selfsubjectreviews'], ['create']),
    ],
  },
  {
    name: 'system:auth-delegator',
    rules: [
      rule('authentication.k8s.io', ['tokenreviews'], ['create']),
      rule('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
    ],
  },
  {
    name: 'system:service-account-issuer-discovery',
    rules: [
      paths(
        '/.well-known/openid-configuration',
        '/.well-known/openid-configuration/',
        '/openid/v1/jwks',
        '/openid/v1/jwks/',
      ),
    ],
  },
  { name: 'admin', rules: [], aggregates: aggregateTo('admin') },
  { name: 'edit', rules: [], aggregates: aggregateTo('edit'), labels: aggregatedTo('admin') },
  { name: 'view', rules: [], aggregates: aggregateTo('view'), labels: aggregatedTo('edit') },
  {
    name: 'system:aggregate-to-admin',
    labels: aggregatedTo('admin'),
    rules: [
      rule('authorization.k8s.io', ['localsubjectaccessreviews'], ['create']),
      rule('rbac.authorization.k8s.io', ['rolebindings', 'roles'], ALL),
    ],
  },
  {
    name: 'system:aggregate-to-edit',
    labels: aggregatedTo('edit'),
    rules: [
      rule('', ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'], READ),
      rule('', ['serviceaccounts'], ['impersonate']),
      rule('', ['pods', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'], WRITE),
      rule('', ['pods/eviction', 'serviceaccounts/token'], ['create']),
      rule(
        '',
        EDITED_CORE.filter((resource) => resource !== 'endpoints'),
        WRITE,
      ),
      rule('apps', [...WORKLOADS, ...SCALED], WRITE),
      rule('autoscaling', ['horizontalpodautoscalers'], WRITE),
      rule('batch', ['cronjobs', 'jobs'], WRITE),
      rule('policy', ['poddisruptionbudgets'], WRITE),
      rule('networking.k8s.io', NETWORK, WRITE),
      rule('coordination.k8s.io', ['leases'], ALL),
    ],
  },
  {
    name: 'system:aggregate-to-view',
    labels: aggregatedTo('view'),
    rules: [
      rule('', ['pods', ...EDITED_CORE.filter((resource) => resource !== 'secrets')], READ),
      rule('', ['limitranges', 'namespaces', 'namespaces/status', 'pods/log', 'pods/status', 'services/status'], READ),
      rule(
        '',
        [...withStatus(['resourcequotas']), 'persistentvolumeclaims/status', 'replicationcontrollers/status'],
        READ,
      ),
      rule('discovery.k8s.io', ['endpointslices'], READ),
      rule('apps', ['controllerrevisions', ...withStatus(WORKLOADS), ...SCALED], READ),
      rule('autoscaling', withStatus(['horizontalpodautoscalers']), READ),
      rule('batch', withStatus(['cronjobs', 'jobs']), READ),
      rule('policy', withStatus(['poddisruptionbudgets']), READ),
      rule('networking.k8s.io', [...NETWORK, 'ingresses/status'], READ),
    ],
  },
  { name: 'bloomery:aggregate-to-view', labels: aggregatedTo('view'), rules: SEEN_KINDS },
  { name: 'bloomery:aggregate-to-edit', labels: aggregatedTo('edit'), rules: EDITED_KINDS },
  {
    name: 'bloomery:rack-viewer',
    rules: [
      rule('metal.sidero.dev', ['*'], READ),
      rule('infrastructure.cluster.x-k8s.io', withStatus(['serverbindings']), READ),
    ],
  },
  {
    name: 'bloomery:rack-admin',
    rules: [
      rule('metal.sidero.dev', ['*'], ALL),
      rule('infrastructure.cluster.x-k8s.io', withStatus(['serverbindings']), ALL),
      rule('insight.bloomery.dev', ['serverlogs'], READ),
    ],
  },
];

const group = (name: string): JsonObject => ({ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name });

/** Who has which of them. */
export const BOOTSTRAP_BINDINGS: readonly BootstrapBinding[] = [
  { name: 'cluster-admin', subjects: [group('system:masters')] },
  { name: 'system:basic-user', subjects: [group('system:authenticated')] },
  { name: 'system:discovery', subjects: [group('system:authenticated')] },
  { name: 'system:monitoring', subjects: [group('system:monitoring')] },
  { name: 'system:public-info-viewer', subjects: [group('system:authenticated'), group('system:unauthenticated')] },
  { name: 'system:service-account-issuer-discovery', subjects: [group('system:serviceaccounts')] },
];
