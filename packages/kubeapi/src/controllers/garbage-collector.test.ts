import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '@bloomery/model';
import { crdFor, type JsonCaller, jsonCaller, part, textAt } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const MAPS = '/api/v1/namespaces/default/configmaps';
const RACKS = '/apis/g.test/v1/racks';

describe('garbage collection', () => {
  let api: TestApi;
  let call: JsonCaller;
  before(async () => {
    api = await startTestApi();
    call = jsonCaller(api);
    await call('POST', CRDS, crdFor('g.test', 'racks', 'Rack', { scope: 'Cluster' }));
  });
  after(() => api[Symbol.asyncDispose]());

  const codeOf = async (path: string): Promise<number> => (await call('GET', path)).code;
  async function make(name: string, owners: readonly JsonObject[] = [], finalizers: readonly string[] = []) {
    const metadata = { name, ownerReferences: owners, finalizers };
    const { code, body } = await call('POST', MAPS, { metadata });
    assert.equal(code, 201, JSON.stringify(body));
    return referenceTo('v1', 'ConfigMap', body);
  }
  function referenceTo(apiVersion: string, kind: string, object: JsonObject): JsonObject {
    const name = textAt(object, 'metadata', 'name');
    return { apiVersion, kind, name, uid: textAt(object, 'metadata', 'uid'), blockOwnerDeletion: true };
  }
  const remove = async (path: string, propagationPolicy?: string) => {
    await call('DELETE', path, propagationPolicy === undefined ? undefined : { propagationPolicy });
    await api.engine.idle();
  };
  const ownersOf = async (name: string): Promise<unknown> =>
    part((await call('GET', `${MAPS}/${name}`)).body, 'metadata', 'ownerReferences') ?? [];

  it('deletes dependents, and theirs, after their owner', async () => {
    const a = await make('a');
    const b = await make('a-b', [a]);
    await make('a-b-c', [b]);
    await remove(`${MAPS}/a`);
    await api.engine.idle();
    assert.deepEqual([await codeOf(`${MAPS}/a-b`), await codeOf(`${MAPS}/a-b-c`)], [404, 404]);
  });

  it('takes only the reference from a dependent that another owner holds', async () => {
    const [a, b] = [await make('two-a'), await make('two-b')];
    await make('two-c', [a, b]);
    await remove(`${MAPS}/two-a`);
    assert.deepEqual(await ownersOf('two-c'), [b]);
    await remove(`${MAPS}/two-b`);
    assert.equal(await codeOf(`${MAPS}/two-c`), 404);
  });

  it('deletes what names an owner that never existed', async () => {
    await make('orphaned', [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'nobody', uid: 'no-such-uid' }]);
    await api.engine.idle();
    assert.equal(await codeOf(`${MAPS}/orphaned`), 404);
  });

  it('leaves alone what names an owner of a kind that is not served', async () => {
    await make('foreign', [{ apiVersion: 'elsewhere.test/v1', kind: 'Site', name: 'web', uid: 'elsewhere' }]);
    await api.engine.idle();
    assert.equal(await codeOf(`${MAPS}/foreign`), 200);
  });

  it('leaves alone what is in no namespace but names an owner that is in one', async () => {
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'no-such-uid' };
    await call('POST', RACKS, {
      apiVersion: 'g.test/v1',
      kind: 'Rack',
      metadata: { name: 'r0', ownerReferences: [owner] },
    });
    await api.engine.idle();
    assert.equal(await codeOf(`${RACKS}/r0`), 200);
  });

  it('deletes what names an owner that lives in another namespace, and tells of it first', async () => {
    const body = { metadata: { name: 'landlord' } };
    const owner = await call('POST', '/api/v1/namespaces/kube-system/configmaps', body);
    const reference = referenceTo('v1', 'ConfigMap', owner.body);
    await make('tenant', [reference]);
    await api.engine.idle();
    assert.equal(await codeOf(`${MAPS}/tenant`), 404);
    assert.equal(await codeOf('/api/v1/namespaces/kube-system/configmaps/landlord'), 200);
    const query = 'fieldSelector=involvedObject.name=tenant';
    const { items } = (await call('GET', `/api/v1/namespaces/default/events?${query}`)).body;
    assert.ok(Array.isArray(items));
    assert.deepEqual(
      items.map((event) => [part(event, 'reason'), part(event, 'message')]),
      [
        [
          'OwnerRefInvalidNamespace',
          `ownerRef [v1/ConfigMap, namespace: default, name: landlord, uid: ${String(reference['uid'])}] does not exist in namespace "default"`,
        ],
      ],
    );
  });

  it('keeps what another owner holds, without the owner in another namespace', async () => {
    const body = { metadata: { name: 'far' } };
    const far = await call('POST', '/api/v1/namespaces/kube-system/configmaps', body);
    const near = await make('near');
    await make('between', [referenceTo('v1', 'ConfigMap', far.body), near]);
    await api.engine.idle();
    assert.deepEqual(await ownersOf('between'), [near]);
  });

  it('deletes what names a living owner by another name', async () => {
    const owner = await make('named');
    await make('misnaming', [{ ...owner, name: 'other' }]);
    await api.engine.idle();
    assert.equal(await codeOf(`${MAPS}/misnaming`), 404);
  });

  it('reaches through kinds that are kept as data', async () => {
    const labels = { app: 'x' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { selector: { matchLabels: labels }, template };
    const sets = '/apis/apps/v1/namespaces/default';
    const deployment = await call('POST', `${sets}/deployments`, { metadata: { name: 'd' }, spec });
    const owner = referenceTo('apps/v1', 'Deployment', deployment.body);
    const metadata = { name: 'd-1', ownerReferences: [owner] };
    const set = await call('POST', `${sets}/replicasets`, { metadata, spec });
    assert.equal(set.code, 201, JSON.stringify(set.body));
    const pod = { name: 'd-1-x', labels, ownerReferences: [referenceTo('apps/v1', 'ReplicaSet', set.body)] };
    await call('POST', '/api/v1/namespaces/default/pods', { metadata: pod, spec: template.spec });
    await remove(`${sets}/deployments/d`, 'Foreground');
    await api.engine.idle();
    for (const path of [`${sets}/deployments/d`, `${sets}/replicasets/d-1`, '/api/v1/namespaces/default/pods/d-1-x']) {
      assert.equal(await codeOf(path), 404, path);
    }
  });

  it('knows owners without a namespace of dependents in one, also when their kind goes', async () => {
    const rack = await call('POST', RACKS, { apiVersion: 'g.test/v1', kind: 'Rack', metadata: { name: 'r1' } });
    const reference = referenceTo('g.test/v1', 'Rack', rack.body);
    for (let i = 0; i < 100; i++) await make(`in-rack-${i}`, [reference]);
    await remove(`${CRDS}/racks.g.test`);
    await api.engine.idle();
    for (let i = 0; i < 100; i += 33) assert.equal(await codeOf(`${MAPS}/in-rack-${i}`), 404);
    await call('POST', CRDS, crdFor('g.test', 'racks', 'Rack', { scope: 'Cluster' }));
  });

  it('in the foreground lets the owner go last', async () => {
    const a = await make('fg-a');
    await make('fg-b', [a], ['test/hold']);
    await remove(`${MAPS}/fg-a`, 'Foreground');
    const waiting = await call('GET', `${MAPS}/fg-a`);
    assert.deepEqual(part(waiting.body, 'metadata', 'finalizers'), ['foregroundDeletion']);
    assert.ok(part((await call('GET', `${MAPS}/fg-b`)).body, 'metadata', 'deletionTimestamp'));
    await call('PATCH', `${MAPS}/fg-b`, { metadata: { finalizers: null } }, 'application/merge-patch+json');
    await api.engine.idle();
    assert.deepEqual([await codeOf(`${MAPS}/fg-a`), await codeOf(`${MAPS}/fg-b`)], [404, 404]);
  });

  it('in the foreground spares a dependent that another owner holds', async () => {
    const [a, b] = [await make('share-a'), await make('share-b')];
    await make('share-c', [a, b]);
    await remove(`${MAPS}/share-a`, 'Foreground');
    assert.equal(await codeOf(`${MAPS}/share-a`), 404);
    assert.deepEqual(await ownersOf('share-c'), [b]);
  });

  it('in the foreground lets the owner go when a dependent gives up its reference', async () => {
    const a = await make('loose-a');
    await make('loose-b', [a], ['test/hold']);
    await remove(`${MAPS}/loose-a`, 'Foreground');
    assert.equal(await codeOf(`${MAPS}/loose-a`), 200);
    const release = { metadata: { ownerReferences: null } };
    await call('PATCH', `${MAPS}/loose-b`, release, 'application/merge-patch+json');
    await api.engine.idle();
    assert.equal(await codeOf(`${MAPS}/loose-a`), 404);
  });

  it('lets dependents go as orphans where that is asked for', async () => {
    const a = await make('free-a');
    await make('free-b', [a]);
    await remove(`${MAPS}/free-a`, 'Orphan');
    assert.equal(await codeOf(`${MAPS}/free-a`), 404);
    assert.deepEqual(await ownersOf('free-b'), []);
  });
});
