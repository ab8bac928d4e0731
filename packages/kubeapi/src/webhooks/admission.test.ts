import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Json, JsonObject } from '@bloomery/model';
import { crdFor, part } from '../testing/json-caller.ts';
import { MAPS, MERGE, startWebhookLab, type WebhookLab } from '../testing/webhook-lab.ts';
import { patchResponse } from '../testing/webhook-server.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const APPLY = 'application/apply-patch+yaml';

describe('admission webhooks', () => {
  let lab: WebhookLab;
  before(async () => {
    lab = await startWebhookLab();
    lab.hooks.on('/allow', () => ({ allowed: true }));
  });
  afterEach(() => lab.reset());
  after(() => lab[Symbol.asyncDispose]());

  const seen = () => lab.hooks.seen('/allow');
  const map = (name: string, more: JsonObject = {}): JsonObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    ...more,
  });

  it('get the fields of a review that kube-apiserver sends', async () => {
    await lab.configure('validating', [lab.hook('/allow')]);
    await lab.call('POST', `${MAPS}?dryRun=All&fieldManager=me`, map('fields', { data: { a: '1' } }));
    const [{ uid, object, ...rest } = {}] = seen();
    assert.match(String(uid), /^[0-9a-f-]{36}$/);
    assert.equal(part(object, 'metadata', 'namespace'), 'default');
    assert.ok(part(object, 'metadata', 'uid'), 'a validating webhook sees the final object');
    assert.deepEqual(rest, {
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
      requestResource: { group: '', version: 'v1', resource: 'configmaps' },
      name: 'fields',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'admin', groups: ['system:masters'] },
      oldObject: null,
      dryRun: true,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'me', dryRun: ['All'] },
    });
  });

  it('see an object as it was sent while they may change it, with defaults and managedFields', async () => {
    await lab.configure('mutating', [lab.hook('/allow')]);
    const sent = { generateName: 'made-', uid: 'x', creationTimestamp: '2020-01-01T00:00:00Z' };
    const created = await lab.call('POST', MAPS, { metadata: sent, data: { a: '1' } });
    const [request] = seen();
    assert.equal(request?.['name'], undefined);
    const metadata = part(request, 'object', 'metadata');
    assert.deepEqual(Object.keys(Object(metadata)).sort(), ['generateName', 'managedFields', 'namespace']);
    assert.match(String(part(created.body, 'metadata', 'name')), /^made-/);
  });

  it('see old and new state of every kind of change, and nothing of the new one on deletions', async () => {
    await lab.call('POST', MAPS, map('changes', { data: { a: '1' } }));
    await lab.configure('validating', [lab.hook('/allow')]);
    await lab.call('PUT', `${MAPS}/changes`, map('changes', { data: { a: '2' } }));
    await lab.call('PATCH', `${MAPS}/changes`, { data: { a: '3' } }, MERGE);
    await lab.call('PATCH', `${MAPS}/changes?fieldManager=m&force=true`, map('changes', { data: { a: '4' } }), APPLY);
    await lab.call('DELETE', `${MAPS}/changes`, { propagationPolicy: 'Background' });
    const states = seen().map((r) => [
      r['operation'],
      part(r, 'oldObject', 'data', 'a'),
      part(r, 'object', 'data', 'a'),
    ]);
    assert.deepEqual(states, [
      ['UPDATE', '1', '2'],
      ['UPDATE', '2', '3'],
      ['UPDATE', '3', '4'],
      ['DELETE', '4', undefined],
    ]);
    const last = seen().at(-1);
    assert.equal(last?.['object'], null);
    const { options } = last ?? {};
    assert.deepEqual(options, {
      kind: 'DeleteOptions',
      apiVersion: 'meta.k8s.io/v1',
      propagationPolicy: 'Background',
    });
  });

  it('are asked about each object of a collection that is deleted, without a name of the request', async () => {
    for (const name of ['c1', 'c2'])
      await lab.call('POST', MAPS, map(name, { metadata: { name, labels: { c: 'c' } } }));
    await lab.configure('validating', [lab.hook('/allow')]);
    assert.equal((await lab.call('DELETE', `${MAPS}?labelSelector=c=c`)).code, 200);
    assert.deepEqual(
      seen()
        .map((r) => [r['name'], part(r, 'oldObject', 'metadata', 'name')])
        .sort(),
      [
        [undefined, 'c1'],
        [undefined, 'c2'],
      ],
    );
  });

  describe('refuse', () => {
    const denials: [name: string, response: JsonObject, code: number, reason: Json | undefined, message: string][] = [
      ['without a word', {}, 400, undefined, ' without explanation'],
      ['with a message', { status: { message: 'no' } }, 400, undefined, ': no'],
      ['with a reason', { status: { reason: 'Because' } }, 400, 'Because', ': Because'],
      ['with a code', { status: { code: 403, message: 'no', reason: 'Forbidden' } }, 403, 'Forbidden', ': no'],
      ['with a code of success', { status: { code: 200, status: 'Success', message: 'no' } }, 400, undefined, ': no'],
    ];
    for (const kind of ['mutating', 'validating'] as const) {
      for (const [name, response, code, reason, message] of denials) {
        it(`${name}, when ${kind}, and nothing is stored`, async () => {
          lab.hooks.on('/deny', () => ({ allowed: false, ...response }));
          await lab.configure(kind, [lab.hook('/deny')]);
          const { revision } = lab.api.engine.store;
          const answer = await lab.call('POST', MAPS, map('denied'));
          const text = `admission webhook "hook.test.dev" denied the request${message}`;
          assert.deepEqual([answer.code, answer.body['reason'], answer.message], [code, reason, text]);
          assert.equal(lab.api.engine.store.revision, revision);
          assert.equal((await lab.call('GET', `${MAPS}/denied`)).code, 404);
        });
      }
    }

    it('with details', async () => {
      const details = { causes: [{ field: 'spec', message: 'x', reason: 'FieldValueInvalid' }] };
      lab.hooks.on('/deny', () => ({
        allowed: false,
        status: { code: 422, reason: 'Invalid', message: 'm', details },
      }));
      await lab.configure('validating', [lab.hook('/deny')]);
      assert.deepEqual((await lab.call('POST', MAPS, map('denied'))).body['details'], details);
    });

    it('updates and deletions, and what is there stays', async () => {
      const { body } = await lab.call('POST', MAPS, map('kept', { data: { a: '1' } }));
      lab.hooks.on('/deny', () => ({ allowed: false }));
      await lab.configure('validating', [lab.hook('/deny')]);
      assert.equal((await lab.call('PATCH', `${MAPS}/kept`, { data: { a: '2' } }, MERGE)).code, 400);
      assert.equal((await lab.call('DELETE', `${MAPS}/kept`)).code, 400);
      assert.equal((await lab.call('DELETE', MAPS)).code, 400);
      assert.deepEqual((await lab.call('GET', `${MAPS}/kept`)).body, body);
    });

    it('in the order of the webhooks, after all were heard', async () => {
      for (const name of ['one', 'two'])
        lab.hooks.on(`/${name}`, () => ({ allowed: false, status: { message: name } }));
      const hooks = ['one', 'two'].map((name) => lab.hook(`/${name}`, { name: `${name}.test.dev` }));
      await lab.configure('validating', hooks);
      assert.match((await lab.call('POST', MAPS, map('denied'))).message, /"one\.test\.dev" denied/);
      assert.deepEqual([lab.hooks.seen('/one').length, lab.hooks.seen('/two').length], [1, 1]);
    });
  });

  it('warn the caller, once each, also of what they refuse; texts that fit into no header are left out', async () => {
    lab.hooks.on('/warn', (request) => ({
      allowed: request['name'] === 'warned',
      warnings: ['one', 'one', 'say "two"', 'three\nlines'],
    }));
    await lab.configure('mutating', [lab.hook('/warn')]);
    await lab.configure('validating', [lab.hook('/warn')]);
    const wanted = ['299 - "one"', '299 - "say \\"two\\""'];
    const accepted = await lab.call('POST', MAPS, map('warned'));
    assert.deepEqual([accepted.code, accepted.warnings], [201, wanted]);
    const refused = await lab.call('POST', MAPS, map('other'));
    assert.deepEqual([refused.code, refused.warnings], [400, wanted]);
    assert.deepEqual((await lab.call('PATCH', `${MAPS}/warned`, { data: { a: '1' } }, MERGE)).warnings, wanted);
    assert.deepEqual((await lab.call('DELETE', `${MAPS}/warned`)).warnings, wanted);
  });

  it('see Scales of the scale subresource, may change and refuse them', async () => {
    const schema = {
      openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    };
    const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };
    const versions = [{ name: 'v1', served: true, storage: true, schema, subresources: { status: {}, scale } }];
    await lab.call('POST', CRDS, crdFor('w.test', 'scaleds', 'Scaled', { versions }));
    const path = '/apis/w.test/v1/namespaces/default/scaleds';
    await lab.call('POST', path, {
      apiVersion: 'w.test/v1',
      kind: 'Scaled',
      metadata: { name: 's' },
      spec: { replicas: 1 },
    });
    lab.hooks.on('/double', (request) => {
      const replicas = Number(part(request, 'object', 'spec', 'replicas'));
      return patchResponse([{ op: 'replace', path: '/spec/replicas', value: replicas * 2 }]);
    });
    lab.hooks.on('/judge', (request) => ({ allowed: Number(part(request, 'object', 'spec', 'replicas')) < 10 }));
    const rules = [
      { operations: ['UPDATE'], apiGroups: ['w.test'], apiVersions: ['v1'], resources: ['scaleds/scale'] },
    ];
    await lab.configure('mutating', [lab.hook('/double', { rules })]);
    await lab.configure('validating', [lab.hook('/judge', { rules })]);
    const scaled = await lab.call('PATCH', `${path}/s/scale`, { spec: { replicas: 4 } }, MERGE);
    assert.deepEqual([scaled.code, part(scaled.body, 'spec', 'replicas')], [200, 8]);
    assert.equal((await lab.call('PATCH', `${path}/s/scale`, { spec: { replicas: 5 } }, MERGE)).code, 400);
    assert.equal(part((await lab.call('GET', `${path}/s`)).body, 'spec', 'replicas'), 8);
    const [request] = lab.hooks.seen('/judge');
    assert.deepEqual(
      [request?.['kind'], request?.['subResource']],
      [{ group: 'autoscaling', version: 'v1', kind: 'Scale' }, 'scale'],
    );
    assert.equal(part(request, 'oldObject', 'spec', 'replicas'), 1);
    // The object itself is not what these rules ask for.
    await lab.call('PATCH', `${path}/s`, { spec: { replicas: 99 } }, MERGE);
    assert.equal(lab.hooks.seen('/judge').length, 2);
  });

  it('tell Namespaces their own name as namespace, and are asked by the labels that a Namespace will have', async () => {
    const rules = [
      { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['namespaces'], scope: 'Cluster' },
    ];
    await lab.configure('validating', [lab.hook('/allow', { rules, namespaceSelector: { matchLabels: { t: 'y' } } })]);
    const ns = (name: string, labels: JsonObject): JsonObject => ({ metadata: { name, labels } });
    await lab.call('POST', '/api/v1/namespaces', ns('picked', { t: 'y' }));
    await lab.call('POST', '/api/v1/namespaces', ns('passed', { t: 'n' }));
    assert.deepEqual(
      seen().map((r) => [r['name'], r['namespace']]),
      [['picked', 'picked']],
    );
  });

  it('are told who asks', async () => {
    await lab.configure('validating', [lab.hook('/allow')]);
    const user = { name: 'jane', uid: 'u1', groups: ['system:masters'], extra: { scopes: ['a', 'b'] } };
    const body = async () => new TextEncoder().encode(JSON.stringify(map('by-jane')));
    await lab.api.open({ method: 'POST', path: MAPS, headers: {}, body, user });
    assert.deepEqual(seen()[0]?.['userInfo'], {
      username: 'jane',
      uid: 'u1',
      groups: ['system:masters'],
      extra: { scopes: ['a', 'b'] },
    });
  });

  it('are asked about what the server itself writes, under a name of its own', async () => {
    await lab.configure('validating', [lab.hook('/allow')]);
    const { client } = lab.api.engine;
    const kind = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', scope: 'Namespaced' } as const;
    await client.create(kind, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'own', namespace: 'default' } });
    assert.deepEqual(part(seen()[0], 'userInfo', 'username'), 'system:bloomery');
  });

  it('know the garbage collector and the namespace controller by the names of Kubernetes', async () => {
    await lab.call('POST', '/api/v1/namespaces', { metadata: { name: 'ends' } });
    const owner = await lab.call('POST', MAPS, map('owner'));
    const reference = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'owner',
      uid: part(owner.body, 'metadata', 'uid') ?? '',
    };
    await lab.call('POST', MAPS, map('owned', { metadata: { name: 'owned', ownerReferences: [reference] } }));
    await lab.call('POST', MAPS.replace('default', 'ends'), map('inside'));
    await lab.configure('validating', [lab.hook('/allow')]);
    await lab.call('DELETE', `${MAPS}/owner`);
    await lab.call('DELETE', '/api/v1/namespaces/ends');
    const { engine } = lab.api;
    const isGone = () => engine.store.head({ resource: 'namespaces', namespace: '', name: 'ends' }) === undefined;
    for (let round = 0; round < 200 && !isGone(); round++) await engine.idle();
    const who = seen().map((r) => [part(r, 'oldObject', 'metadata', 'name'), part(r, 'userInfo', 'username')]);
    assert.deepEqual(who.filter(([name]) => name === 'owned' || name === 'inside').sort(), [
      ['inside', 'system:serviceaccount:kube-system:namespace-controller'],
      ['owned', 'system:serviceaccount:kube-system:generic-garbage-collector'],
    ]);
  });

  it('cannot lock themselves in: configurations and reviews are never sent to them', async () => {
    lab.hooks.on('/deny', () => ({ allowed: false }));
    const rules = [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }];
    await lab.configure('validating', [lab.hook('/deny', { rules })], 'all');
    await lab.configure('mutating', [lab.hook('/deny', { rules })], 'all');
    const review = { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } };
    assert.equal((await lab.call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review)).code, 201);
    assert.equal((await lab.call('POST', MAPS, map('locked'))).code, 400);
    const path = '/apis/admissionregistration.k8s.io/v1';
    assert.equal((await lab.call('DELETE', `${path}/validatingwebhookconfigurations/all`)).code, 200);
    assert.equal((await lab.call('DELETE', `${path}/mutatingwebhookconfigurations/all`)).code, 200);
    assert.equal((await lab.call('POST', MAPS, map('locked'))).code, 201);
  });
});
