import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isJsonObject } from '@bloomery/model';
import { crdFor, type JsonCaller, jsonCaller, part } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const NAMESPACES = '/api/v1/namespaces';
const MERGE = 'application/merge-patch+json';

describe('the life of a namespace', () => {
  let api: TestApi;
  let call: JsonCaller;
  before(async () => {
    api = await startTestApi();
    call = jsonCaller(api);
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crdFor('g.test', 'things', 'Thing'));
  });
  after(() => api[Symbol.asyncDispose]());
  const make = (name: string, finalizers: readonly string[] = []) =>
    call('POST', NAMESPACES, { metadata: { name, finalizers } });
  const map = (namespace: string, name: string, finalizers: readonly string[] = []) =>
    call('POST', `${NAMESPACES}/${namespace}/configmaps`, { metadata: { name, finalizers } });

  for (const name of ['default', 'kube-system', 'kube-public']) {
    it(`does not end for ${name}`, async () => {
      const { code, body } = await call('DELETE', `${NAMESPACES}/${name}`);
      assert.equal(code, 403);
      assert.equal(body['message'], `namespaces "${name}" is forbidden: this namespace may not be deleted`);
    });
  }

  it('ends with everything in it, of all kinds', async () => {
    await make('full');
    for (let i = 0; i < 300; i++) await map('full', `m${i}`);
    const thing = { apiVersion: 'g.test/v1', kind: 'Thing', metadata: { name: 't' } };
    await call('POST', '/apis/g.test/v1/namespaces/full/things', thing);
    const { body } = await call('DELETE', `${NAMESPACES}/full`);
    assert.equal(part(body, 'status', 'phase'), 'Terminating');
    await api.engine.idle();
    assert.equal((await call('GET', `${NAMESPACES}/full`)).code, 404);
    assert.deepEqual((await call('GET', '/apis/g.test/v1/things')).body['items'], []);
  });

  it('waits for finalizers inside, and says for which', async () => {
    await make('held');
    await map('held', 'm', ['test/hold']);
    await call('DELETE', `${NAMESPACES}/held`);
    await api.engine.idle();
    const { body } = await call('GET', `${NAMESPACES}/held`);
    const conditions = part(body, 'status', 'conditions');
    assert.ok(Array.isArray(conditions));
    assert.deepEqual(
      conditions
        .filter(isJsonObject)
        .filter((c) => c['status'] === 'True')
        .map((c) => [c['type'], c['message']]),
      [
        ['NamespaceContentRemaining', 'Some resources are remaining: configmaps. has 1 resource instances'],
        [
          'NamespaceFinalizersRemaining',
          'Some content in the namespace has finalizers remaining: test/hold in 1 resource instances',
        ],
      ],
    );
    const refused = await map('held', 'late');
    assert.equal(refused.code, 403);
    assert.equal(
      refused.body['message'],
      'configmaps "late" is forbidden: unable to create new content in namespace held because it is being terminated',
    );
    await call('PATCH', `${NAMESPACES}/held/configmaps/m`, { metadata: { finalizers: [] } }, MERGE);
    await api.engine.idle();
    assert.equal((await call('GET', `${NAMESPACES}/held`)).code, 404);
  });

  it('comes to rest while a finalizer of its own holds it, and ends without it', async () => {
    await make('own', ['test/hold']);
    await call('DELETE', `${NAMESPACES}/own`);
    await api.engine.idle();
    const { revision } = api.engine.store;
    await call('PATCH', `${NAMESPACES}/own`, { metadata: { labels: { a: 'b' } } }, MERGE);
    await api.engine.idle();
    assert.equal(api.engine.store.revision, revision + 1);
    await call('PATCH', `${NAMESPACES}/own`, { metadata: { finalizers: null } }, MERGE);
    assert.equal((await call('GET', `${NAMESPACES}/own`)).code, 404);
  });

  it('is not cut short by a write of its spec, only through finalize', async () => {
    await make('cut');
    await map('cut', 'm', ['test/hold']);
    await call('DELETE', `${NAMESPACES}/cut`);
    await api.engine.idle();
    const put = await call('PUT', `${NAMESPACES}/cut`, { metadata: { name: 'cut' }, spec: { finalizers: [] } });
    assert.deepEqual(part(put.body, 'spec', 'finalizers'), ['kubernetes']);
    assert.equal((await call('GET', `${NAMESPACES}/cut`)).code, 200);
    const body = { metadata: { name: 'cut', labels: { a: 'b' } }, spec: { finalizers: [] } };
    const finalized = await call('PUT', `${NAMESPACES}/cut/finalize`, body);
    assert.equal(finalized.code, 200);
    assert.equal(part(finalized.body, 'metadata', 'labels', 'a'), undefined);
    assert.equal((await call('GET', `${NAMESPACES}/cut`)).code, 404);
  });

  it('begins with objects refused, lists empty', async () => {
    assert.equal((await map('absent', 'm')).body['message'], 'namespaces "absent" not found');
    assert.deepEqual((await call('GET', `${NAMESPACES}/absent/configmaps`)).body['items'], []);
  });
});
