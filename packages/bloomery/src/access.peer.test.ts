import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { KUBECTLS, kubectl } from './testing/kubectl.ts';
import { type ServeProcess, startServe } from './testing/serve-process.ts';

const ROLE = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: maps, namespace: default}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: maps, namespace: default}
subjects: [{kind: User, name: jane}, {kind: ServiceAccount, name: build, namespace: default}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: maps}
`;
const TOKEN_SECRET = `
apiVersion: v1
kind: Secret
metadata: {name: build-token, annotations: {kubernetes.io/service-account.name: build}}
type: kubernetes.io/service-account-token
`;

for (const client of KUBECTLS) {
  describe(`who may do what, with real ${client.name}`, { skip: client.missing }, () => {
    let plane: ServeProcess;
    const isOld = client.name.endsWith('1.20');
    const run = (args: readonly string[], input?: string) =>
      kubectl(client.path, plane.kubeconfig, args, input === undefined ? {} : { input });
    const ok = (args: readonly string[], input?: string): string => {
      const { code, stdout, stderr } = run(args, input);
      assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
      return stdout.trim();
    };
    /** Calls with a bearer token and no client certificate. */
    const withToken = (token: string, args: readonly string[]) => {
      const kubeconfig = join(plane.dir, 'token.kubeconfig');
      const text = readFileSync(plane.kubeconfig, 'utf8');
      writeFileSync(kubeconfig, text.replace(/client-certificate-data: .*\n.*client-key-data: .*/, `token: ${token}`));
      return kubectl(client.path, kubeconfig, args);
    };

    before(async () => {
      plane = await startServe();
      ok(['create', 'serviceaccount', 'build']);
      ok(['apply', '-f', '-'], ROLE);
    });
    after(() => plane.stop());

    it('auth can-i answers for oneself and for others', () => {
      assert.equal(ok(['auth', 'can-i', 'create', 'deployments.apps', '-A', '-q']), '');
      assert.equal(ok(['auth', 'can-i', 'list', 'configmaps', '--as', 'jane']), 'yes');
      const refused = run(['auth', 'can-i', 'list', 'secrets', '--as', 'jane']);
      assert.deepEqual([refused.code, refused.stdout.trim()], [1, 'no']);
      assert.equal(ok(['auth', 'can-i', 'get', '/healthz', '--as', 'jane']), 'yes');
    });

    it('auth can-i --list shows what somebody may do', () => {
      const list = ok(['auth', 'can-i', '--list', '--as', 'jane']);
      assert.match(list, /^configmaps +\[\] +\[\] +\[get list\]$/m);
      assert.match(list, /^selfsubjectaccessreviews\.authorization\.k8s\.io +\[\] +\[\] +\[create\]$/m);
      assert.match(list, /^ +\[\/openapi\] +\[\] +\[get\]$/m);
      assert.doesNotMatch(list, /\*\.\*/);
    });

    it('auth reconcile makes and widens roles', () => {
      const role = (verbs: string) =>
        `{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"rec"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":${verbs}}]}`;
      ok(['auth', 'reconcile', '-f', '-'], role('["get"]'));
      ok(['auth', 'reconcile', '-f', '-'], role('["list"]'));
      assert.equal(ok(['get', 'clusterrole', 'rec', '-o', 'jsonpath={.rules[*].verbs}']), '["get"] ["list"]');
    });

    it('a token of the service account has its rights and no more', {
      skip: isOld && 'kubectl create token is newer',
    }, () => {
      const token = ok(['create', 'token', 'build', '--duration', '10m']);
      assert.equal(withToken(token, ['get', 'configmaps', '-o', 'name']).code, 0);
      const refused = withToken(token, ['get', 'secrets']);
      assert.match(refused.stderr, /User "system:serviceaccount:default:build" cannot list resource "secrets"/);
      const who = withToken(token, ['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.groups}']).stdout;
      assert.equal(who, '["system:serviceaccounts","system:serviceaccounts:default","system:authenticated"]');
      const vault = ok([
        'create',
        'token',
        'build',
        '--audience',
        'vault',
        '--bound-object-kind',
        'Secret',
        '--bound-object-name',
        bound(),
      ]);
      assert.match(withToken(vault, ['get', 'configmaps']).stderr, /[Uu]nauthorized|must be logged in/);
    });
    const bound = (): string => {
      ok(['create', 'secret', 'generic', 'holder']);
      return 'holder';
    };

    it('a Secret gets a token, which ends with its service account', async () => {
      ok(['apply', '-f', '-'], TOKEN_SECRET);
      const token = (): string => ok(['get', 'secret', 'build-token', '-o', 'jsonpath={.data.token}']);
      const deadline = Date.now() + 10_000;
      while (token() === '') {
        assert.ok(Date.now() < deadline, 'no token in 10 s');
        await delay(50);
      }
      const text = Buffer.from(token(), 'base64').toString();
      assert.equal(withToken(text, ['get', 'configmaps', '-o', 'name']).code, 0);
      ok(['delete', 'serviceaccount', 'build']);
      assert.equal(withToken(text, ['get', 'configmaps', '-o', 'name']).code, 1);
    });

    it('a line in the token file lets somebody in without a restart', async () => {
      assert.equal(withToken('a-token-of-jane', ['get', 'configmaps', '-o', 'name']).code, 1);
      appendFileSync(join(plane.dir, 'pki', 'tokens.csv'), 'a-token-of-jane,jane,,\n');
      const deadline = Date.now() + 10_000;
      while (withToken('a-token-of-jane', ['get', 'configmaps', '-o', 'name']).code !== 0)
        assert.ok(Date.now() < deadline, 'still not let in after 10 s');
    });
  });
}
