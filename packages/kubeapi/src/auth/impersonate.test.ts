import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isJsonObject, type JsonObject, parseJson } from '@bloomery/model';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import type { Attributes } from './authorize.ts';
import { effectiveUser } from './impersonate.ts';
import { authenticated, type User } from './user.ts';

const ADMIN: User = { name: 'admin', groups: ['system:masters'] };
const NOBODY: User = authenticated('nobody', []);
const HELPER: User = authenticated('helper', []);

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const rbac = (kind: string, name: string, fields: JsonObject): JsonObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name },
  ...fields,
});
const ROLE = rbac('ClusterRole', 'may-be-anna', {
  rules: [{ apiGroups: [''], resources: ['users'], resourceNames: ['anna'], verbs: ['impersonate'] }],
});
const BINDING = rbac('ClusterRoleBinding', 'helper', {
  subjects: [{ kind: 'User', name: 'helper', apiGroup: 'rbac.authorization.k8s.io' }],
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'may-be-anna' },
});
const WHO_AM_I = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };

describe('a request for somebody else', () => {
  let api: TestApi;

  async function ask(user: User, headers: Readonly<Record<string, string>>, path: string, body?: JsonObject) {
    const text = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body));
    const method = body === undefined ? 'GET' : 'POST';
    const answer = await api.open({ method, path, headers, user, body: async () => text });
    const read = parseJson(String(answer.body));
    assert.ok(isJsonObject(read));
    return { code: answer.status, body: read };
  }

  before(async () => {
    api = await startTestApi();
    await api.call({ method: 'POST', path: `${RBAC}/clusterroles`, headers: {}, body: JSON.stringify(ROLE) });
    await api.call({ method: 'POST', path: `${RBAC}/clusterrolebindings`, headers: {}, body: JSON.stringify(BINDING) });
  });
  after(() => api[Symbol.asyncDispose]());

  const identities: [name: string, headers: Record<string, string>, want: JsonObject][] = [
    ['a user', { 'impersonate-user': 'anna' }, { username: 'anna', groups: ['system:authenticated'] }],
    [
      'a user of groups',
      { 'impersonate-user': 'anna', 'impersonate-group': 'ops, night', 'impersonate-uid': '7' },
      { username: 'anna', uid: '7', groups: ['ops, night', 'system:authenticated'] },
    ],
    [
      'a user with extra fields, whose keys may be encoded',
      { 'impersonate-user': 'anna', 'impersonate-extra-acme.io%2fteam': 'a,b', 'impersonate-extra-%zz': 'c' },
      { username: 'anna', groups: ['system:authenticated'], extra: { 'acme.io/team': ['a,b'], '%zz': ['c'] } },
    ],
    [
      'a service account, with its groups',
      { 'impersonate-user': 'system:serviceaccount:ns:sa' },
      {
        username: 'system:serviceaccount:ns:sa',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
      },
    ],
  ];
  for (const [name, headers, want] of identities) {
    it(`is answered as ${name}`, async () => {
      const review = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      const { code, body } = await ask(ADMIN, headers, review, WHO_AM_I);
      assert.equal(code, 201);
      assert.deepEqual(body['status'], { userInfo: want });
    });
  }

  it('has the rights of the other user only', async () => {
    const { code, body } = await ask(ADMIN, { 'impersonate-user': 'anna' }, '/api/v1/namespaces/default/secrets');
    assert.equal(code, 403);
    assert.equal(
      body['message'],
      'secrets is forbidden: User "anna" cannot list resource "secrets" in API group "" in the namespace "default"',
    );
  });

  it('is refused to callers without the right', async () => {
    const { code, body } = await ask(NOBODY, { 'impersonate-user': 'anna' }, '/api');
    assert.equal(code, 403);
    assert.equal(
      body['message'],
      'users "anna" is forbidden: User "nobody" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
  });

  it('is allowed for the names that a rule lists, and with no group beyond', async () => {
    assert.equal((await ask(HELPER, { 'impersonate-user': 'anna' }, '/api')).code, 200);
    assert.equal((await ask(HELPER, { 'impersonate-user': 'admin' }, '/api')).code, 403);
    const masters = { 'impersonate-user': 'anna', 'impersonate-group': 'system:masters' };
    assert.equal((await ask(HELPER, masters, '/api')).code, 403);
  });

  it('takes each line of a header for a value', () => {
    const headers = { 'impersonate-user': 'anna', 'impersonate-group': 'a,b, c', 'impersonate-extra-x': '1, 2' };
    const rawHeaders = ['Impersonate-User', 'anna', 'Impersonate-Group', 'a,b', 'Impersonate-Group', 'c'];
    const extra = ['Impersonate-Extra-X', '1', 'Impersonate-Extra-X', '2'];
    const asked: Attributes[] = [];
    const user = effectiveUser(ADMIN, { headers, rawHeaders: [...rawHeaders, ...extra] }, (one) => asked.push(one));
    assert.deepEqual(user, { name: 'anna', groups: ['a,b', 'c', 'system:authenticated'], extra: { x: ['1', '2'] } });
    const names = asked.map((one) => ('resource' in one ? `${one.resource}/${one.subresource} ${one.name}` : ''));
    assert.deepEqual(names, ['users/ anna', 'groups/ a,b', 'groups/ c', 'userextras/x 1', 'userextras/x 2']);
  });

  it('can be for nobody, and is then not signed in', async () => {
    const asAnonymous = { 'impersonate-user': 'system:anonymous' };
    assert.equal((await ask(ADMIN, asAnonymous, '/version')).code, 200);
    assert.equal((await ask(ADMIN, asAnonymous, '/api')).code, 403);
    const unsigned = { 'impersonate-user': 'zoe', 'impersonate-group': 'system:unauthenticated' };
    assert.equal((await ask(ADMIN, unsigned, '/api')).code, 403);
  });

  it('names a bounded number of groups', async () => {
    const rawHeaders = Array.from({ length: 65 }, (_, i) => ['Impersonate-Group', `g${i}`]).flat();
    const headers = { 'impersonate-user': 'anna' };
    assert.throws(() => effectiveUser(ADMIN, { headers, rawHeaders }, () => {}), /at most 64 groups/);
  });

  it('is malformed with groups and no user', async () => {
    assert.equal((await ask(ADMIN, { 'impersonate-group': 'ops' }, '/api')).code, 400);
  });
});
