import type { Json, JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { configMap, thing } from '../objects.ts';
import type { Answer } from '../session.ts';
import { THING } from '../shared-kinds.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const type = {
  look: (b: JsonObject, a: Answer): Json => [a.headers['content-type'] ?? '', b['kind'] ?? null],
};

/** A Table without descriptions: ours come from our own schema texts. */
function table(body: JsonObject): Json {
  if (body['kind'] !== 'Table') return body;
  const columns =
    (body['columnDefinitions'] as JsonObject[] | null)?.map(({ description: _, ...rest }) => rest) ?? null;
  return { ...body, columnDefinitions: columns };
}

/** What is sent for which Accept, and what is taken with which Content-Type. */
export const negotiation = area('negotiation', {
  'Accept chooses JSON, YAML, or nothing that is there': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.must('POST', s.api(THING, 'things'), thing('a'));
    const accepts = [
      '*/*',
      'application/json',
      'application/yaml',
      'text/plain',
      'text/html,*/*;q=0.1',
      'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
      'application/json;as=Nonsense;v=v1;g=meta.k8s.io',
      'application/json;as=Table;v=v2;g=meta.k8s.io',
      `${TABLE},application/json`,
      'application/json;as=Nonsense,application/json',
      'text/plain,application/yaml',
    ];
    for (const accept of accepts) {
      await s.get(s.core('configmaps/a'), { accept, ...type });
      await s.get(s.api(THING, 'things/a'), { accept, ...type });
    }
    for (const accept of [
      'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
      'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
      TABLE,
      'application/yaml',
    ])
      await s.get(s.core('configmaps'), { accept, ...type });
  },
  'a custom resource has no protobuf': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('a'));
    await s.get(s.api(THING, 'things/a'), { accept: 'application/vnd.kubernetes.protobuf', look: 'code' });
    await s.get(s.api(THING, 'things/a'), { accept: 'application/vnd.kubernetes.protobuf,application/json', ...type });
    await s.get(s.api(THING, 'things'), { accept: 'application/vnd.kubernetes.protobuf, */*', ...type });
  },
  'metadata alone': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('a', { size: 1 }, { labels: { l: '1' } }));
    await s.get(s.api(THING, 'things/a'), { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' });
    await s.get(s.api(THING, 'things'), { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' });
    await s.patch(
      s.api(THING, 'things/a'),
      { spec: { size: 2 } },
      { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
    );
    await s.delete(s.api(THING, 'things/a'), undefined, {
      accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    });
  },
  'Content-Type of bodies': async (s) => {
    const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"a"}}';
    const made = { look: (b: JsonObject): Json => (b['kind'] === 'Status' ? b : 'made') };
    for (const content of [
      'application/json',
      'application/yaml',
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/xml',
      'nonsense',
      'application/json;bad',
      '*/*',
    ])
      await s.post(s.core('configmaps'), body, { type: content, ...made });
    await s.post(s.api(THING, 'things'), body, { type: 'text/plain', ...made });
    await s.post(s.core('configmaps'), 'not protobuf', { type: 'application/vnd.kubernetes.protobuf', look: 'gist' });
  },
  'bodies of YAML': async (s) => {
    await s.post(
      s.core('configmaps'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: {x: "1"}\ndata:\n  text: |\n    a\n    b\n',
      { type: 'application/yaml' },
    );
    await s.post(s.core('configmaps'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {n: 5}\n', {
      type: 'application/yaml',
      look: 'gist',
    });
    await s.post(s.core('configmaps'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {on: yes}\n', {
      type: 'application/yaml',
      look: 'gist',
    });
    await s.post(s.core('configmaps'), 'a: [', { type: 'application/yaml', look: 'gist' });
    await s.post(
      s.api(THING, 'things'),
      `apiVersion: ${THING}\nkind: Thing\nmetadata: {name: y}\nspec: {size: 0x10, note: "no"}\n`,
      { type: 'application/yaml' },
    );
  },
  'a body over the limit is refused': async (s) => {
    await s.post(s.core('configmaps'), configMap('a', { k: 'x'.repeat(3 * 1024 * 1024) }));
    await s.post(s.api(THING, 'things'), thing('a', { size: 1, free: { k: 'x'.repeat(3 * 1024 * 1024) } }));
  },
  'Tables of built-in kinds': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a', { x: '1', y: '2' }));
    await s.must('POST', s.core('secrets'), {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'a' },
      stringData: { k: 'v' },
    });
    await s.must('POST', s.api('coordination.k8s.io/v1', 'leases'), {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'a' },
      spec: { holderIdentity: 'me' },
    });
    await s.must('POST', s.core('serviceaccounts'), {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'a' },
    });
    await s.must('POST', s.api('rbac.authorization.k8s.io/v1', 'roles'), {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'a' },
      rules: [],
    });
    await s.must('POST', s.api('rbac.authorization.k8s.io/v1', 'rolebindings'), {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'a' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a' },
      subjects: [
        { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'u' },
        { kind: 'ServiceAccount', name: 's', namespace: s.ns },
        { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'g' },
      ],
    });
    const look = { accept: TABLE, look: table };
    await s.get(s.core('configmaps/a'), look);
    await s.get(s.core('secrets/a'), look);
    await s.get(s.api('coordination.k8s.io/v1', 'leases/a'), {
      accept: TABLE,
      look: (b) => [at0(b, 'columnDefinitions', 'name'), at0(b, 'rows', 'cells')],
    });
    await s.get(s.core('serviceaccounts/a'), look);
    await s.get(s.api('rbac.authorization.k8s.io/v1', 'roles/a'), {
      accept: TABLE,
      look: (b) => [at0(b, 'columnDefinitions', 'name'), table(b)],
    });
    await s.get(s.api('rbac.authorization.k8s.io/v1', 'rolebindings/a'), look);
    await s.get(`/api/v1/namespaces/${s.ns}`, {
      accept: TABLE,
      look: (b) => [at0(b, 'columnDefinitions', 'name'), at0(b, 'rows', 'cells')],
    });
    await s.get('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.vec.bloomery.test', {
      accept: TABLE,
      look: (b) => [at0(b, 'columnDefinitions', 'name'), at0(b, 'rows', 'cells').length],
    });
    await s.get('/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin', {
      accept: TABLE,
      look: (b) => [at0(b, 'columnDefinitions', 'name'), at0(b, 'rows', 'cells').length],
    });
  },
  'Tables with objects, metadata or nothing, and lists of them': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('a', { size: 3, plain: ['p'], ports: [{ name: 'x' }] }));
    for (const include of ['None', 'Metadata', 'Object', 'Other'])
      await s.get(`${s.api(THING, 'things')}?includeObject=${include}`, { accept: TABLE, look: table });
    await s.get(s.api(THING, 'things'), { accept: TABLE, look: table });
    await s.get(s.core('pods'), {
      accept: TABLE,
      look: (b) => [b['kind'] ?? null, at0(b, 'columnDefinitions', 'name'), b['rows'] ?? null],
    });
    await s.post(s.api(THING, 'things'), thing('b'), { accept: TABLE, look: table });
    await s.delete(s.api(THING, 'things/b'), undefined, { accept: TABLE, look: table });
    await s.get(s.api(THING, 'things/none'), { accept: TABLE });
  },
  'headers of every answer': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.get(s.core('configmaps/a'), {
      look: (_, a) => [
        a.headers['cache-control'] ?? '',
        /^[0-9a-f-]{36}$/.test(a.headers['audit-id'] ?? ''),
        a.headers['content-type'] ?? '',
      ],
    });
    await s.get(s.core('configmaps/a'), {
      headers: { 'audit-id': 'mine-1' },
      look: (_, a) => a.headers['audit-id'] ?? '',
    });
    await s.get(s.core('configmaps/a'), {
      headers: { 'accept-encoding': 'gzip' },
      look: (_, a) => a.headers['content-encoding'] ?? 'plain',
    });
    await s.must('POST', s.core('configmaps'), configMap('big', { k: 'x'.repeat(200_000) }));
    await s.get(s.core('configmaps/big'), {
      headers: { 'accept-encoding': 'gzip' },
      look: (b, a) => [a.headers['content-encoding'] ?? 'plain', b['kind'] ?? null],
    });
    await s.get(s.core('configmaps'), {
      headers: { 'accept-encoding': 'deflate' },
      look: (_, a) => a.headers['content-encoding'] ?? 'plain',
    });
  },
});

function at0(body: JsonObject, list: string, member: string): Json[] {
  return ((body[list] ?? []) as JsonObject[]).flatMap((item) =>
    member === 'cells' ? (item['cells'] as Json[]).map(withoutAge) : [item[member] ?? null],
  );
}

/** Ages grow while a test runs. */
function withoutAge(cell: Json): Json {
  return typeof cell === 'string' && /^\d+s$/.test(cell) ? 'AGE' : cell;
}
