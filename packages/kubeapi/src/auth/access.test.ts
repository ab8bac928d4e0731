import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import type { Json } from '@bloomery/model';
import { createCertificateAuthority } from '@bloomery/talos';
import { type JsonCaller, jsonCaller } from '../testing/json-caller.ts';
import {
  type CallOptions,
  type ClientIdentity,
  identityOf,
  startTestListener,
  type TestListener,
} from '../testing/test-listener.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const MAPS = '/api/v1/namespaces/default/configmaps';
const json = { 'content-type': 'application/json' };
const who = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };

describe('access over TLS', () => {
  let listener: TestListener;
  let make: JsonCaller;
  let jane: ClientIdentity;
  before(async () => {
    listener = await startTestListener();
    make = jsonCaller(listener.api);
    jane = await identityOf(listener.authority, 'jane', { organizations: ['readers'] });
    const rules = [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['configmaps/status'], resourceNames: ['one'], verbs: ['get'] },
    ];
    await make('POST', `${RBAC}/namespaces/default/roles`, { metadata: { name: 'read' }, rules });
    await make('POST', `${RBAC}/namespaces/default/rolebindings`, {
      metadata: { name: 'read' },
      subjects: [{ kind: 'Group', name: 'readers', apiGroup: 'rbac.authorization.k8s.io' }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'read' },
    });
    await make('POST', `${RBAC}/clusterroles`, {
      metadata: { name: 'act-as:bob' },
      rules: [{ apiGroups: [''], resources: ['users'], resourceNames: ['bob'], verbs: ['impersonate'] }],
    });
    await make('POST', `${RBAC}/clusterrolebindings`, {
      metadata: { name: 'act-as:bob' },
      subjects: [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'act-as:bob' },
    });
  });
  after(() => listener[Symbol.asyncDispose]());
  const codeOf = async (path: string, options: CallOptions = {}): Promise<number> =>
    (await listener.call('GET', path, options)).code;
  const post = async (path: string, body: Json, options: CallOptions) => {
    const answer = await listener.call('POST', path, {
      ...options,
      headers: { ...json, ...options.headers },
      body: JSON.stringify(body),
    });
    return { code: answer.code, body: JSON.parse(answer.body) };
  };

  it('lets anybody read health and version, and nothing else', async () => {
    for (const path of ['/healthz', '/livez', '/readyz', '/version']) assert.equal(await codeOf(path), 200, path);
    for (const path of ['/', '/api', '/apis', '/openapi/v2', '/openapi/v3', '/metrics', MAPS, '/ui/', '/%zz'])
      assert.equal(await codeOf(path), 403, path);
    const { body } = await listener.call('GET', '/api');
    assert.equal(JSON.parse(body).message, 'forbidden: User "system:anonymous" cannot get path "/api"');
    assert.equal((await listener.call('POST', '/version')).code, 403);
  });

  it('knows the admin by certificate and by token', async () => {
    assert.equal(await codeOf(MAPS, { identity: listener.admin }), 200);
    assert.equal(await codeOf(MAPS, { token: listener.token }), 200);
  });

  it('refuses wrong tokens and credentials of other kinds, also where anybody may read', async () => {
    for (const authorization of [
      'Bearer wrong-token',
      'Bearer',
      'Bearer a b',
      'Basic YWRtaW46YWRtaW4=',
      `Bearer ${'x'.repeat(9000)}`,
    ]) {
      const { code, body } = await listener.call('GET', '/version', { headers: { authorization } });
      assert.equal(code, 401, authorization.slice(0, 40));
      assert.equal(JSON.parse(body).message, 'Unauthorized');
    }
    // A wrong token is not made good by a right certificate.
    assert.equal(await codeOf(MAPS, { identity: listener.admin, token: 'wrong-token' }), 401);
  });

  it('refuses certificates of another authority, that are over, or are for servers', async () => {
    const day = 86_400_000;
    const other = await createCertificateAuthority({
      subject: { commonName: 'bloomery' },
      algorithm: 'ecdsa-p256',
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + day),
    });
    const masters = { organizations: ['system:masters'] };
    const wrong = [
      await identityOf(other, 'bloomery-admin', masters),
      await identityOf(listener.authority, 'bloomery-admin', { ...masters, expired: true }),
      await identityOf(listener.authority, 'bloomery-admin', { ...masters, usage: 'serverAuth' }),
    ];
    for (const identity of wrong) assert.equal(await codeOf('/version', { identity }), 401);
  });

  it('does not forget that a certificate was wrong when its TLS session is resumed', async () => {
    const other = await createCertificateAuthority({
      subject: { commonName: 'bloomery' },
      algorithm: 'ecdsa-p256',
      notBefore: new Date(Date.now() - 1000),
      notAfter: new Date(Date.now() + 3_600_000),
    });
    const identity = await identityOf(other, 'bloomery-admin', { organizations: ['system:masters'] });
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      let session: Buffer | undefined;
      for (let round = 0; round < 2; round++) {
        const socket = tlsConnect({
          host: '127.0.0.1',
          port: listener.port,
          ca: listener.caPem,
          maxVersion,
          session,
          ...identity,
        });
        socket.on('session', (ticket) => {
          session = ticket;
        });
        await once(socket, 'secureConnect');
        socket.write(`GET ${MAPS} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        const [first] = await once(socket, 'data');
        assert.match(String(first), /^HTTP\/1\.1 401 /, `${maxVersion} round ${round}`);
        socket.destroy();
      }
    }
  });

  it('lets RBAC decide for everybody else', async () => {
    assert.equal(await codeOf(MAPS, { identity: jane }), 200);
    assert.equal(await codeOf('/api', { identity: jane }), 200);
    const refused: [path: string, message: string][] = [
      [
        '/api/v1/configmaps',
        'configmaps is forbidden: User "jane" cannot list resource "configmaps" in API group "" at the cluster scope',
      ],
      [
        '/api/v1/namespaces/default/secrets/s',
        'secrets "s" is forbidden: User "jane" cannot get resource "secrets" in API group "" in the namespace "default"',
      ],
      [
        '/api/v1/namespaces/default',
        'namespaces "default" is forbidden: User "jane" cannot get resource "namespaces" in API group "" in the namespace "default"',
      ],
      ['/metrics', 'forbidden: User "jane" cannot get path "/metrics"'],
    ];
    for (const [path, message] of refused) {
      const { code, body } = await listener.call('GET', path, { identity: jane });
      assert.deepEqual([code, JSON.parse(body).message], [403, message]);
    }
    assert.equal((await post(MAPS, { metadata: { name: 'no' } }, { identity: jane })).code, 403);
  });

  it('asks for create where an apply or an update would create', async () => {
    const rules = [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['update'] },
    ];
    await make('POST', `${RBAC}/namespaces/default/roles`, { metadata: { name: 'patch' }, rules });
    await make('POST', `${RBAC}/namespaces/default/rolebindings`, {
      metadata: { name: 'patch' },
      subjects: [{ kind: 'User', name: 'pat', apiGroup: 'rbac.authorization.k8s.io' }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'patch' },
    });
    const pat = await identityOf(listener.authority, 'pat');
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new' } });
    const apply = (type: string) =>
      listener.call('PATCH', `${MAPS}/new?fieldManager=pat`, {
        identity: pat,
        headers: { 'content-type': type },
        body,
      });
    const types = ['application/apply-patch+yaml', 'Application/Apply-Patch+YAML; charset=utf-8'];
    for (const type of types) assert.equal((await apply(type)).code, 403, type);
    await make('POST', MAPS, { metadata: { name: 'new' } });
    for (const type of types) assert.equal((await apply(type)).code, 200, type);
    const lease = '/apis/coordination.k8s.io/v1/namespaces/default/leases/new';
    const update = () =>
      listener.call('PUT', lease, { identity: pat, body: JSON.stringify({ metadata: { name: 'new' } }) });
    const { code, body: refused } = await update();
    const why =
      'leases.coordination.k8s.io "new" is forbidden: User "pat" cannot create resource "leases" in API group "coordination.k8s.io" in the namespace "default"';
    assert.deepEqual([code, JSON.parse(refused).message], [403, why]);
    await make('PUT', lease, { metadata: { name: 'new' } });
  });

  it('lets a user act as another where that is allowed', async () => {
    const asBob = { 'impersonate-user': 'bob' };
    const { body } = await post('/apis/authentication.k8s.io/v1/selfsubjectreviews', who, {
      identity: jane,
      headers: asBob,
    });
    assert.deepEqual(body.status.userInfo, { username: 'bob', groups: ['system:authenticated'] });
    assert.equal(await codeOf(MAPS, { identity: jane, headers: asBob }), 403);
    const { code, body: refused } = await listener.call('GET', MAPS, {
      identity: jane,
      headers: { 'impersonate-user': 'admin' },
    });
    assert.deepEqual(
      [code, JSON.parse(refused).message],
      [
        403,
        'users "admin" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope',
      ],
    );
    const asMaster = { ...asBob, 'impersonate-group': 'system:masters' };
    assert.equal(await codeOf(MAPS, { identity: jane, headers: asMaster }), 403);
    const asReader = { 'impersonate-user': 'anybody', 'impersonate-group': 'readers' };
    assert.equal(await codeOf(MAPS, { identity: listener.admin, headers: asReader }), 200);
    assert.equal(await codeOf('/metrics', { identity: listener.admin, headers: asReader }), 403);
    assert.equal(await codeOf(MAPS, { identity: listener.admin, headers: { 'impersonate-group': 'readers' } }), 400);
  });

  it('reviews who somebody is and what is allowed', async () => {
    const review = { spec: { resourceAttributes: { verb: 'list', resource: 'configmaps', namespace: 'default' } } };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    assert.equal((await post(path, review, { identity: jane })).body.status.allowed, true);
    assert.equal(
      (await post('/apis/authorization.k8s.io/v1/subjectaccessreviews', review, { identity: jane })).code,
      403,
    );
    const token = await post(
      '/apis/authentication.k8s.io/v1/tokenreviews',
      { spec: { token: listener.token } },
      { identity: listener.admin },
    );
    assert.equal(token.body.status.authenticated, true);
  });
});
