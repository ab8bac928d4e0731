import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isJsonObject, type JsonObject } from '@bloomery/model';
import { silentLog } from '@bloomery/ports';
import { parseTokenFile, staticTokens } from '../auth/token-file.ts';
import { authenticated, MASTERS, type User } from '../auth/user.ts';
import { type AskAs, askAs } from '../testing/ask-as.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const ADMIN: User = { name: 'admin', uid: '1', groups: [MASTERS, 'system:authenticated'] };
const JANE = authenticated('jane', ['readers'], '2', { scopes: ['a', 'b'] });
const ACCESS = '/apis/authorization.k8s.io/v1';
const IDENTITY = '/apis/authentication.k8s.io/v1';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const ISSUER = 'https://kubernetes.default.svc.cluster.local';

describe('a review', () => {
  let api: TestApi;
  let ask: AskAs;
  before(async () => {
    const tokens = staticTokens(parseTokenFile('janetoken1,jane,2,"readers"\n'));
    api = await startTestApi([], silentLog, { staticTokens: tokens });
    ask = askAs(api);
    const rules = [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] },
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['one'], verbs: ['get', 'list', 'watch'] },
      { nonResourceURLs: ['/metrics'], verbs: ['get'] },
    ];
    await ask(ADMIN, 'POST', `${RBAC}/clusterroles`, { metadata: { name: 'reader' }, rules });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' };
    const subjects = [{ kind: 'Group', name: 'readers' }];
    await ask(ADMIN, 'POST', `${RBAC}/clusterrolebindings`, { metadata: { name: 'readers' }, subjects, roleRef });
  });
  after(() => api[Symbol.asyncDispose]());

  const statusOf = (body: JsonObject): JsonObject => (isJsonObject(body['status']) ? body['status'] : {});
  const attributes = { verb: 'get', resource: 'configmaps', namespace: 'default' };
  const BY_READER = 'RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "reader" to Group "readers"';

  describe('of access', () => {
    const answers: [name: string, user: User, path: string, spec: JsonObject, status: JsonObject][] = [
      [
        'of oneself',
        JANE,
        'selfsubjectaccessreviews',
        { resourceAttributes: attributes },
        { allowed: true, reason: BY_READER },
      ],
      [
        'of oneself, with no',
        JANE,
        'selfsubjectaccessreviews',
        { resourceAttributes: { ...attributes, verb: 'delete' } },
        { allowed: false },
      ],
      [
        'of oneself, for a path',
        JANE,
        'selfsubjectaccessreviews',
        { nonResourceAttributes: { path: '/metrics', verb: 'get' } },
        { allowed: true, reason: BY_READER },
      ],
      ['of the admin', ADMIN, 'selfsubjectaccessreviews', { resourceAttributes: attributes }, { allowed: true }],
      [
        'of another',
        ADMIN,
        'subjectaccessreviews',
        { user: 'x', groups: ['readers'], resourceAttributes: attributes },
        { allowed: true, reason: BY_READER },
      ],
      [
        'of another without groups',
        ADMIN,
        'subjectaccessreviews',
        { user: 'x', resourceAttributes: attributes },
        { allowed: false },
      ],
      [
        'of another in a namespace',
        ADMIN,
        'namespaces/default/localsubjectaccessreviews',
        { groups: ['readers'], resourceAttributes: attributes },
        { allowed: true, reason: BY_READER },
      ],
    ];
    for (const [name, user, path, spec, status] of answers) {
      it(`${name} is answered`, async () => {
        const { code, body } = await ask(user, 'POST', `${ACCESS}/${path}`, { spec });
        assert.deepEqual([code, statusOf(body)], [201, status]);
      });
    }

    const path = { path: '/', verb: 'get' };
    const refusals: [name: string, path: string, body: JsonObject, cause: string][] = [
      [
        'about nothing',
        'selfsubjectaccessreviews',
        { spec: {} },
        'spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ],
      [
        'about two things',
        'selfsubjectaccessreviews',
        { spec: { resourceAttributes: attributes, nonResourceAttributes: path } },
        'spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":"get"}: cannot be specified in combination with resourceAttributes',
      ],
      [
        'about nobody',
        'subjectaccessreviews',
        { spec: { resourceAttributes: attributes } },
        'spec.user: Invalid value: "": at least one of user or group must be specified',
      ],
      [
        'with a name',
        'subjectaccessreviews',
        { metadata: { name: 'x' }, spec: { user: 'x', resourceAttributes: attributes } },
        'metadata: Invalid value: {"name":"x"}: must be empty',
      ],
      [
        'with two selectors in one',
        'selfsubjectaccessreviews',
        {
          spec: {
            resourceAttributes: { ...attributes, fieldSelector: { rawSelector: 'a=b', requirements: [{ key: 'a' }] } },
          },
        },
        'spec.resourceAttributes.fieldSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements',
      ],
      [
        'about another namespace',
        'namespaces/default/localsubjectaccessreviews',
        { spec: { user: 'x', resourceAttributes: { ...attributes, namespace: 'o' } } },
        'spec.resourceAttributes.namespace: Invalid value: "o": must match metadata.namespace',
      ],
      [
        'about a path in a namespace',
        'namespaces/default/localsubjectaccessreviews',
        { spec: { user: 'x', nonResourceAttributes: path } },
        'spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":"get"}: disallowed on this kind of request',
      ],
    ];
    for (const [name, at, body, cause] of refusals) {
      it(`${name} is invalid`, async () => {
        const answer = await ask(ADMIN, 'POST', `${ACCESS}/${at}`, body);
        const message = `.authorization.k8s.io "" is invalid: ${cause}`;
        assert.deepEqual([answer.code, answer.body['reason'], answer.body['message']], [422, 'Invalid', message]);
      });
    }

    it('is what a request with a field selector is judged by', async () => {
      const secrets = '/api/v1/namespaces/default/secrets';
      assert.equal((await ask(JANE, 'GET', `${secrets}?fieldSelector=metadata.name%3Done`)).code, 200);
      for (const query of ['', '?fieldSelector=metadata.name%3Dtwo', '?fieldSelector=metadata.name!%3Done'])
        assert.equal((await ask(JANE, 'GET', `${secrets}${query}`)).code, 403, query);
      assert.equal((await ask(JANE, 'DELETE', `${secrets}?fieldSelector=metadata.name%3Done`)).code, 403);
      assert.equal((await ask(JANE, 'POST', secrets, { metadata: { name: 'one' } })).code, 403);
    });

    it('is for others only with the right to ask', async () => {
      const { code } = await ask(JANE, 'POST', `${ACCESS}/subjectaccessreviews`, {
        spec: { user: 'x', resourceAttributes: attributes },
      });
      assert.equal(code, 403);
    });
  });

  it('of rules lists what somebody may do', async () => {
    const { code, body } = await ask(JANE, 'POST', `${ACCESS}/selfsubjectrulesreviews`, {
      spec: { namespace: 'default' },
    });
    assert.deepEqual([code, body['spec']], [201, {}]);
    const { resourceRules, nonResourceRules, ...rest } = statusOf(body);
    assert.deepEqual(rest, { incomplete: false });
    assert.ok(Array.isArray(resourceRules) && Array.isArray(nonResourceRules));
    assert.ok(resourceRules.some((rule) => isJsonObject(rule) && rule['resourceNames'] !== undefined));
    assert.deepEqual(nonResourceRules.at(0), { verbs: ['get'], nonResourceURLs: ['/metrics'] });
  });

  it('of rules wants a namespace', async () => {
    const { code, body } = await ask(JANE, 'POST', `${ACCESS}/selfsubjectrulesreviews`, { spec: {} });
    assert.deepEqual([code, body['message']], [400, 'no namespace on request']);
  });

  it('of oneself says who one is', async () => {
    const { code, body } = await ask(JANE, 'POST', `${IDENTITY}/selfsubjectreviews`, {});
    assert.equal(code, 201);
    assert.deepEqual(statusOf(body), {
      userInfo: {
        username: 'jane',
        uid: '2',
        groups: ['readers', 'system:authenticated'],
        extra: { scopes: ['a', 'b'] },
      },
    });
  });

  describe('of a token', () => {
    const review = (spec: JsonObject) => ask(ADMIN, 'POST', `${IDENTITY}/tokenreviews`, { spec });
    const user = { username: 'jane', uid: '2', groups: ['readers', 'system:authenticated'] };

    it('says whose it is, and for what', async () => {
      const { body } = await review({ token: 'janetoken1' });
      assert.deepEqual(statusOf(body), { authenticated: true, user, audiences: [ISSUER] });
      const { body: asked } = await review({ token: 'janetoken1', audiences: ['x', ISSUER] });
      assert.deepEqual(statusOf(asked)['audiences'], [ISSUER]);
    });

    const refused: [name: string, spec: JsonObject, error: string][] = [
      ['nobody has', { token: 'abc' }, 'invalid bearer token'],
      ['is not for the audience', { token: 'janetoken1', audiences: ['x'] }, 'invalid bearer token'],
      ['is too long', { token: 'x'.repeat(9000) }, 'invalid bearer token'],
    ];
    for (const [name, spec, error] of refused) {
      it(`that ${name} says no`, async () => {
        const { code, body } = await review(spec);
        assert.deepEqual([code, statusOf(body)], [201, { user: {}, error }]);
      });
    }

    it('wants a token', async () => {
      const { code, body } = await review({});
      assert.deepEqual([code, body['message']], [400, 'token is required for TokenReview in authentication']);
    });

    it('is not everybody’s to ask', async () => {
      assert.equal((await ask(JANE, 'POST', `${IDENTITY}/tokenreviews`, { spec: { token: 'x' } })).code, 403);
    });
  });

  it('can only be posted, and has no name', async () => {
    assert.equal((await ask(ADMIN, 'GET', `${ACCESS}/selfsubjectaccessreviews`)).code, 405);
    assert.equal((await ask(ADMIN, 'POST', `${ACCESS}/selfsubjectaccessreviews/x`, {})).code, 404);
  });

  it('of another kind, or of broken parts, is malformed', async () => {
    const at = `${ACCESS}/selfsubjectaccessreviews`;
    assert.equal((await ask(ADMIN, 'POST', at, { apiVersion: 'authorization.k8s.io/v1', kind: 'Other' })).code, 400);
    assert.equal((await ask(ADMIN, 'POST', at, { spec: [] })).code, 400);
    assert.equal((await ask(ADMIN, 'POST', at, [])).code, 400);
    const unknown = { spec: { zz: 1, resourceAttributes: attributes } };
    assert.equal((await ask(ADMIN, 'POST', `${at}?fieldValidation=Strict`, unknown)).code, 400);
    const { code, headers } = await ask(ADMIN, 'POST', at, unknown);
    assert.deepEqual([code, headers['warning']], [201, ['299 - "unknown field \\"spec.zz\\""']]);
  });
});
