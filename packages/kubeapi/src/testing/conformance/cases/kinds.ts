import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { at, secret } from '../objects.ts';
import type { Session } from '../session.ts';

const labels = { app: 'x' };
const container = { name: 'c', image: 'registry.test/i:1', ports: [{ containerPort: 80 }] };
const template = { metadata: { labels }, spec: { containers: [container] } };
const selector = { matchLabels: labels };

const deployment = (name: string, spec: JsonObject = {}): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { selector, template, ...spec },
});

const DEPLOYMENTS = (s: Session): string => s.api('apps/v1', 'deployments');
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const STRATEGIC = 'application/strategic-merge-patch+json';

/** Without headers: on our side workloads are created with a warning that nothing runs them. */
const body = ({ metadata, ...rest }: JsonObject): JsonObject => ({
  ...rest,
  generation: at(metadata, 'generation') ?? null,
  labels: at(metadata, 'labels') ?? null,
});
const cellsOf = ({ columnDefinitions, rows }: JsonObject): JsonObject => ({
  columns: Array.isArray(columnDefinitions)
    ? columnDefinitions.map((c) => [at(c, 'name') ?? '', at(c, 'type') ?? '', at(c, 'priority') ?? 0])
    : [],
  cells: Array.isArray(rows) ? rows.map((row) => at(row, 'cells') ?? []) : [],
});

const samples: readonly (readonly [groupVersion: string, plural: string, object: JsonObject])[] = [
  ['v1', 'endpoints', { subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }] }],
  ['v1', 'resourcequotas', { spec: { hard: { pods: '10' } } }],
  ['v1', 'replicationcontrollers', { spec: { template } }],
  ['v1', 'podtemplates', { template }],
  ['apps/v1', 'deployments', { spec: { selector, template } }],
  ['apps/v1', 'replicasets', { spec: { selector, template } }],
  ['apps/v1', 'statefulsets', { spec: { selector, template, serviceName: 's' } }],
  ['apps/v1', 'controllerrevisions', { revision: 3, data: { a: 1 } }],
  [
    'batch/v1',
    'cronjobs',
    {
      spec: {
        schedule: '* * * * *',
        jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
      },
    },
  ],
  ['networking.k8s.io/v1', 'networkpolicies', { spec: { podSelector: selector, egress: [{ ports: [{ port: 53 }] }] } }],
  ['networking.k8s.io/v1', 'ingresses', { spec: { defaultBackend: { service: { name: 'a', port: { number: 80 } } } } }],
  ['policy/v1', 'poddisruptionbudgets', { spec: { selector, minAvailable: '50%' } }],
  [
    'discovery.k8s.io/v1',
    'endpointslices',
    { addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.1'] }], ports: [{ port: 80 }] },
  ],
  [
    'autoscaling/v2',
    'horizontalpodautoscalers',
    { spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } } },
  ],
];

const made = Object.fromEntries(
  samples.map(([groupVersion, plural, object]) => [
    `${plural} are completed, shown and listed`,
    async (s: Session) => {
      const path = groupVersion === 'v1' ? s.core(plural) : s.api(groupVersion, plural);
      await s.post(path, { metadata: { name: 'x' }, ...object }, { look: body });
      await s.get(`${path}/x`, { accept: TABLE, look: cellsOf });
    },
  ]),
);

const SCHEMAS: readonly (readonly [path: string, names: readonly string[]])[] = [
  [
    'api/v1',
    [
      'core.v1.PodSpec',
      'core.v1.Container',
      'core.v1.EphemeralContainer',
      'core.v1.PodStatus',
      'core.v1.NodeSpec',
      'core.v1.NodeStatus',
      'core.v1.ServiceSpec',
      'core.v1.ServiceAccount',
      'core.v1.ServiceStatus',
    ],
  ],
  ['apis/apps/v1', ['apps.v1.DeploymentSpec', 'apps.v1.DeploymentStatus', 'apps.v1.StatefulSetSpec']],
  ['apis/batch/v1', ['batch.v1.JobSpec', 'batch.v1.JobStatus']],
  ['apis/policy/v1', ['policy.v1.PodDisruptionBudgetSpec', 'policy.v1.PodDisruptionBudgetStatus']],
  ['apis/admissionregistration.k8s.io/v1', ['admissionregistration.v1.MutatingWebhookConfiguration']],
];

