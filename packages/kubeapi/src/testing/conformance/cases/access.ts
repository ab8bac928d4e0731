import type { Json, JsonObject } from '@bloomery/model';
import { until } from '@bloomery/ports';
import { area } from '../area.ts';
import { at, configMap, content } from '../objects.ts';
import type { Session } from '../session.ts';
import { THING } from '../shared-kinds.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';
const AUTHZ = '/apis/authorization.k8s.io/v1';
const AUTHN = '/apis/authentication.k8s.io/v1';
const role = (name: string, rules: readonly JsonObject[]): JsonObject => ({
  apiVersion: RBAC,
  kind: 'Role',
  metadata: { name },
  rules,
});
const clusterRole = (name: string, rules: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  apiVersion: RBAC,
  kind: 'ClusterRole',
  metadata: { name },
  rules,
  ...more,
});
const binding = (name: string, roleName: string, user: string, more: JsonObject = {}): JsonObject => ({
  apiVersion: RBAC,
  kind: 'RoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: roleName },
  subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
  ...more,
});
const rule = (verbs: readonly string[], resources: readonly string[], more: JsonObject = {}): JsonObject => ({
  apiGroups: [''],
  resources: [...resources],
  verbs: [...verbs],
  ...more,
});
const as = (user: string, ...groups: string[]) => ({
  headers: { 'impersonate-user': user, ...(groups.length > 0 ? { 'impersonate-group': groups.join(',') } : {}) },
});

async function grant(s: Session, user: string, rules: readonly JsonObject[]): Promise<void> {
  await s.must('POST', s.api(RBAC, 'roles'), role(`r-${user}`, rules));
  await s.must('POST', s.api(RBAC, 'rolebindings'), binding(`b-${user}`, `r-${user}`, user));
  await inForce(s, { user }, rules[0] ?? {});
}

/** Wait until a rule holds for somebody: kube-apiserver takes a moment to see new roles. */
async function inForce(s: Session, who: JsonObject, given: JsonObject): Promise<void> {
  const first = (name: string): Json => at(given, name, 0);
  const path = first('nonResourceURLs');
  const attributes =
    path === null
      ? {
          resourceAttributes: {
            namespace: s.ns,
            verb: first('verbs'),
            group: first('apiGroups'),
            resource: first('resources'),
            name: first('resourceNames') ?? '',
          },
        }
      : { nonResourceAttributes: { path, verb: first('verbs') } };
  const asked = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: { ...who, ...attributes } };
  await until('a rule holds', async () => {
    const answer = await s.quiet('POST', `${AUTHZ}/subjectaccessreviews`, asked);
    return at(answer.body, 'status', 'allowed') === true;
  });
}

const review = (attributes: JsonObject): JsonObject => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  spec: attributes,
});
const verdict = {
  look: (b: JsonObject): Json =>
    b['kind'] === 'Status'
      ? b
      : {
          allowed: at(b, 'status', 'allowed'),
          denied: at(b, 'status', 'denied'),
          reason: String(at(b, 'status', 'reason') ?? ''),
        },
};

