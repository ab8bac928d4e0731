import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { asApiObject } from '../api-object.ts';
import { crdFor, type JsonCaller, jsonCaller, part, textAt } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const MERGE = 'application/merge-patch+json';
const THINGS = '/apis/g.test/v1/namespaces/default/things';

function version(name: string, fields: JsonObject, more: JsonObject = {}): JsonObject {
  const spec = { type: 'object', properties: fields };
  const openAPIV3Schema = { type: 'object', properties: { spec } };
  return { name, served: true, storage: true, schema: { openAPIV3Schema }, ...more };
}

function trueConditions(crd: JsonObject): readonly (Json | undefined)[] {
  const conditions = part(crd, 'status', 'conditions');
  assert.ok(Array.isArray(conditions));
  return conditions
    .filter(isJsonObject)
    .flatMap((c) => (c['status'] === 'True' ? [c['type']] : [`!${String(c['reason'])}`]));
}

describe('CustomResourceDefinitions', () => {
  let api: TestApi;
  let call: JsonCaller;
  before(async () => {
    api = await startTestApi();
    call = jsonCaller(api);
  });
  after(() => api[Symbol.asyncDispose]());
  const thing = (name: string, spec: JsonObject = {}, metadata: JsonObject = {}, v = 'v1') => ({
    apiVersion: `g.test/${v}`,
    kind: 'Thing',
    metadata: { name, ...metadata },
    spec,
  });
  const specOf = async (path: string) => part((await call('GET', path)).body, 'spec');

  it('are served when their creation is answered, and established a moment later', async () => {
    assert.equal((await call('POST', CRDS, crdFor('g.test', 'things', 'Thing'))).code, 201);
    assert.deepEqual((await call('GET', THINGS)).body['items'], []);
    await api.engine.idle();
    const { body } = await call('GET', `${CRDS}/things.g.test`);
    assert.deepEqual(trueConditions(body), ['NamesAccepted', 'Established']);
    assert.deepEqual(part(body, 'status', 'storedVersions'), ['v1']);
  });

  it('take their objects with them, and begin empty when they come again', async () => {
    await call('POST', THINGS, thing('a'));
    await call('POST', THINGS, thing('b', {}, { finalizers: ['test/hold'] }));
    await call('DELETE', `${CRDS}/things.g.test`);
    await api.engine.idle();
    assert.deepEqual(trueConditions((await call('GET', `${CRDS}/things.g.test`)).body).at(-1), 'Terminating');
    const refused = await call('POST', THINGS, thing('c'));
    assert.equal(refused.code, 403);
    const why = 'create not allowed while custom resource definition is terminating';
    assert.equal(refused.body['message'], `things.g.test "c" is forbidden: ${why}`);
    await call('PATCH', `${THINGS}/b`, { metadata: { finalizers: null } }, MERGE);
    await api.engine.idle();
    assert.equal((await call('GET', `${CRDS}/things.g.test`)).code, 404);
    assert.equal((await call('GET', THINGS)).code, 404);
    await call('POST', CRDS, crdFor('g.test', 'things', 'Thing'));
    assert.deepEqual((await call('GET', THINGS)).body['items'], []);
  });

  it('come to rest while a finalizer of somebody else holds them', async () => {
    const crd = crdFor('h.test', 'things', 'Thing');
    await call('POST', CRDS, { ...crd, metadata: { name: 'things.h.test', finalizers: ['test/hold'] } });
    await call('DELETE', `${CRDS}/things.h.test`);
    await api.engine.idle();
    const { revision } = api.engine.store;
    assert.deepEqual(part((await call('GET', `${CRDS}/things.h.test`)).body, 'metadata', 'finalizers'), ['test/hold']);
    await api.engine.idle();
    assert.equal(api.engine.store.revision, revision);
    await call('PATCH', `${CRDS}/things.h.test`, { metadata: { finalizers: null } }, MERGE);
    assert.equal((await call('GET', `${CRDS}/things.h.test`)).code, 404);
  });

  it('of a user cannot take the place of what Kubernetes brings', async () => {
    await call('POST', CRDS, crdFor('rbac.authorization.k8s.io', 'roles', 'Role'));
    await call('POST', CRDS, crdFor('rbac.authorization.k8s.io', 'players', 'ClusterRole'));
    await api.engine.idle();
    const roles = `${CRDS}/roles.rbac.authorization.k8s.io`;
    assert.deepEqual(trueConditions((await call('GET', roles)).body), [
      '!ListKindConflict',
      '!NotAccepted',
      '!UnapprovedAnnotation',
    ]);
    assert.equal((await call('GET', '/apis/rbac.authorization.k8s.io/v1/players')).code, 404);
    const role = { metadata: { name: 'r' }, rules: [] };
    assert.equal((await call('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', role)).code, 201);
    await call('DELETE', roles);
    await api.engine.idle();
    assert.equal((await call('GET', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/r')).code, 200);
  });

  it('of a user are served beside the built-in kinds of their group', async () => {
    await call('POST', CRDS, crdFor('coordination.k8s.io', 'tenures', 'Tenure'));
    assert.equal((await call('GET', '/apis/coordination.k8s.io/v1/tenures')).code, 200);
    assert.equal((await call('GET', '/apis/coordination.k8s.io/v1/leases')).code, 200);
  });

  it('take names that have become free', async () => {
    await call('POST', CRDS, crdFor('i.test', 'first', 'Same'));
    await call('POST', CRDS, crdFor('i.test', 'second', 'Same'));
    await api.engine.idle();
    assert.equal((await call('GET', '/apis/i.test/v1/second')).code, 404);
    await call('DELETE', `${CRDS}/first.i.test`);
    await api.engine.idle();
    assert.equal((await call('GET', '/apis/i.test/v1/second')).code, 200);
    assert.deepEqual(trueConditions((await call('GET', `${CRDS}/second.i.test`)).body), [
      'NamesAccepted',
      'Established',
    ]);
  });

  const redefine = async (versions: readonly JsonObject[]): Promise<void> => {
    const path = `${CRDS}/things.g.test`;
    const { code, body } = await call('PATCH', path, { spec: { versions } }, 'application/merge-patch+json');
    assert.equal(code, 200, JSON.stringify(body));
  };

  it('give new defaults to objects that are there already, and prune what they no longer know', async () => {
    const fields = { size: { type: 'integer' }, old: { type: 'string' } };
    await redefine([version('v1', fields)]);
    await call('POST', THINGS, thing('aged', { size: 1, old: 'x' }));
    const next = { size: { type: 'integer' }, color: { type: 'string', default: 'red' } };
    await redefine([version('v1', next)]);
    assert.deepEqual(await specOf(`${THINGS}/aged`), { size: 1, color: 'red' });
    const list = (await call('GET', THINGS)).body['items'];
    assert.deepEqual(Array.isArray(list) && part(list[0], 'spec'), { size: 1, color: 'red' });
  });

  it('keep objects readable when another version becomes the stored one, and hide versions that are not served', async () => {
    const open = { size: { type: 'integer' } };
    const versions = [version('v1', open, { storage: false, served: false }), version('v2', open)];
    await redefine(versions);
    await api.engine.idle();
    assert.equal((await call('GET', `${THINGS}/aged`)).code, 404);
    const path = '/apis/g.test/v2/namespaces/default/things/aged';
    const { body } = await call('GET', path);
    assert.deepEqual([body['apiVersion'], part(body, 'spec')], ['g.test/v2', { size: 1 }]);
    assert.deepEqual(part((await call('GET', `${CRDS}/things.g.test`)).body, 'status', 'storedVersions'), ['v1', 'v2']);
    const put = await call('PUT', path, body);
    assert.notEqual(textAt(put.body, 'metadata', 'resourceVersion'), textAt(body, 'metadata', 'resourceVersion'));
    const again = await call('PUT', path, put.body);
    assert.equal(textAt(again.body, 'metadata', 'resourceVersion'), textAt(put.body, 'metadata', 'resourceVersion'));
  });

  it('are refused without a served schema', async () => {
    const crd = crdFor('j.test', 'things', 'Thing', { versions: [{ name: 'v1', served: true, storage: true }] });
    assert.equal((await call('POST', CRDS, crd)).code, 422);
  });

  it('of which one cannot be served say so, and leave the others alone', async () => {
    const { store } = api.engine;
    const put = (plural: string, versions: readonly JsonObject[]) => {
      const id = {
        resource: 'customresourcedefinitions.apiextensions.k8s.io',
        namespace: '',
        name: `${plural}.old.test`,
      };
      const names = { plural, singular: plural, kind: plural, listKind: `${plural}List` };
      return store.put(id, (resourceVersion) =>
        asApiObject({
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          metadata: { name: id.name, resourceVersion },
          spec: { group: 'old.test', scope: 'Namespaced', names, versions },
        }),
      );
    };
    // No request gets so far: a store of another release may hold it.
    await Promise.all([put('broken', []), put('sound', [version('v1', {})])]);
    await api.engine.idle();
    assert.equal((await call('GET', '/apis/old.test/v1/namespaces/default/sound')).code, 200);
    const { body } = await call('GET', `${CRDS}/broken.old.test`);
    assert.deepEqual(trueConditions(body), ['!DefinitionUnusable', '!NotAccepted']);
  });
});
