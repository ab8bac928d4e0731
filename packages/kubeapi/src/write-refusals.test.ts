import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@bloomery/model';
import { startTestApi, type TestApi } from './testing/test-api.ts';

const APPLY = 'application/apply-patch+yaml';
const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

const crd: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.g.test' },
  spec: {
    group: 'g.test',
    scope: 'Namespaced',
    names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.n' } },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  size: { type: 'integer' },
                  replicas: { type: 'integer' },
                  tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
                },
              },
            },
          },
        },
      },
    ],
  },
};

const THINGS = '/apis/g.test/v1/namespaces/default/things';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const thing = (fields: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'g.test/v1',
  kind: 'Thing',
  metadata: { name: 't', ...metadata },
  spec: { size: 1, ...fields },
});
const configMap = (fields: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c' },
  ...fields,
});

interface Refusal {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly type?: string;
  readonly body?: Json;
  readonly code: number;
  readonly message: string;
}

const apply = (name: string, query: string, body: Json, code: number, message: string): Refusal => ({
  name,
  method: 'PATCH',
  path: `${THINGS}/${query}`,
  type: APPLY,
  body,
  code,
  message,
});

const refusals: readonly Refusal[] = [
  apply(
    'an apply under another name',
    'u?fieldManager=a',
    thing(),
    400,
    'the name of the object (t) does not match the name on the URL (u)',
  ),
  apply(
    'an apply without a manager',
    't',
    thing(),
    422,
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  ),
  apply(
    'an apply with managed fields',
    't?fieldManager=a',
    thing({}, { managedFields: [] }),
    400,
    'metadata.managedFields must be nil',
  ),
  apply(
    'an apply without a version',
    't?fieldManager=a',
    { metadata: { name: 't' } },
    400,
    'invalid object type: /, Kind=',
  ),
  apply(
    'an apply of the same item twice',
    't?fieldManager=a',
    thing({ tags: ['a', 'a'] }),
    422,
    'failed to create typed patch object (default/t; g.test/v1, Kind=Thing): .spec.tags: duplicate entries for key [="a"]',
  ),
  apply(
    'an apply of an unknown field',
    't?fieldManager=a',
    thing({ zz: 1 }),
    422,
    'failed to create typed patch object (default/t; g.test/v1, Kind=Thing): .spec.zz: field not declared in schema',
  ),
  apply(
    'an apply of another uid where nothing is',
    'absent?fieldManager=a',
    thing({}, { name: 'absent', uid: 'x' }),
    409,
    'Operation cannot be fulfilled on things.g.test "absent": uid mismatch: the provided object specified uid x, and no existing object was found',
  ),
  {
    name: 'force on a merge patch',
    method: 'PATCH',
    path: `${THINGS}/t?force=true`,
    type: MERGE,
    body: {},
    code: 422,
    message: 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
  },
  {
    name: 'a patch of the kind',
    method: 'PATCH',
    path: `${THINGS}/t`,
    type: JSON_PATCH,
    body: [{ op: 'replace', path: '/kind', value: 'X' }],
    code: 422,
    message: 'X.g.test "t" is invalid: kind: Invalid value: "X": must be Thing',
  },
  {
    name: 'another kind',
    method: 'POST',
    path: THINGS,
    body: { ...thing(), kind: 'Other' },
    code: 422,
    message: 'Other.g.test "t" is invalid: kind: Invalid value: "Other": must be Thing',
  },
  {
    name: 'labels that are no texts',
    method: 'POST',
    path: THINGS,
    body: thing({}, { labels: { a: 1 } }),
    code: 400,
    message:
      'Thing in version "v1" cannot be handled as a Thing: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
  },
  {
    name: 'a negative scale',
    method: 'PATCH',
    path: `${THINGS}/t/scale`,
    type: MERGE,
    body: { spec: { replicas: -1 } },
    code: 422,
    message: 'Thing.g.test "t" is invalid: .spec.replicas: Invalid value: -1: should be a non-negative integer',
  },
  {
    name: 'ConfigMap data of another type',
    method: 'POST',
    path: CONFIG_MAPS,
    body: configMap({ data: { a: 1 } }),
    code: 400,
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
  },
  {
    name: 'a ConfigMap key in both maps',
    method: 'POST',
    path: CONFIG_MAPS,
    body: configMap({ data: { a: '1' }, binaryData: { a: 'eA==' } }),
    code: 422,
    message: 'ConfigMap "c" is invalid: data[a]: Invalid value: "a": duplicate of key present in binaryData',
  },
];

describe('writes are refused in the words of kube-apiserver', () => {
  let api: TestApi;
  const call = async (method: string, path: string, body?: Json, type = 'application/json') => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await api.call({
      method,
      path,
      headers: { 'user-agent': 'test/1', 'content-type': type },
      body: text,
    });
    const parsed = parseJson(answer.body);
    return { code: answer.code, body: isJsonObject(parsed) ? parsed : {} };
  };

  before(async () => {
    api = await startTestApi();
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
    await api.engine.idle();
    assert.equal((await call('POST', THINGS, thing())).code, 201);
  });
  after(() => api[Symbol.asyncDispose]());

  for (const { name, method, path, type, body, code, message } of refusals) {
    it(name, async () => {
      const answer = await call(method, path, body, type);
      assert.deepEqual({ code: answer.code, message: answer.body['message'] }, { code, message });
    });
  }

  it('a namespace created with an empty spec, as kubectl does it, takes its contents with it', async () => {
    await call('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'n' },
      spec: {},
      status: {},
    });
    await call('POST', '/api/v1/namespaces/n/configmaps', configMap({}));
    await call('DELETE', '/api/v1/namespaces/n');
    await api.engine.idle();
    assert.equal((await call('GET', '/api/v1/namespaces/n')).code, 404);
    assert.deepEqual((await call('GET', '/api/v1/namespaces/n/configmaps')).body['items'], []);
  });
});
