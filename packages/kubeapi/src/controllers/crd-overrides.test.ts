import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { crdOf, isJsonObject, type JsonObject, server, serverV1alpha1 } from '@bloomery/model';
import { silentLog } from '@bloomery/ports';
import { startApiEngine } from '../api-engine.ts';
import { crdFor, type JsonCaller, jsonCaller, part } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const SERVERS = `${CRDS}/servers.metal.sidero.dev`;
const MERGE = 'application/merge-patch+json';

function conditionOf(crd: JsonObject, type: string): JsonObject | undefined {
  const conditions = part(crd, 'status', 'conditions');
  return Array.isArray(conditions) ? conditions.filter(isJsonObject).find((c) => c['type'] === type) : undefined;
}

describe('a definition from upstream of a kind that bloomery brings', () => {
  let api: TestApi;
  let call: JsonCaller;
  before(async () => {
    api = await startTestApi([server, serverV1alpha1]);
    call = jsonCaller(api);
    const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', properties: {} } } };
    const versions = ['v1alpha2', 'v1alpha1'].map((name, i) => ({
      name,
      served: true,
      storage: i === 0,
      schema: { openAPIV3Schema },
    }));
    await call('PATCH', SERVERS, { spec: { versions } }, MERGE);
    await api.engine.idle();
  });
  after(() => api[Symbol.asyncDispose]());

  it('is kept as data, and says that it has no effect', async () => {
    const { body } = await call('GET', SERVERS);
    assert.equal(conditionOf(body, 'Overridden')?.['status'], 'True');
    assert.equal(conditionOf(body, 'Overridden')?.['reason'], 'BuiltInKind');
    assert.equal(conditionOf(body, 'Established')?.['status'], 'True');
  });

  it('leaves our kind as it was: its fields are not pruned', async () => {
    const object = {
      apiVersion: 'metal.sidero.dev/v1alpha2',
      kind: 'Server',
      metadata: { name: 'a' },
      spec: { accepted: true },
    };
    assert.equal((await call('POST', '/apis/metal.sidero.dev/v1alpha2/servers', object)).code, 201);
    const { body } = await call('GET', '/apis/metal.sidero.dev/v1alpha2/servers/a');
    assert.equal(part(body, 'spec', 'accepted'), true);
  });

  it('is still what was written after a restart', async () => {
    const { store, clock } = api.engine;
    const random = (bytes: number): Uint8Array => randomBytes(bytes);
    const again = await startApiEngine({ store, kinds: [server, serverV1alpha1], clock, log: silentLog, random });
    again.stop();
    const { body } = await call('GET', SERVERS);
    const versions = part(body, 'spec', 'versions');
    assert.ok(Array.isArray(versions));
    assert.deepEqual(part(versions[0], 'schema', 'openAPIV3Schema', 'properties', 'spec'), {
      type: 'object',
      properties: {},
    });
    assert.equal(conditionOf(body, 'Overridden')?.['status'], 'True');
  });

  it('says so no longer when it is as we write it', async () => {
    const { spec } = crdOf([server, serverV1alpha1]);
    const { body } = await call('GET', SERVERS);
    const put = await call('PUT', SERVERS, { ...body, spec: spec ?? null });
    assert.equal(put.code, 200, JSON.stringify(put.body));
    await api.engine.idle();
    assert.equal(conditionOf((await call('GET', SERVERS)).body, 'Overridden'), undefined);
  });
});

describe('groups of Kubernetes', () => {
  it('need an approval, which the status repeats', async () => {
    await using api = await startTestApi();
    const call = jsonCaller(api);
    const crd = crdFor('x.k8s.io', 'widgets', 'Widget');
    const refused = await call('POST', CRDS, { ...crd, metadata: { name: 'widgets.x.k8s.io' } });
    assert.equal(refused.code, 422);
    const annotations = { 'api-approved.kubernetes.io': 'https://example.com/approval' };
    await call('POST', CRDS, { ...crd, metadata: { name: 'widgets.x.k8s.io', annotations } });
    await api.engine.idle();
    const { body } = await call('GET', `${CRDS}/widgets.x.k8s.io`);
    const condition = conditionOf(body, 'KubernetesAPIApprovalPolicyConformant');
    assert.equal(condition?.['reason'], 'ApprovedAnnotation');
    assert.equal(condition?.['message'], 'approved in https://example.com/approval');
  });
});

