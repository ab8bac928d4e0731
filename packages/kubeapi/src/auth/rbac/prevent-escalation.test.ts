import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Json, JsonObject } from '@bloomery/model';
import { type AskAs, askAs } from '../../testing/ask-as.ts';
import { startTestApi, type TestApi } from '../../testing/test-api.ts';
import { authenticated, MASTERS, type User } from '../user.ts';

const GROUP = 'rbac.authorization.k8s.io';
const RBAC = `/apis/${GROUP}/v1`;
const ROLES = `${RBAC}/namespaces/default/roles`;
const BINDINGS = `${RBAC}/namespaces/default/rolebindings`;
const ADMIN: User = { name: 'admin', groups: [MASTERS] };
const JANE = authenticated('jane', ['writers']);
const rule = (resources: string[], verbs: string[], more: JsonObject = {}): JsonObject => ({
  apiGroups: [''],
  resources,
  verbs,
  ...more,
});
const role = (name: string, ...rules: Json[]): JsonObject => ({ metadata: { name }, rules });
const binding = (name: string, kind: string, to: string): JsonObject => ({
  metadata: { name },
  subjects: [{ kind: 'User', name: 'anybody' }],
  roleRef: { apiGroup: GROUP, kind, name: to },
});
const WHO =
  'user "jane" (groups=["writers" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:';

describe('whoever may write roles', () => {
  let api: TestApi;
  let ask: AskAs;
  before(async () => {
    api = await startTestApi();
    ask = askAs(api);
    const write = { apiGroups: [GROUP], resources: ['*'], verbs: ['create', 'update', 'patch', 'get'] };
    await ask(ADMIN, 'POST', `${RBAC}/clusterroles`, role('writer', write, rule(['pods', 'secrets'], ['get'])));
    const subjects = [{ kind: 'Group', name: 'writers' }];
    const roleRef = { apiGroup: GROUP, kind: 'ClusterRole', name: 'writer' };
    await ask(ADMIN, 'POST', `${RBAC}/clusterrolebindings`, { metadata: { name: 'writer' }, subjects, roleRef });
    await ask(ADMIN, 'POST', ROLES, role('more', rule(['nodes'], ['get'])));
  });
  after(() => api[Symbol.asyncDispose]());

  async function refused(answer: ReturnType<AskAs>, message: string): Promise<void> {
    const { code, body } = await answer;
    assert.deepEqual([code, body['reason'], body['message']], [403, 'Forbidden', message]);
  }

  it('may give what he has', async () => {
    assert.equal((await ask(JANE, 'POST', ROLES, role('same', rule(['pods'], ['get'])))).code, 201);
    assert.equal((await ask(JANE, 'POST', BINDINGS, binding('same', 'Role', 'same'))).code, 201);
  });

  const wide = role('wide', rule(['pods', 'nodes'], ['get', 'delete']));
  const why = `roles.${GROUP} "wide" is forbidden: ${WHO}\n{APIGroups:[""], Resources:["nodes"], Verbs:["get" "delete"]}\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}`;

  it('may not create a role with more', () => refused(ask(JANE, 'POST', ROLES, wide), why));
  it('may not try it', () => refused(ask(JANE, 'POST', `${ROLES}?dryRun=All`, wide), why));
  it('may not apply one', () =>
    refused(
      ask(
        JANE,
        'PATCH',
        `${ROLES}/wide?fieldManager=j`,
        { apiVersion: `${GROUP}/v1`, kind: 'Role', ...wide },
        'application/apply-patch+yaml',
      ),
      why,
    ));

  it('may not widen one by update or patch', async () => {
    await ask(ADMIN, 'POST', ROLES, role('narrow', rule(['pods'], ['get'])));
    const message = `roles.${GROUP} "narrow" is forbidden: ${WHO}\n{APIGroups:[""], Resources:["pods"], Verbs:["list"]}`;
    const more = role('narrow', rule(['pods'], ['get', 'list']));
    await refused(ask(JANE, 'PUT', `${ROLES}/narrow`, more), message);
    await refused(
      ask(JANE, 'PATCH', `${ROLES}/narrow`, { rules: more['rules'] ?? [] }, 'application/merge-patch+json'),
      message,
    );
  });

  it('may not touch a role that has more, but for its owners and finalizers', async () => {
    const patch = (metadata: JsonObject) =>
      ask(JANE, 'PATCH', `${ROLES}/more`, { metadata }, 'application/merge-patch+json');
    assert.equal((await patch({ labels: { a: 'b' } })).code, 403);
    assert.equal((await patch({ finalizers: ['example.com/x'] })).code, 200);
  });

  it('may not bind a role with more, where it is bound or anywhere', async () => {
    const rules = '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}';
    await refused(
      ask(JANE, 'POST', `${RBAC}/clusterrolebindings`, binding('me', 'ClusterRole', 'cluster-admin')),
      `clusterrolebindings.${GROUP} "me" is forbidden: ${WHO}\n${rules}`,
    );
    assert.equal((await ask(JANE, 'POST', BINDINGS, binding('more', 'Role', 'more'))).code, 403);
  });

  it('may not bind a role that is not there', async () => {
    const { code, body } = await ask(JANE, 'POST', BINDINGS, binding('gone', 'Role', 'nope'));
    assert.deepEqual([code, body['message']], [404, `rolebindings.${GROUP} "nope" not found`]);
  });

  it('may not collect rules by labels', () =>
    refused(
      ask(JANE, 'POST', `${RBAC}/clusterroles`, {
        metadata: { name: 'all' },
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
      }),
      `clusterroles.${GROUP} "all" is forbidden: must have cluster-admin privileges to use the aggregationRule`,
    ));

  it('may do all of it with the verbs escalate and bind', async () => {
    const special = { apiGroups: [GROUP], resources: ['roles', 'clusterroles'], verbs: ['escalate', 'bind'] };
    await ask(ADMIN, 'POST', ROLES, role('special', special));
    const bound = binding('special', 'Role', 'special');
    await ask(ADMIN, 'POST', BINDINGS, { ...bound, subjects: [{ kind: 'User', name: 'jane' }] });
    assert.equal((await ask(JANE, 'POST', ROLES, wide)).code, 201);
    assert.equal((await ask(JANE, 'POST', BINDINGS, binding('wide', 'Role', 'wide'))).code, 201);
    // In this namespace only.
    assert.equal((await ask(JANE, 'POST', `${RBAC}/clusterroles`, wide)).code, 403);
  });

  it('is not held up in what the server itself writes', async () => {
    await api.engine.idle();
    assert.equal((await ask(ADMIN, 'GET', `${RBAC}/clusterroles/edit`)).code, 200);
  });
});
