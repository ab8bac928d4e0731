import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { authenticated, type User } from '../auth/user.ts';
import { part } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import type { ApiRequest } from './api-request.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const SECRETS = '/api/v1/namespaces/default/secrets';
const ADMIN: User = { name: 'admin', uid: '1', groups: ['system:masters', 'system:authenticated'] };
const NOBODY: User = authenticated('nobody', ['devs']);
const START = '2026-01-01T00:00:00.250000Z';

describe('the audit of requests', () => {
  let api: TestApi;
  const events: JsonObject[] = [];
  before(async () => {
    const clock = createFakeClock(Date.parse('2026-01-01T00:00:00.250Z'));
    api = await startTestApi([], silentLog, { clock, surface: { audit: (event) => events.push(event) } });
  });
  after(() => api[Symbol.asyncDispose]());

  async function ask(method: string, path: string, body: string, more: Partial<ApiRequest> = {}) {
    events.length = 0;
    const { headers, ...rest } = more;
    const answer = await api.open({
      method,
      path,
      user: ADMIN,
      sourceAddress: '192.0.2.7',
      headers: { 'content-type': 'application/json', 'user-agent': 'test/1', ...headers },
      body: async () => new TextEncoder().encode(body),
      ...rest,
    });
    return { answer, events: [...events] };
  }

  it('tells who changed what, when, from where, and how it ended', async () => {
    const { answer, events: seen } = await ask('POST', `${MAPS}?dryRun=All`, '{"metadata":{"name":"a"}}');
    assert.equal(answer.status, 201);
    assert.deepEqual(seen, [
      {
        kind: 'Event',
        apiVersion: 'audit.k8s.io/v1',
        level: 'Metadata',
        auditID: answer.headers['audit-id'],
        stage: 'ResponseComplete',
        requestURI: `${MAPS}?dryRun=All`,
        verb: 'create',
        user: { username: 'admin', uid: '1', groups: ['system:masters', 'system:authenticated'] },
        sourceIPs: ['192.0.2.7'],
        userAgent: 'test/1',
        objectRef: { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' },
        responseStatus: { metadata: {}, code: 201 },
        requestReceivedTimestamp: START,
        stageTimestamp: START,
        annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
      },
    ]);
  });

  it('has every kind of write, and its refusal', async () => {
    const writes: [method: string, path: string, type: string, verb: string, code: number][] = [
      ['PUT', `${MAPS}/absent`, 'application/json', 'update', 404],
      ['PATCH', `${MAPS}/absent`, 'application/merge-patch+json', 'patch', 404],
      ['DELETE', `${MAPS}/absent`, 'application/json', 'delete', 404],
      ['DELETE', MAPS, 'application/json', 'deletecollection', 200],
    ];
    for (const [method, path, type, verb, code] of writes) {
      const body = method === 'DELETE' ? '' : '{"metadata":{"name":"absent"}}';
      const { events: seen } = await ask(method, path, body, { headers: { 'content-type': type } });
      const [event] = seen;
      assert.deepEqual([seen.length, event?.['verb'], part(event, 'responseStatus', 'code')], [1, verb, code]);
    }
  });

  it('leaves reads out, also those that fail', async () => {
    for (const path of [MAPS, `${MAPS}/absent`, '/version', '/api', '/readyz'])
      assert.deepEqual((await ask('GET', path, '')).events, []);
  });

  it('has what was denied, also when it only reads', async () => {
    const { events: seen } = await ask('GET', `${SECRETS}/s`, '', { user: NOBODY });
    const [event] = seen;
    const text =
      'secrets "s" is forbidden: User "nobody" cannot get resource "secrets" in API group "" in the namespace "default"';
    assert.deepEqual(event?.['responseStatus'], {
      metadata: {},
      status: 'Failure',
      message: text,
      details: { name: 's', kind: 'secrets' },
      reason: 'Forbidden',
      code: 403,
    });
    assert.deepEqual(event['annotations'], {
      'authorization.k8s.io/decision': 'forbid',
      'authorization.k8s.io/reason': '',
    });
    assert.deepEqual(event['objectRef'], { resource: 'secrets', namespace: 'default', name: 's', apiVersion: 'v1' });
  });

  it('has callers with wrong credentials, and says no more of them', async () => {
    const { events: seen } = await ask('GET', MAPS, '', { user: undefined });
    const [event] = seen;
    assert.deepEqual([event?.['user'], part(event, 'responseStatus', 'code')], [{}, 401]);
    assert.equal(event?.['annotations'], undefined);
  });

  it('names both the caller and the user that it stood in for', async () => {
    const { events: seen } = await ask('POST', MAPS, '{"metadata":{"name":"b"}}', {
      headers: { 'impersonate-user': 'anna', 'impersonate-group': 'ops' },
    });
    assert.deepEqual(
      [part(seen[0], 'user', 'username'), seen[0]?.['impersonatedUser']],
      ['admin', { username: 'anna', groups: ['ops', 'system:authenticated'] }],
    );
  });

  it('has who may not stand in for somebody else', async () => {
    const { events: seen } = await ask('GET', MAPS, '', { user: NOBODY, headers: { 'impersonate-user': 'admin' } });
    assert.deepEqual(
      [
        seen.length,
        part(seen[0], 'user', 'username'),
        part(seen[0], 'responseStatus', 'code'),
        seen[0]?.['annotations'],
      ],
      [1, 'nobody', 403, { 'authorization.k8s.io/decision': 'forbid', 'authorization.k8s.io/reason': '' }],
    );
  });

  it('never holds a body, a secret or a token', async () => {
    const word = 'bWlubmV0cmV1';
    const ending = '/api/v1/namespaces/ending';
    await ask('POST', '/api/v1/namespaces', '{"metadata":{"name":"ending"}}');
    await ask('POST', `${ending}/configmaps`, '{"metadata":{"name":"held","finalizers":["test/held"]}}');
    await ask('DELETE', ending, '');
    const asked: [method: string, path: string, body: string, type?: string][] = [
      ['POST', SECRETS, `{"metadata":{"name":"s"},"data":{"k":"${word}"}}`],
      ['POST', SECRETS, `{"metadata":{"name":"${word}!"},"data":{"k":"${word}"}}`],
      ['POST', SECRETS, `{"metadata":{"name":"t"},"data":{"${word}/":"${word}"},"type":5}`],
      ['POST', `${ending}/secrets`, `{"metadata":{"name":"${word.toLowerCase()}"},"data":{"k":"${word}"}}`],
      ['PATCH', `${SECRETS}/s`, `[{"op":"test","path":"/data/k","value":"${word}"}]`, 'application/json-patch+json'],
      ['POST', '/apis/authentication.k8s.io/v1/tokenreviews', `{"spec":{"token":"${word}"}}`],
      ['POST', '/api/v1/namespaces/default/serviceaccounts/default/token', `{"spec":{"audiences":["${word}"]}}`],
    ];
    for (const [method, path, body, type = 'application/json'] of asked) {
      const { events: seen } = await ask(method, path, body, {
        headers: { 'content-type': type, authorization: `Bearer ${word}` },
      });
      assert.equal(seen.length, 1);
      assert.ok(!JSON.stringify(seen).toLowerCase().includes(word.toLowerCase()), JSON.stringify(seen));
    }
  });

  it('takes the name that a caller gives its request, and no nonsense', async () => {
    const mine = await ask('GET', MAPS, '', { user: NOBODY, headers: { 'audit-id': 'mine-7' } });
    assert.deepEqual([mine.events[0]?.['auditID'], mine.answer.headers['audit-id']], ['mine-7', 'mine-7']);
    const odd = await ask('GET', MAPS, '', { user: NOBODY, headers: { 'audit-id': 'a\nb' } });
    assert.match(String(odd.events[0]?.['auditID']), /^[0-9a-f-]{36}$/);
  });

  it("has none of the plane's own writes", async () => {
    events.length = 0;
    const { store } = api.engine;
    const before = store.revision;
    const namespace = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', scope: 'Cluster' } as const;
    await api.engine.client.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'own' } });
    assert.ok(store.revision > before);
    assert.deepEqual(events, []);
  });
});