/** Who one is and what one may do. */
export const access = area('access', {
  'nobody may see health and version only': async (s) => {
    for (const path of ['/healthz', '/livez', '/readyz', '/version']) await s.get(path, { as: {}, look: 'code' });
    for (const path of [
      '/api',
      '/apis',
      '/openapi/v2',
      '/openapi/v3',
      '/metrics',
      '/api/v1/namespaces',
      '/none',
      s.core('secrets'),
      '/.well-known/openid-configuration',
    ])
      await s.get(path, { as: {} });
    await s.post(s.core('configmaps'), configMap('a'), { as: {} });
  },
  'a wrong token is unauthorized, even where nobody is let in': {
    differs: 'whoever presents a credential of any kind that is wrong is told so: 401, also where anybody may read',
    run: async (s) => {
      await s.get('/version', { as: { token: 'wrong' } });
      await s.get(s.core('secrets'), { as: { token: 'wrong' } });
      await s.get('/version', { as: {}, headers: { authorization: 'Basic dTpw' }, look: 'code' });
      await s.get('/version', { as: {}, headers: { authorization: 'Bearer' }, look: 'code' });
      await s.get('/version', { as: {}, headers: { authorization: 'Bearer ' }, look: 'code' });
      await s.get('/version', { as: { token: 'a.b.c' } });
    },
  },
  'who I am': async (s) => {
    const me = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const { reader } = s.target.tokens;
    const user = {
      look: (b: JsonObject): Json =>
        b['kind'] === 'Status'
          ? b
          : {
              user: at(b, 'status', 'userInfo', 'username'),
              uid: at(b, 'status', 'userInfo', 'uid'),
              groups: at(b, 'status', 'userInfo', 'groups'),
            },
    };
    await s.post(`${AUTHN}/selfsubjectreviews`, me, { as: { token: reader }, ...user });
    await s.post(`${AUTHN}/selfsubjectreviews`, me, { as: {}, ...user });
    await s.post(`${AUTHN}/selfsubjectreviews`, me, user);
    const identity = await s.target.issue('carol', ['crew', 'board']);
    await s.post(`${AUTHN}/selfsubjectreviews`, me, { as: identity, ...user });
    await s.post(`${AUTHN}/selfsubjectreviews`, me, { ...as('dave'), ...user });
  },
  'what one may not do is forbidden in these words': async (s) => {
    const user = as('eve');
    await s.get(s.core('configmaps'), user);
    await s.get(s.core('configmaps/a'), user);
    await s.get('/api/v1/configmaps', user);
    await s.get('/api/v1/namespaces', user);
    await s.get('/api/v1/nodes/n', user);
    await s.post(s.core('configmaps'), configMap('a'), user);
    await s.put(s.core('configmaps/a'), configMap('a'), user);
    await s.patch(s.core('configmaps/a'), {}, user);
    await s.delete(s.core('configmaps/a'), undefined, user);
    await s.delete(s.core('configmaps'), undefined, user);
    await s.get(`${s.core('configmaps')}?watch=1`, user);
    await s.get(s.api(THING, 'things/t/status'), user);
    await s.patch(s.api(THING, 'things/t/scale'), {}, user);
    await s.get(`/apis/${THING}/things`, user);
    await s.get('/metrics', user);
    await s.get('/none/such', user);
    await s.get(s.core('nonsense/x'), user);
    await s.apply(s.core('configmaps/a'), 'm', configMap('a'), user);
  },
  'a role gives what it says and no more': async (s) => {
    await grant(s, `u-${s.ns}`, [
      rule(['get', 'list'], ['configmaps']),
      rule(['get'], ['secrets'], { resourceNames: ['mine'] }),
      rule(['patch'], ['configmaps']),
    ]);
    const user = as(`u-${s.ns}`);
    const code = { look: 'code' as const };
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.eventually('the role is in force', s.core('configmaps'), () => true);
    await s.get(s.core('configmaps'), { ...user, ...code });
    await s.get(s.core('configmaps/a'), { ...user, ...code });
    await s.get(`${s.core('configmaps')}?watch=1`, { ...user, ...code });
    await s.get('/api/v1/configmaps', { ...user, ...code });
    await s.get(s.core('secrets/mine'), { ...user, ...code });
    await s.get(s.core('secrets/other'), { ...user, ...code });
    await s.get(s.core('secrets'), { ...user, ...code });
    await s.patch(s.core('configmaps/a'), { data: { x: 'y' } }, { ...user, ...code });
    await s.apply(s.core('configmaps/new'), 'm', configMap('new'), user);
    await s.apply(s.core('configmaps/a'), 'm', configMap('a', { more: 'z' }), { ...user, ...code });
    await s.put(s.core('configmaps/a'), configMap('a'), { ...user, ...code });
  },
  'names of a rule hold for lists of one name': async (s) => {
    await grant(s, `n-${s.ns}`, [
      rule(['list', 'watch', 'delete', 'create', 'deletecollection'], ['configmaps'], { resourceNames: ['one'] }),
    ]);
    const user = { ...as(`n-${s.ns}`), look: 'code' as const };
    await s.get(`${s.core('configmaps')}?fieldSelector=metadata.name%3Done`, user);
    await s.get(`${s.core('configmaps')}?fieldSelector=metadata.name%3Dtwo`, user);
    await s.get(s.core('configmaps'), user);
    await s.post(s.core('configmaps'), configMap('one'), user);
    await s.delete(`${s.core('configmaps')}?fieldSelector=metadata.name%3Done`, undefined, user);
    await s.delete(s.core('configmaps/one'), undefined, user);
  },
  'wildcards, groups, subresources and paths': async (s) => {
    await s.must(
      'POST',
      `/apis/${RBAC}/clusterroles`,
      clusterRole(s.ns, [
        { apiGroups: ['*'], resources: ['*/status'], verbs: ['*'] },
        { nonResourceURLs: ['/metrics', '/open*'], verbs: ['get'] },
        { apiGroups: ['vec.bloomery.test'], resources: ['things/scale'], verbs: ['update', 'get'] },
      ]),
    );
    await s.must('POST', `/apis/${RBAC}/clusterrolebindings`, {
      ...binding(s.ns, s.ns, 'x'),
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: s.ns },
      subjects: [
        { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: `g-${s.ns}` },
        { kind: 'ServiceAccount', name: 'bot', namespace: s.ns },
      ],
    });
    await inForce(s, { user: 'any', groups: [`g-${s.ns}`] }, { nonResourceURLs: ['/metrics'], verbs: ['get'] });
    for (const user of [as('any', `g-${s.ns}`), as(`system:serviceaccount:${s.ns}:bot`), as('other')]) {
      const code = { ...user, look: 'code' as const };
      await s.get('/metrics', code);
      await s.get('/openapi/v2', code);
      await s.get(s.api(THING, 'things/t/status'), code);
      await s.get(s.api(THING, 'things/t/scale'), code);
      await s.get(s.api(THING, 'things/t'), code);
    }
    await s.quiet('DELETE', `/apis/${RBAC}/clusterrolebindings/${s.ns}`);
    await s.quiet('DELETE', `/apis/${RBAC}/clusterroles/${s.ns}`);
  },
  'a review says whether': {
    differs: 'what is answered and not stored has no managedFields',
    run: async (s) => {
      await grant(s, `v-${s.ns}`, [rule(['get', 'list'], ['configmaps'])]);
      const user = { ...as(`v-${s.ns}`), ...verdict };
      const self = `${AUTHZ}/selfsubjectaccessreviews`;
      await s.post(
        self,
        review({ resourceAttributes: { namespace: s.ns, verb: 'get', resource: 'configmaps' } }),
        user,
      );
      await s.post(
        self,
        review({ resourceAttributes: { namespace: s.ns, verb: 'delete', resource: 'configmaps' } }),
        user,
      );
      await s.post(self, review({ resourceAttributes: { verb: 'get', resource: 'configmaps' } }), user);
      await s.post(self, review({ nonResourceAttributes: { path: '/metrics', verb: 'get' } }), user);
      await s.post(self, review({ nonResourceAttributes: { path: '/healthz', verb: 'get' } }), {
        ...user,
        look: (b) => at(b, 'status', 'allowed'),
      });
      await s.post(
        self,
        review({ resourceAttributes: { namespace: s.ns, verb: '*', resource: '*', group: '*' } }),
        verdict,
      );
      await s.post(self, review({}));
      await s.post(self, review({ resourceAttributes: { verb: 'get' }, nonResourceAttributes: { path: '/x' } }));
      await s.post(
        self,
        { ...review({ resourceAttributes: { verb: 'get' } }), metadata: { name: 'x' } },
        { look: 'gist' },
      );
      const other = `${AUTHZ}/subjectaccessreviews`;
      const about = (spec: JsonObject): JsonObject => ({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec,
      });
      await s.post(
        other,
        about({ user: `v-${s.ns}`, resourceAttributes: { namespace: s.ns, verb: 'list', resource: 'configmaps' } }),
      );
      await s.post(
        other,
        about({ user: 'x', groups: ['system:masters'], resourceAttributes: { verb: 'delete', resource: 'nodes' } }),
        verdict,
      );
      await s.post(other, about({ resourceAttributes: { verb: 'list', resource: 'configmaps' } }));
      await s.post(other, about({ user: 'x' }));
      await s.post(
        s.api('authorization.k8s.io/v1', 'localsubjectaccessreviews'),
        {
          ...about({ user: `v-${s.ns}`, resourceAttributes: { namespace: s.ns, verb: 'get', resource: 'configmaps' } }),
          kind: 'LocalSubjectAccessReview',
          metadata: { namespace: s.ns },
        },
        verdict,
      );
      await s.post(s.api('authorization.k8s.io/v1', 'localsubjectaccessreviews'), {
        ...about({ user: 'u', resourceAttributes: { namespace: 'other', verb: 'get', resource: 'configmaps' } }),
        kind: 'LocalSubjectAccessReview',
      });
    },
  },
  'rules that hold for me': async (s) => {
    await grant(s, `w-${s.ns}`, [
      rule(['get', 'list'], ['configmaps']),
      rule(['get'], ['secrets'], { resourceNames: ['x'] }),
    ]);
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace: s.ns } };
    await s.post(`${AUTHZ}/selfsubjectrulesreviews`, body, {
      ...as(`w-${s.ns}`),
      look: (b) => ({
        incomplete: at(b, 'status', 'incomplete'),
        rules: (at(b, 'status', 'resourceRules') as JsonObject[])
          .map((r) => JSON.stringify([r['verbs'], r['apiGroups'], r['resources'], r['resourceNames'] ?? null]))
          .sort(),
      }),
    });
    await s.post(`${AUTHZ}/selfsubjectrulesreviews`, { ...body, spec: {} });
  },
  'impersonation needs the right to it': {
    differs: 'impersonating nobody is a malformed request: 400, not 500',
    run: async (s) => {
      await grant(s, `i-${s.ns}`, [rule(['get'], ['configmaps'])]);
      const identity = await s.target.issue(`i-${s.ns}`);
      await s.get(s.core('configmaps/none'), { as: identity });
      await s.get(s.core('configmaps/none'), { as: identity, ...as('other') });
      await s.get(s.core('configmaps/none'), { as: identity, ...as(`i-${s.ns}`, 'system:masters') });
      await s.get(s.core('configmaps/none'), { headers: { 'impersonate-group': 'g' } });
      await s.get(s.core('configmaps/none'), { headers: { 'impersonate-uid': 'u' } });
      await s.get(s.core('configmaps/none'), { headers: { 'impersonate-extra-scopes': 'x' } });
      await s.post(
        `${AUTHN}/selfsubjectreviews`,
        { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
        {
          headers: {
            'impersonate-user': 'u',
            'impersonate-group': 'g1',
            'impersonate-uid': 'id-1',
            'impersonate-extra-scopes': 'view',
          },
          look: (b) => at(b, 'status'),
        },
      );
      await s.post(
        `${AUTHN}/selfsubjectreviews`,
        { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
        { ...as('system:serviceaccount:x:y'), look: (b) => at(b, 'status') },
      );
      await s.get(s.core('configmaps'), as('system:anonymous'));
    },
  },
  'nobody gives away more than he has': async (s) => {
    const boss = `e-${s.ns}`;
    await grant(s, boss, [
      rule(['get'], ['configmaps']),
      {
        apiGroups: ['rbac.authorization.k8s.io'],
        resources: ['roles', 'rolebindings'],
        verbs: ['create', 'update', 'patch', 'get'],
      },
    ]);
    const user = as(boss);
    await s.post(s.api(RBAC, 'roles'), role('small', [rule(['get'], ['configmaps'])]), { ...user, look: content });
    await s.post(s.api(RBAC, 'roles'), role('big', [rule(['get', 'delete'], ['configmaps', 'secrets'])]), user);
    await s.patch(s.api(RBAC, 'roles/small'), { rules: [rule(['*'], ['*'])] }, user);
    await s.post(s.api(RBAC, 'rolebindings'), binding('ok', 'small', 'friend'), { ...user, look: content });
    await s.must('POST', s.api(RBAC, 'roles'), role('all', [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]));
    await s.post(s.api(RBAC, 'rolebindings'), binding('bad', 'all', 'friend'), user);
    await s.post(s.api(RBAC, 'rolebindings'), binding('none', 'missing', 'friend'), user);
    await s.post(
      s.api(RBAC, 'rolebindings'),
      {
        ...binding('c', 'x', 'friend'),
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      },
      { ...user, look: 'gist' },
    );
  },
  'roles and bindings are validated': async (s) => {
    const roles = s.api(RBAC, 'roles');
    await s.post(roles, role('a', [{ apiGroups: [''], resources: ['x'] }]));
    await s.post(roles, role('a', [{ verbs: ['get'] }]));
    await s.post(roles, role('a', [{ verbs: ['get'], nonResourceURLs: ['/x'] }]));
    await s.post(roles, role('a', [{ verbs: ['get'], apiGroups: [''], resources: [] }]));
    await s.post(
      `/apis/${RBAC}/clusterroles`,
      clusterRole(s.ns, [{ verbs: ['get'], nonResourceURLs: ['/x'], apiGroups: [''], resources: ['x'] }]),
    );
    const bindings = s.api(RBAC, 'rolebindings');
    await s.post(bindings, { ...binding('a', 'r', 'u'), roleRef: { apiGroup: 'other', kind: 'Role', name: 'r' } });
    await s.post(bindings, {
      ...binding('a', 'r', 'u'),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Other', name: 'r' },
    });
    await s.post(bindings, {
      ...binding('a', 'r', 'u'),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: '' },
    });
    await s.post(bindings, { ...binding('a', 'r', 'u'), subjects: [{ kind: 'Other', name: 'x' }] });
    await s.post(bindings, { ...binding('a', 'r', 'u'), subjects: [{ kind: 'ServiceAccount', name: 'x' }] });
    await s.post(bindings, { ...binding('a', 'r', 'u'), subjects: [{ kind: 'User', name: '' }] });
    await s.post(bindings, binding('a', 'r', 'u'));
    await s.patch(`${bindings}/a`, { roleRef: { name: 'other' } });
    await s.post(
      bindings,
      {
        ...binding('b', 'r', 'u'),
        subjects: [
          { kind: 'User', name: 'defaulted' },
          { kind: 'ServiceAccount', name: 'x', namespace: 'n' },
        ],
        roleRef: { kind: 'Role', name: 'r', apiGroup: '' },
      },
      { look: content },
    );
  },
  'aggregated roles gather the rules of others': async (s) => {
    const label = `aggregate-${s.ns}`;
    await s.must(
      'POST',
      `/apis/${RBAC}/clusterroles`,
      clusterRole(`${s.ns}-all`, [], {
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] },
      }),
    );
    await s.must('POST', `/apis/${RBAC}/clusterroles`, {
      ...clusterRole(`${s.ns}-part`, [rule(['get'], ['configmaps'])]),
      metadata: { name: `${s.ns}-part`, labels: { [label]: 'true' } },
    });
    await s.eventually(
      'the rules are gathered',
      `/apis/${RBAC}/clusterroles/${s.ns}-all`,
      (a) => ((a.body['rules'] ?? []) as Json[]).length === 1,
    );
    await s.get(`/apis/${RBAC}/clusterroles/${s.ns}-all`, { look: (b) => b['rules'] ?? null });
    for (const name of ['all', 'part']) await s.quiet('DELETE', `/apis/${RBAC}/clusterroles/${s.ns}-${name}`);
  },
  'the default roles exist': async (s) => {
    for (const name of [
      'cluster-admin',
      'admin',
      'edit',
      'view',
      'system:discovery',
      'system:basic-user',
      'system:public-info-viewer',
    ]) {
      await s.get(`/apis/${RBAC}/clusterroles/${name}`, {
        look: (b) => [
          at(b, 'metadata', 'labels'),
          ((b['rules'] ?? []) as Json[]).length > 0,
          b['aggregationRule'] ?? null,
        ],
      });
    }
    for (const name of ['system:discovery', 'system:basic-user', 'system:public-info-viewer'])
      await s.get(`/apis/${RBAC}/clusterroles/${name}`, { look: (b) => b['rules'] ?? null });
    for (const name of ['cluster-admin', 'system:discovery', 'system:basic-user', 'system:public-info-viewer'])
      await s.get(`/apis/${RBAC}/clusterrolebindings/${name}`, {
        look: (b) => [b['roleRef'] ?? null, b['subjects'] ?? null],
      });
  },
  'a service account has a token and is somebody': {
    differs:
      'what is answered and not stored has no managedFields; a token ends with its account at once, not ten seconds later',
    run: async (s) => {
      await s.must('POST', s.core('serviceaccounts'), {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'bot' },
      });
      const request = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 3600 },
      };
      const answer = await s.post(s.core('serviceaccounts/bot/token'), request);
      const token = String(at(answer.body, 'status', 'token'));
      await s.post(
        `${AUTHN}/selfsubjectreviews`,
        { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
        {
          as: { token },
          look: (b) => ({
            ...(at(b, 'status', 'userInfo') as JsonObject),
            extra: Object.keys((at(b, 'status', 'userInfo', 'extra') ?? {}) as JsonObject).sort(),
          }),
        },
      );
      await s.get(s.core('configmaps'), { as: { token } });
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      s.note('claims', [
        Object.keys(claims).sort(),
        claims.sub,
        claims.exp - claims.iat,
        Object.keys(claims['kubernetes.io']).sort(),
        claims['kubernetes.io'].serviceaccount.name,
      ]);
      const tokenReview = (text: string, more: JsonObject = {}) => ({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token: text, ...more },
      });
      const seen = {
        look: (b: JsonObject): Json =>
          b['kind'] === 'Status'
            ? b
            : {
                authenticated: at(b, 'status', 'authenticated'),
                user: at(b, 'status', 'user', 'username'),
                groups: at(b, 'status', 'user', 'groups'),
                audiences: at(b, 'status', 'audiences') !== null,
                error: at(b, 'status', 'error'),
              },
      };
      await s.post(`${AUTHN}/tokenreviews`, tokenReview(token), seen);
      await s.post(`${AUTHN}/tokenreviews`, tokenReview('wrong'), seen);
      await s.post(`${AUTHN}/tokenreviews`, tokenReview(s.target.tokens.reader), seen);
      await s.post(`${AUTHN}/tokenreviews`, tokenReview(''), { look: 'gist' });
      await s.post(`${AUTHN}/tokenreviews`, tokenReview(token, { audiences: ['other'] }), seen);
      await s.quiet('DELETE', s.core('serviceaccounts/bot'));
      await s.get('/version', { as: { token } });
    },
  },
  'requests of tokens are checked': async (s) => {
    await s.must('POST', s.core('serviceaccounts'), {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'bot' },
    });
    const request = (spec: JsonObject) => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
    await s.post(s.core('serviceaccounts/bot/token'), request({ expirationSeconds: 5 }));
    await s.post(s.core('serviceaccounts/none/token'), request({}));
    await s.post(s.core('serviceaccounts/bot/token'), request({ audiences: ['vault'] }), {
      look: (b) => [at(b, 'spec', 'audiences'), at(b, 'spec', 'expirationSeconds')],
    });
    await s.post(s.core('serviceaccounts/bot/token'), request({ expirationSeconds: 4294967297 }), { look: 'gist' });
    await s.post(
      s.core('serviceaccounts/bot/token'),
      request({ boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'none' } }),
    );
    await s.post(
      s.core('serviceaccounts/bot/token'),
      request({ boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'none' } }),
    );
    await s.get(s.core('serviceaccounts/bot/token'));
  },
  'a bound token ends with its secret': {
    differs: 'a token ends with what it is bound to at once, not ten seconds later',
    run: async (s) => {
      await s.must('POST', s.core('serviceaccounts'), {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'bot' },
      });
      await s.must('POST', s.core('secrets'), { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'anchor' } });
      const made = await s.must('POST', s.core('serviceaccounts/bot/token'), {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'anchor' } },
      });
      const token = String(at(made, 'status', 'token'));
      await s.get('/version', { as: { token }, look: 'code' });
      await s.quiet('DELETE', s.core('secrets/anchor'));
      await s.get('/version', { as: { token }, look: 'code' });
    },
  },
  'a secret of a service account is filled with a token': async (s) => {
    await s.must('POST', s.core('serviceaccounts'), {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'bot' },
    });
    await s.must('POST', s.core('secrets'), {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { name: 'tok', annotations: { 'kubernetes.io/service-account.name': 'bot' } },
    });
    const filled = await s.eventually(
      'the token is there',
      s.core('secrets/tok'),
      (a) => at(a.body, 'data', 'token') !== null,
    );
    s.note('keys', Object.keys(filled.body['data'] as JsonObject).sort());
    const token = Buffer.from(String(at(filled.body, 'data', 'token')), 'base64').toString();
    await s.post(
      `${AUTHN}/selfsubjectreviews`,
      { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      { as: { token }, look: (b) => at(b, 'status', 'userInfo', 'username') },
    );
  },
});
