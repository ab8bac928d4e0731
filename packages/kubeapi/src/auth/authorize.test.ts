import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isJsonObject, type JsonObject } from '@bloomery/model';
import { type JsonCaller, jsonCaller } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import type { Attributes } from './authorize.ts';
import { ANONYMOUS, authenticated, MASTERS, type User } from './user.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const GROUP = 'rbac.authorization.k8s.io';
const configmaps = (verb: string, namespace: string): Attributes => ({
  verb,
  group: '',
  resource: 'configmaps',
  subresource: '',
  namespace,
  name: '',
});
const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];

describe('a decision', () => {
  let api: TestApi;
  let make: JsonCaller;
  const zoe = authenticated('zoe', ['dev']);
  const account = authenticated('system:serviceaccount:other:build', ['system:serviceaccounts']);

  before(async () => {
    api = await startTestApi();
    make = jsonCaller(api);
    await make('POST', `${RBAC}/clusterroles`, { metadata: { name: 'reader' }, rules });
    await make('POST', `${RBAC}/namespaces/default/roles`, { metadata: { name: 'local' }, rules });
  });
  after(() => api[Symbol.asyncDispose]());

  const decide = (user: User, asked: Attributes) => api.engine.authorizer.decide(user, asked);
  async function bind(path: string, name: string, subject: JsonObject, kind: string, role: string): Promise<void> {
    const roleRef = { apiGroup: GROUP, kind, name: role };
    const { code, body } = await make('POST', `${RBAC}/${path}`, { metadata: { name }, subjects: [subject], roleRef });
    assert.equal(code, 201, JSON.stringify(body));
  }

  it('is no without a binding, for no reason', () => {
    assert.deepEqual(decide(zoe, configmaps('get', 'default')), { allowed: false, reason: '' });
  });

  it('is yes for the masters, for no reason', () => {
    const admin = { name: 'x', groups: [MASTERS] };
    assert.deepEqual(decide(admin, configmaps('anything', '')), { allowed: true, reason: '' });
  });

  it('follows bindings from the write that makes them to the one that removes them', async () => {
    const asked = configmaps('get', 'default');
    await bind('clusterrolebindings', 'all', { kind: 'Group', name: 'dev' }, 'ClusterRole', 'reader');
    const reason = 'RBAC: allowed by ClusterRoleBinding "all" of ClusterRole "reader" to Group "dev"';
    assert.deepEqual(decide(zoe, asked), { allowed: true, reason });
    const patch = { subjects: [{ kind: 'User', name: 'anna', apiGroup: GROUP }] };
    await make('PATCH', `${RBAC}/clusterrolebindings/all`, patch, 'application/merge-patch+json');
    assert.equal(decide(zoe, asked).allowed, false);
    assert.equal(decide(authenticated('anna', []), asked).allowed, true);
    await make('PATCH', `${RBAC}/clusterroles/reader`, { rules: [] }, 'application/merge-patch+json');
    assert.equal(decide(authenticated('anna', []), asked).allowed, false);
    await make('PATCH', `${RBAC}/clusterroles/reader`, { rules }, 'application/merge-patch+json');
    assert.equal(decide(authenticated('anna', []), asked).allowed, true);
    await make('DELETE', `${RBAC}/clusterrolebindings/all`);
    assert.equal(decide(authenticated('anna', []), asked).allowed, false);
  });

  it('of a RoleBinding is for its namespace', async () => {
    const subject = { kind: 'ServiceAccount', name: 'build', namespace: 'other' };
    await bind('namespaces/default/rolebindings', 'local', subject, 'Role', 'local');
    const reason = 'RBAC: allowed by RoleBinding "local/default" of Role "local" to ServiceAccount "build/other"';
    assert.deepEqual(decide(account, configmaps('get', 'default')), { allowed: true, reason });
    for (const namespace of ['kube-system', ''])
      assert.equal(decide(account, configmaps('get', namespace)).allowed, false);
    const own = { kind: 'ServiceAccount', name: 'own' };
    await bind('namespaces/default/rolebindings', 'own', own, 'ClusterRole', 'reader');
    const mine = authenticated('system:serviceaccount:default:own', []);
    assert.equal(decide(mine, configmaps('get', 'default')).allowed, true);
    assert.equal(decide(mine, configmaps('get', 'kube-system')).allowed, false);
  });

  it('names the roles that are not there', async () => {
    await bind('namespaces/default/rolebindings', 'gone', { kind: 'User', name: 'ghost' }, 'Role', 'nope');
    const ghost = authenticated('ghost', []);
    const one = 'RBAC: role.rbac.authorization.k8s.io "nope" not found';
    assert.deepEqual(decide(ghost, configmaps('get', 'default')), { allowed: false, reason: one });
    await bind('clusterrolebindings', 'gone', { kind: 'User', name: 'ghost' }, 'ClusterRole', 'nope');
    const both =
      'RBAC: [clusterrole.rbac.authorization.k8s.io "nope" not found, role.rbac.authorization.k8s.io "nope" not found]';
    assert.equal(decide(ghost, configmaps('get', 'default')).reason, both);
    const answer = await api.open({ path: '/api/v1/namespaces/default/configmaps', user: ghost });
    assert.equal(answer.status, 403);
    assert.ok(String(answer.body).includes('in the namespace \\"default\\": RBAC: [clusterrole.'));
  });

  it('lets probes without credentials reach health and version, and nothing else', () => {
    const get = (path: string): boolean => decide(ANONYMOUS, { verb: 'get', path }).allowed;
    for (const path of ['/healthz', '/livez', '/readyz', '/version']) assert.equal(get(path), true, path);
    for (const path of ['/', '/api', '/metrics', '/readyz/ping', '/openapi/v2']) assert.equal(get(path), false, path);
  });

  it('costs the same with a thousand bindings of others', async () => {
    const other = Array.from({ length: 1000 }, (_, i) =>
      bind('namespaces/default/rolebindings', `other-${i}`, { kind: 'User', name: `u${i}` }, 'Role', 'local'),
    );
    await Promise.all(other);
    let looked = 0;
    const visit = api.engine.authorizer.rulesFor(zoe, 'default');
    looked += visit.rules.length;
    // Discovery, health and reviews: what everybody has, and none of the thousand.
    assert.ok(looked < 10, `${looked} rules`);
    assert.equal(decide(authenticated('u999', []), configmaps('get', 'default')).allowed, true);
  });

  it('can be asked of the API', async () => {
    const review = { spec: { resourceAttributes: { verb: 'get', resource: 'configmaps', namespace: 'default' } } };
    const answer = await api.open({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      headers: { 'content-type': 'application/json' },
      user: account,
      body: async () => new TextEncoder().encode(JSON.stringify(review)),
    });
    const { status } = JSON.parse(String(answer.body));
    assert.ok(isJsonObject(status));
    assert.equal(
      status['reason'],
      'RBAC: allowed by RoleBinding "local/default" of Role "local" to ServiceAccount "build/other"',
    );
  });
});
