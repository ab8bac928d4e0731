import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { apiError, type StreamedResource, type StreamRequest } from '@bloomery/kube';
import { silentLog } from '@bloomery/ports';
import { jsonCaller } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const AT = '/apis/insight.bloomery.dev/v1alpha1';

describe('a streamed resource', () => {
  let api: TestApi;
  let asked: Omit<StreamRequest, 'signal'>[];
  const streamed: StreamedResource = {
    group: 'insight.bloomery.dev',
    version: 'v1alpha1',
    plural: 'serverlogs',
    open({ signal, ...request }) {
      if (request.name === 'none') throw apiError({ code: 404, reason: 'NotFound', message: 'there is none' });
      asked.push(request);
      assert.equal(signal.aborted, false);
      return { contentType: 'application/x-ndjson', pieces: pieces() };
    },
  };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"a":1}\n');
    yield Buffer.from('{"b":2}\n');
  }
  before(async () => {
    asked = [];
    api = await startTestApi([], silentLog, { surface: { streams: [streamed] } });
  });
  after(() => api[Symbol.asyncDispose]());
  const call = (path: string, method = 'GET') =>
    api.call({ method, path: `${AT}${path}`, headers: {}, body: undefined });

  it('is read by name, of a namespace and of all, with its query', async () => {
    const answer = await call('/serverlogs/x?follow=true&tail=1');
    assert.deepEqual([answer.code, answer.body], [200, '{"a":1}\n{"b":2}\n']);
    assert.equal((await call('/namespaces/team/serverlogs?cluster=c')).code, 200);
    assert.equal((await call('/serverlogs')).code, 200);
    assert.deepEqual(
      asked.map(({ namespace, name, query, user }) => [namespace, name, String(query), user]),
      [
        [undefined, 'x', 'follow=true&tail=1', 'admin'],
        ['team', undefined, 'cluster=c', 'admin'],
        [undefined, undefined, '', 'admin'],
      ],
    );
  });

  it('cannot be written or watched, and has no subresources', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
      assert.equal((await call('/serverlogs/x', method)).code, 405);
    assert.equal((await call('/serverlogs/x/status')).code, 404);
    assert.equal((await call('/watch/serverlogs/x')).code, 404);
    assert.equal((await call('/otherlogs/x')).code, 404);
  });

  it('says why it has nothing to give', async () => {
    const answer = await call('/serverlogs/none');
    assert.deepEqual([answer.code, JSON.parse(answer.body).message], [404, 'there is none']);
  });

  it('is for those who may get a name, or list the collection of a namespace', async () => {
    const make = jsonCaller(api);
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const rules = [{ apiGroups: ['insight.bloomery.dev'], resources: ['serverlogs'], verbs: ['get', 'list'] }];
    const metadata = { name: 'logs' };
    await make('POST', '/api/v1/namespaces', { metadata: { name: 'team' } });
    await make('POST', `${rbac}/namespaces/team/roles`, { metadata, rules });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'logs' };
    const subjects = [{ kind: 'User', name: 'eve' }];
    await make('POST', `${rbac}/namespaces/team/rolebindings`, { metadata, subjects, roleRef });
    const codeOf = async (path: string, name: string): Promise<number> => {
      const groups = name === 'system:anonymous' ? ['system:unauthenticated'] : ['system:authenticated'];
      const { status } = await api.open({ path: `${AT}${path}`, user: { name, groups } });
      return status;
    };
    assert.equal(await codeOf('/namespaces/team/serverlogs', 'eve'), 200);
    assert.equal(await codeOf('/namespaces/other/serverlogs', 'eve'), 403);
    assert.equal(await codeOf('/serverlogs/x', 'eve'), 403);
    assert.equal(await codeOf('/serverlogs', 'eve'), 403);
    assert.equal(await codeOf('/namespaces/team/serverlogs', 'system:anonymous'), 403);
    assert.equal((await api.open({ path: `${AT}/serverlogs`, user: undefined })).status, 401);
  });
});