/** The fields of a published schema that are merged in a way of their own. Atomic is what all others are. */
function mergesOf(document: JsonObject, name: string): JsonObject {
  const properties = at(document, 'components', 'schemas', `io.k8s.api.${name}`, 'properties');
  const fields = membersOf(properties).flatMap(([field, schema]) => {
    const extensions = membersOf(schema).filter(
      ([key, value]) => /^x-kubernetes-(list|map|patch)-/.test(key) && value !== 'atomic' && value !== 'granular',
    );
    return extensions.length === 0 ? [] : [[field, Object.fromEntries(extensions.sort())] as const];
  });
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function membersOf(value: Json | undefined): readonly [string, Json][] {
  return isJsonObject(value) ? Object.entries(value).map(([name, member]) => [name, member ?? null]) : [];
}

/** Built-in kinds: schemas, defaults, rules and Tables. */
export const kinds = area('kinds', {
  ...made,
  'schemas say how lists are merged': async (s) => {
    for (const [path, names] of SCHEMAS) {
      const document = await s.must('GET', `/openapi/v3/${path}`);
      s.note(path, Object.fromEntries(names.map((name) => [name, mergesOf(document, name)])));
    }
  },
  'a generation counts changes of the spec only': async (s) => {
    await s.must('POST', DEPLOYMENTS(s), deployment('d'));
    const path = `${DEPLOYMENTS(s)}/d`;
    const generation = (body: JsonObject): JsonObject => ({ generation: at(body, 'metadata', 'generation') ?? null });
    await s.patch(path, { metadata: { labels: { a: 'b' } } }, { look: generation });
    await s.patch(path, { spec: { replicas: 2 } }, { look: generation });
    await s.patch(`${path}/status`, { status: { replicas: 2, observedGeneration: 2 } }, { look: generation });
  },
  'a Deployment has a scale': async (s) => {
    await s.must('POST', DEPLOYMENTS(s), deployment('d'));
    const path = `${DEPLOYMENTS(s)}/d/scale`;
    const scale = (body: JsonObject): JsonObject => ({
      kind: body['kind'] ?? '',
      spec: body['spec'] ?? {},
      status: body['status'] ?? {},
    });
    await s.get(path, { look: scale });
    await s.patch(path, { spec: { replicas: 5 } }, { look: scale });
    await s.get(`${DEPLOYMENTS(s)}/d`, { look: (body) => ({ replicas: at(body, 'spec', 'replicas') ?? null }) });
  },
  'a strategic merge patch merges containers by name, and ports and variables in them': async (s) => {
    await s.must('POST', DEPLOYMENTS(s), deployment('d'));
    const path = `${DEPLOYMENTS(s)}/d`;
    const look = (body: JsonObject): JsonObject => ({
      containers: at(body, 'spec', 'template', 'spec', 'containers') ?? [],
    });
    const change = (containers: readonly JsonObject[]): JsonObject => ({
      spec: { template: { spec: { containers } } },
    });
    await s.patch(
      path,
      change([
        { name: 'd', image: 'registry.test/j' },
        { name: 'c', env: [{ name: 'A', value: '1' }] },
      ]),
      { type: STRATEGIC, look },
    );
    await s.patch(path, change([{ name: 'c', env: [{ name: 'B', value: '2' }], ports: [{ containerPort: 81 }] }]), {
      type: STRATEGIC,
      look,
    });
    await s.patch(
      path,
      change([
        { name: 'd', $patch: 'delete' },
        { name: 'c', ports: [{ containerPort: 80, $patch: 'delete' }] },
      ]),
      { type: STRATEGIC, look },
    );
  },
  'server-side apply owns containers and ports one by one': async (s) => {
    const path = `${DEPLOYMENTS(s)}/d`;
    const fields = (body: JsonObject): JsonObject => ({
      message: body['message'] ?? null,
      managed: at(body, 'metadata', 'managedFields') ?? null,
    });
    await s.apply(path, 'one', deployment('d'), { look: fields });
    const other = { ...template, spec: { containers: [{ ...container, image: 'registry.test/i:2' }] } };
    await s.apply(path, 'two', deployment('d', { template: other }), { look: fields });
    await s.apply(path, 'two', deployment('d', { template: other }), { force: true, look: fields });
  },
  'nulls of Go clients are nothing in server-side apply too': async (s) => {
    const metadata = { labels, creationTimestamp: null };
    const applied = { ...deployment('d', { template: { ...template, metadata }, strategy: {} }), status: {} };
    const look = (body: JsonObject): JsonObject => ({
      message: body['message'] ?? null,
      spec: body['spec'] ?? null,
      managed: at(body, 'metadata', 'managedFields') ?? null,
    });
    await s.apply(`${DEPLOYMENTS(s)}/d`, 'one', applied, { look });
    await s.apply(`${DEPLOYMENTS(s)}/d`, 'one', applied, { look });
  },
  'workloads are refused without what makes them work': async (s) => {
    await s.post(DEPLOYMENTS(s), { metadata: { name: 'a' }, spec: { selector, template: { metadata: { labels } } } });
    await s.post(DEPLOYMENTS(s), {
      metadata: { name: 'b' },
      spec: { selector: { matchLabels: { app: 'y' } }, template },
    });
    await s.post(s.core('pods'), { metadata: { name: 'p' }, spec: {} });
    await s.post(s.api('batch/v1', 'jobs'), { metadata: { name: 'j' }, spec: { template } });
    await s.post(s.core('services'), { metadata: { name: '0s' }, spec: { ports: [{ port: 80 }] } });
    await s.post(s.core('services'), { metadata: { name: 's' }, spec: {} });
  },
  'a selector does not change': async (s) => {
    await s.must('POST', DEPLOYMENTS(s), deployment('d'));
    const two = { app: 'x', two: 'y' };
    const spec = { selector: { matchLabels: two }, template: { metadata: { labels: two } } };
    await s.patch(`${DEPLOYMENTS(s)}/d`, { spec });
  },
  'fields that a kind does not have are told, or refused': async (s) => {
    const odd = deployment('d', { replica: 3 });
    await s.post(`${DEPLOYMENTS(s)}?fieldValidation=Strict`, odd);
    await s.post(`${DEPLOYMENTS(s)}?dryRun=All`, { ...odd, spec: 7 });
  },
  'a Secret keeps its type, and its data when it is immutable': async (s) => {
    const path = s.core('secrets');
    await s.post(path, secret('s', { a: '1' }, { data: { b: 'Mg==', a: 'MA==' } }), { look: body });
    await s.patch(`${path}/s`, { type: 'other' });
    await s.patch(`${path}/s`, { immutable: true }, { look: body });
    await s.patch(`${path}/s`, { data: { a: 'MQ==', b: null } });
    await s.patch(`${path}/s`, { immutable: null });
    await s.post(path, { metadata: { name: 't' }, type: 'kubernetes.io/tls', data: { 'tls.crt': '' } });
    await s.post(path, { metadata: { name: 'u' }, data: { 'a/b': 'MQ==' } });
  },
  'a ConfigMap is refused with bad keys': async (s) => {
    const path = s.core('configmaps');
    await s.post(path, { metadata: { name: 'a' }, data: { 'a b': '1' } });
    await s.post(path, { metadata: { name: 'b' }, data: { a: '1' }, binaryData: { a: 'MQ==' } });
    await s.post(path, { metadata: { name: 'c' }, data: { '..': '1' } });
  },
  'a Lease must last': async (s) => {
    const path = s.api('coordination.k8s.io/v1', 'leases');
    await s.post(path, { metadata: { name: 'l' }, spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } });
  },
  'bindings are completed with the group of what they name': async (s) => {
    const path = s.api('rbac.authorization.k8s.io/v1', 'rolebindings');
    const subjects = [
      { kind: 'User', name: 'u' },
      { kind: 'ServiceAccount', name: 'a', namespace: s.ns },
    ];
    await s.post(
      path,
      { metadata: { name: 'b' }, subjects, roleRef: { kind: 'ClusterRole', name: 'view' } },
      { look: body },
    );
  },
  'events of both groups are the same': async (s) => {
    const modern = s.api('events.k8s.io/v1', 'events');
    const regarding = { kind: 'Pod', namespace: s.ns, name: 'p' };
    const reporter = { reportingController: 'a.test/b', reportingInstance: 'i', action: 'Do', reason: 'Done' };
    const event = {
      metadata: { name: 'e' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      type: 'Normal',
      note: 'n',
      regarding,
      ...reporter,
    };
    await s.post(modern, event, { look: body });
    await s.get(s.core('events/e'), { look: body });
    const series = { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' };
    await s.patch(`${modern}/e`, { series }, { type: STRATEGIC, look: body });
    await s.get(s.core('events/e'), { accept: TABLE, look: cellsOf });
    await s.patch(`${modern}/e`, { note: 'other', action: 'Other' });
    await s.post(modern, { metadata: { name: 'f' }, regarding });
    await s.post(modern, { ...event, metadata: { name: 'g' }, deprecatedCount: 1, series: { count: 1 } });
    await s.post(s.core('events'), { metadata: { name: 'h' }, involvedObject: { namespace: 'elsewhere' } });
    await s.post(s.core('events'), {
      metadata: { name: 'i' },
      involvedObject: regarding,
      eventTime: '2026-01-01T00:00:00.000000Z',
    });
    const names = (body: JsonObject): JsonObject => ({
      message: body['message'] ?? null,
      names: Array.isArray(body['items']) ? body['items'].map((e) => at(e, 'metadata', 'name') ?? '') : [],
    });
    for (const field of ['regarding.name=p', 'reportingController=a.test/b', 'reason=Done', 'note=n']) {
      await s.get(`${modern}?fieldSelector=${encodeURIComponent(field)}`, { look: names });
    }
    for (const field of [
      'involvedObject.name=p',
      'source=a.test/b',
      'reportingComponent=a.test/b',
      'regarding.name=p',
    ]) {
      await s.get(`${s.core('events')}?fieldSelector=${encodeURIComponent(field)}`, { look: names });
    }
    await s.get(`${modern}/absent`);
  },
  'kubectl makes and shows workloads': async (s) => {
    await s.kubectl(['create', 'deployment', 'web', '--image=registry.test/i:1', '--replicas=2'], { quiet: true });
    await s.kubectl(['create', 'job', 'once', '--image=registry.test/i:1'], { quiet: true });
    await s.kubectl(['get', 'deployments,jobs']);
    await s.kubectl(['get', 'deployment', 'web', '-o', 'wide']);
    await s.kubectl(['scale', 'deployment', 'web', '--replicas=3']);
    await s.kubectl(['set', 'image', 'deployment/web', 'i=registry.test/i:2']);
    await s.kubectl(['rollout', 'status', 'deployment/web', '--watch=false']);
    await s.kubectl([
      'get',
      'deployment',
      'web',
      '-o',
      'jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image}',
    ]);
    await s.kubectl(['delete', 'deployment,job', '--all']);
  },
  'the old kubectl makes and shows workloads': async (s) => {
    await s.kubectl(['create', 'deployment', 'web', '--image=registry.test/i:1'], { quiet: true, old: true });
    await s.kubectl(['get', 'deployments'], { old: true });
    await s.kubectl(['set', 'image', 'deployment/web', 'i=registry.test/i:2'], { old: true });
    await s.kubectl(['get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'], {
      old: true,
    });
  },
  'every namespace has its service account and its certificate': async (s) => {
    const names = (body: JsonObject): JsonObject => ({
      name: at(body, 'metadata', 'name') ?? null,
    });
    await s.eventually('the account', s.core('serviceaccounts/default'), ({ code }) => code === 200);
    await s.eventually('the certificate', s.core('configmaps/kube-root-ca.crt'), ({ code }) => code === 200);
    await s.get(s.core('serviceaccounts/default'), { look: names });
    await s.get(s.core('configmaps/kube-root-ca.crt'), { look: names });
  },
});