describe('a CustomResourceDefinition that changes while it is in use', () => {
  it('warns of deprecated versions in every answer', async () => {
    await using api = await startTestApi();
    const call = jsonCaller(api);
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const versions = [
      { name: 'v1', served: true, storage: true, schema },
      { name: 'v1beta1', served: true, storage: false, deprecated: true, schema },
      { name: 'v1alpha1', served: true, storage: false, deprecated: true, deprecationWarning: 'use v1', schema },
    ];
    await call('POST', CRDS, crdFor('g.test', 'widgets', 'Widget', { versions }));
    const warningOf = async (version: string) =>
      (await api.open({ path: `/apis/g.test/${version}/widgets` })).headers['warning'];
    assert.deepEqual(await warningOf('v1'), undefined);
    assert.deepEqual(await warningOf('v1beta1'), ['299 - "g.test/v1beta1 Widget is deprecated; use g.test/v1 Widget"']);
    assert.deepEqual(await warningOf('v1alpha1'), ['299 - "use v1"']);
  });

  it('selects by the fields that it names', async () => {
    await using api = await startTestApi();
    const call = jsonCaller(api);
    const spec = { type: 'object', properties: { color: { type: 'string' }, size: { type: 'integer' } } };
    const version = {
      name: 'v1',
      served: true,
      storage: true,
      schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
      selectableFields: [{ jsonPath: '.spec.color' }, { jsonPath: '.spec.size' }],
    };
    await call('POST', CRDS, crdFor('g.test', 'widgets', 'Widget', { versions: [version] }));
    const base = '/apis/g.test/v1/namespaces/default/widgets';
    for (const [name, color, size] of [
      ['a', 'red', 1],
      ['b', 'red', 2],
      ['c', 'blue', 1],
    ] as const) {
      await call('POST', base, { apiVersion: 'g.test/v1', kind: 'Widget', metadata: { name }, spec: { color, size } });
    }
    const names = async (selector: string) => {
      const { body } = await call('GET', `${base}?fieldSelector=${encodeURIComponent(selector)}`);
      return Array.isArray(body['items'])
        ? body['items'].map((item) => part(item, 'metadata', 'name'))
        : body['message'];
    };
    assert.deepEqual(await names('spec.color=red'), ['a', 'b']);
    assert.deepEqual(await names('spec.color=red,spec.size!=1'), ['b']);
    assert.deepEqual(await names('spec.other=1'), 'field label not supported: spec.other');
    await call('DELETE', `${base}?fieldSelector=spec.size%3D1`);
    assert.deepEqual(await names(''), ['b']);
  });

  it('ends the watches of a version whose schema changes', async () => {
    await using api = await startTestApi();
    const call = jsonCaller(api);
    const crd = crdFor('g.test', 'widgets', 'Widget');
    await call('POST', CRDS, crd);
    await api.engine.idle();
    const { body } = await api.open({ path: '/apis/g.test/v1/widgets', query: new URLSearchParams('watch=1') });
    assert.ok(typeof body === 'object' && Symbol.asyncIterator in body);
    const ended = (async () => {
      for await (const _ of body);
      return true;
    })();
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } };
    const versions = [{ name: 'v1', served: true, storage: true, schema }];
    await call('PATCH', `${CRDS}/widgets.g.test`, { spec: { versions } }, MERGE);
    assert.equal(await ended, true);
  });

  it('refuses to lose a version that objects were stored in', async () => {
    await using api = await startTestApi();
    const call = jsonCaller(api);
    await call('POST', CRDS, crdFor('g.test', 'widgets', 'Widget'));
    await api.engine.idle();
    const schema = { openAPIV3Schema: { type: 'object' } };
    const versions = [{ name: 'v2', served: true, storage: true, schema }];
    const refused = await call('PATCH', `${CRDS}/widgets.g.test`, { spec: { versions } }, MERGE);
    assert.equal(refused.code, 422);
    assert.match(
      String(refused.body['message']),
      /status\.storedVersions\[0\]: Invalid value: "v1": missing from spec/,
    );
    const status = { status: { storedVersions: [] } };
    assert.equal((await call('PATCH', `${CRDS}/widgets.g.test/status`, status, MERGE)).code, 200);
  });
});
