import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { authenticated } from '../auth/user.ts';
import { jsonCaller } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import { createRequestMetrics } from './request-metrics.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const ANNA = authenticated('anna', []);
const BERT = authenticated('bert', []);
const LIMITS = { readOnly: 4, mutating: 2, waiting: 2, waitMs: 1000, watches: 3, watchesPerUser: 2 };

describe('the API under load', () => {
  const clock = createFakeClock();
  const metrics = createRequestMetrics();
  let api: TestApi;
  before(async () => {
    const surface = { limits: LIMITS, observer: metrics.observer, metrics: async () => metrics.text() };
    api = await startTestApi([], silentLog, { clock, surface });
    const call = jsonCaller(api);
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const role = { rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }] };
    await call('POST', `${rbac}/clusterroles`, { metadata: { name: 'maps' }, ...role });
    await call('POST', `${rbac}/clusterrolebindings`, {
      metadata: { name: 'maps' },
      subjects: ['anna', 'bert'].map((name) => ({ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' })),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'maps' },
    });
    await api.engine.idle();
  });
  after(() => api[Symbol.asyncDispose]());

  /** A write whose body comes when it is let. */
  function slowWrite(user: ApiRequest['user'], more: Partial<ApiRequest> = {}) {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const answer = api.open({
      method: 'POST',
      path: MAPS,
      ...(user === undefined ? {} : { user }),
      headers: { 'content-type': 'application/json' },
      body: () => promise,
      ...more,
    });
    return { answer, finish: () => resolve(new TextEncoder().encode('{"metadata":{"generateName":"w-"}}')) };
  }
  const statusOf = (answer: ApiAnswer): unknown => JSON.parse(String(answer.body));

  it('makes writers wait, refuses with 429 what is too much, and goes on serving reads, others and probes', async () => {
    const first = slowWrite(ANNA);
    const second = slowWrite(ANNA);
    await nextTurn();
    const third = slowWrite(BERT);
    const refused = await slowWrite(ANNA).answer;
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
    assert.deepEqual(statusOf(refused), {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Too many requests, please try again later.',
      reason: 'TooManyRequests',
      details: { retryAfterSeconds: 1 },
      code: 429,
    });
    assert.equal((await api.open({ path: MAPS, user: ANNA })).status, 200);
    assert.equal((await api.open({ path: '/readyz', user: ANNA })).status, 200);
    const master = slowWrite(undefined);
    master.finish();
    assert.equal((await master.answer).status, 201);
    for (const { finish } of [first, second, third]) finish();
    const answers = await Promise.all([first, second, third].map(({ answer }) => answer));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201, 201],
    );
  });

  it('gives a request its place back also when it is refused', async () => {
    for (let i = 0; i < 20; i++)
      assert.equal((await api.open({ path: '/api/v1/namespaces/default/secrets', user: ANNA })).status, 403);
    for (let i = 0; i < 20; i++) assert.equal((await api.open({ path: `${MAPS}/absent`, user: ANNA })).status, 404);
    assert.equal((await api.open({ path: MAPS, user: ANNA })).status, 200);
  });

  it('answers 504 to who asked for less time than it took', async () => {
    const { answer, finish } = slowWrite(ANNA, { query: new URLSearchParams('timeout=2s') });
    await clock.advance(2000);
    assert.deepEqual(statusOf(await answer), {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Timeout: request did not complete within the allotted timeout',
      reason: 'Timeout',
      details: {},
      code: 504,
    });
    finish();
    await api.engine.store.settled();
  });

  it('bounds watches for each user, and counts them while they are open', async () => {
    const watch = (user: ApiRequest['user']) =>
      api.open({ path: `${MAPS}?watch=1`, ...(user === undefined ? {} : { user }) });
    const open: AsyncGenerator<Uint8Array>[] = [];
    for (const user of [ANNA, ANNA]) {
      const { body } = await watch(user);
      assert.ok(typeof body === 'object' && Symbol.asyncIterator in body);
      const lines = body as AsyncGenerator<Uint8Array>;
      await lines.next();
      open.push(lines);
    }
    assert.equal((await watch(ANNA)).status, 429);
    assert.equal((await watch(BERT)).status, 200);
    assert.match(metrics.text(), /apiserver_longrunning_requests\{.*resource="configmaps".*verb="WATCH".*\} 2\n/);
    await Promise.all(open.map((lines) => lines.return(undefined)));
    assert.match(metrics.text(), /apiserver_longrunning_requests\{.*resource="configmaps".*verb="WATCH".*\} 0\n/);
    assert.equal((await watch(ANNA)).status, 200);
  });

  it('shows its metrics to who may see the path', async () => {
    assert.equal((await api.open({ path: '/metrics', user: ANNA })).status, 403);
    const answer = await api.open({ path: '/metrics' });
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    const text = String(answer.body);
    for (const line of [
      /^apiserver_request_total\{code="201",.*resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"\} 4$/m,
      /^apiserver_request_terminations_total\{code="429",.*verb="POST".*\} 1$/m,
      /^apiserver_request_total\{code="200",.*subresource="\/readyz",verb="GET".*\} 1$/m,
    ])
      assert.match(text, line);
  });

  it('does not let strangers grow its metrics', async () => {
    const before = metrics.text().split('\n').length;
    for (let i = 0; i < 500; i++) {
      await api.open({ path: `/nonsense-${i}`, method: `M${i}` });
      await api.open({ path: `/apis/g${i}.test/v1/namespaces/n/x${i}` });
      await api.open({ path: `${MAPS}/a/sub${i}` });
      await api.open({ path: `/readyz/${i}` });
    }
    // Three new series, whatever was asked.
    assert.ok(metrics.text().split('\n').length - before < 150);
  });
});
