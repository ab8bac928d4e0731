import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '@bloomery/model';
import { encodeProtobuf } from '../testing/encode-protobuf.ts';
import { type JsonCaller, jsonCaller, part } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { dataKinds } from './builtin-kinds.ts';

const labels = { app: 'x' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const spec = { selector: { matchLabels: labels }, template };
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const PODS = '/api/v1/namespaces/default/pods';
const STRATEGIC = 'application/strategic-merge-patch+json';

describe('built-in kinds that are kept as data', () => {
  let api: TestApi;
  let call: JsonCaller;
  before(async () => {
    api = await startTestApi();
    call = jsonCaller(api);
  });
  after(() => api[Symbol.asyncDispose]());
  const warningOf = async (method: string, path: string, object: JsonObject): Promise<string | undefined> => {
    const headers = { 'content-type': method === 'PATCH' ? STRATEGIC : 'application/json' };
    const answer = await api.open({ method, path, headers, body: async () => Buffer.from(JSON.stringify(object)) });
    assert.ok(answer.status < 300, String(answer.body));
    const { warning } = answer.headers;
    return typeof warning === 'string' || warning === undefined ? warning : warning.join('\n');
  };

  it('are all in discovery and in OpenAPI, with what can be done with them', async () => {
    for (const { kind } of dataKinds) {
      const path = kind.group === '' ? '/api/v1' : `/apis/${kind.group}/${kind.version}`;
      const { body } = await call('GET', path);
      const listed = Array.isArray(body['resources']) ? body['resources'].map((r) => part(r, 'name')) : [];
      assert.ok(listed.includes(kind.plural), kind.plural);
      assert.equal(listed.includes(`${kind.plural}/status`), kind.statusSubresource, kind.plural);
      assert.equal(listed.includes(`${kind.plural}/scale`), kind.scale !== undefined, kind.plural);
    }
  });

  it('refer to shared parts of their schemas, which are all in the document', async () => {
    const { body } = await call('GET', '/openapi/v3/apis/apps/v1');
    const schemas = part(body, 'components', 'schemas');
    const names = new Set(Object.keys(schemas ?? {}));
    const refs = [...JSON.stringify(body).matchAll(/#\/components\/schemas\/([\w.-]+)/g)].map(([, name = '']) => name);
    assert.deepEqual(
      [...new Set(refs)].filter((name) => !names.has(name)),
      [],
    );
    assert.ok(names.has('io.k8s.api.core.v1.PodSpec') && names.has('io.k8s.api.apps.v1.Deployment'));
    const v2 = JSON.stringify((await call('GET', '/openapi/v2')).body);
    for (const [, name = ''] of v2.matchAll(/#\/definitions\/([\w.-]+)/g)) assert.ok(v2.includes(`"${name}":{`), name);
  });

  it('say once that nothing runs them', async () => {
    const made = { metadata: { name: 'told' }, spec };
    assert.equal(
      await warningOf('POST', DEPLOYMENTS, made),
      '299 - "Deployments are kept as data here: nothing runs them"',
    );
    assert.equal(await warningOf('PATCH', `${DEPLOYMENTS}/told`, { spec: { replicas: 2 } }), undefined);
    const config = '/api/v1/namespaces/default/configmaps';
    assert.equal(await warningOf('POST', config, { metadata: { name: 'quiet' } }), undefined);
  });

  it('come as protobuf', async () => {
    const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'pb' }, spec };
    const answer = await api.open({
      method: 'POST',
      path: DEPLOYMENTS,
      headers: { 'content-type': 'application/vnd.kubernetes.protobuf', accept: 'application/json' },
      body: async () => encodeProtobuf('apps.Deployment', object),
    });
    assert.equal(answer.status, 201, String(answer.body));
    const { body } = await call('GET', `${DEPLOYMENTS}/pb`);
    assert.deepEqual(part(body, 'spec', 'strategy'), {
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
    });
  });

  it('are refused as protobuf when the kind is not known, with a text that says what is read', async () => {
    const answer = await api.open({
      method: 'POST',
      path: DEPLOYMENTS,
      headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
      body: async () => encodeProtobuf('core.Secret', { apiVersion: 'apps/v1beta1', kind: 'Deployment' }),
    });
    assert.equal(answer.status, 415);
    assert.match(
      String(answer.body),
      /Deployment of apps\/v1beta1 is not read as protobuf here; send it as application\/json/,
    );
  });

  it('drop the status on create and keep it apart after that', async () => {
    const pod = { metadata: { name: 'apart' }, spec: template.spec, status: { phase: 'Running' } };
    assert.equal(part((await call('POST', PODS, pod)).body, 'status', 'phase'), 'Pending');
    await call('PATCH', `${PODS}/apart/status`, { status: { phase: 'Running' } }, STRATEGIC);
    await call('PATCH', `${PODS}/apart`, { status: { phase: 'Failed' } }, STRATEGIC);
    assert.equal(part((await call('GET', `${PODS}/apart`)).body, 'status', 'phase'), 'Running');
  });

  it('say why there are no logs', async () => {
    const { code, body } = await call('GET', `${PODS}/any/log`);
    assert.equal(code, 400);
    assert.equal(body['message'], 'Pods are kept as data here: nothing runs them, so there is no log');
  });

  it('merge conditions by type', async () => {
    await call('POST', PODS, { metadata: { name: 'cond' }, spec: template.spec });
    const set = (type: string, status: string) =>
      call('PATCH', `${PODS}/cond/status`, { status: { conditions: [{ type, status }] } }, STRATEGIC);
    await set('Ready', 'False');
    await set('Scheduled', 'True');
    const { body } = await set('Ready', 'True');
    const conditions = part(body, 'status', 'conditions');
    assert.deepEqual(
      Array.isArray(conditions) ? conditions.map((c) => `${part(c, 'type')}=${part(c, 'status')}`).sort() : [],
      ['Ready=True', 'Scheduled=True'],
    );
  });

  it('let names come twice where kube-apiserver lets them', async () => {
    const container = {
      name: 'c',
      image: 'i',
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
    };
    const { code } = await call('POST', PODS, { metadata: { name: 'twice' }, spec: { containers: [container] } });
    assert.equal(code, 201);
    const two = { containers: [container, container] };
    const { body } = await call('POST', PODS, { metadata: { name: 'same' }, spec: two });
    assert.equal(body['message'], 'Pod "same" is invalid: spec.containers[1].name: Duplicate value: "c"');
  });

  it('are selected by their fields, also by those that are not set', async () => {
    await call('POST', '/api/v1/nodes', { metadata: { name: 'n1' } });
    await call('POST', '/api/v1/nodes', { metadata: { name: 'n2' }, spec: { unschedulable: true } });
    const names = async (path: string): Promise<unknown> => {
      const { items } = (await call('GET', path)).body;
      return Array.isArray(items) ? items.map((item) => part(item, 'metadata', 'name')) : items;
    };
    assert.deepEqual(await names('/api/v1/nodes?fieldSelector=spec.unschedulable=false'), ['n1']);
    assert.deepEqual(await names('/api/v1/nodes?fieldSelector=spec.unschedulable=true'), ['n2']);
    await call('POST', PODS, { metadata: { name: 'placed' }, spec: { ...template.spec, nodeName: 'n1' } });
    assert.deepEqual(await names(`${PODS}?fieldSelector=spec.nodeName=n1,spec.hostNetwork=false`), ['placed']);
  });

  const refusals: [what: string, path: string, object: JsonObject, message: string][] = [
    [
      'a field of another type',
      PODS,
      { metadata: { name: 'x' }, spec: { tolerations: 7 } },
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field PodSpec.spec.tolerations of type []v1.Toleration',
    ],
    [
      'a Service without ports',
      '/api/v1/namespaces/default/services',
      { metadata: { name: 'x' } },
      'Service "x" is invalid: spec.ports: Required value',
    ],
    [
      'a CronJob of a long name',
      '/apis/batch/v1/namespaces/default/cronjobs',
      {
        metadata: { name: 'x'.repeat(53) },
        spec: {
          schedule: '@daily',
          jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
        },
      },
      `CronJob.batch "${'x'.repeat(53)}" is invalid: metadata.name: Invalid value: "${'x'.repeat(53)}": must be no more than 52 characters`,
    ],
  ];
  for (const [what, path, object, message] of refusals) {
    it(`refuse ${what}`, async () => {
      const { code, body } = await call('POST', path, object);
      assert.deepEqual([code >= 400, body['message']], [true, message]);
    });
  }
});
