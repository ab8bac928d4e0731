import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { KUBECTLS, kubectl, startKubectl } from './testing/kubectl.ts';
import { type ServeProcess, startServe } from './testing/serve-process.ts';

const SEVERAL = `
apiVersion: v1
kind: Namespace
metadata: {name: several}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: several}
data: {a: b}
---
apiVersion: metal.sidero.dev/v1alpha2
kind: Server
metadata: {name: of-several}
spec: {accepted: false}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
    - name: v1
      served: true
      storage: true
      additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {size: {type: integer, maximum: 10}}}
`;
const WIDGET = (size: number): string => `
apiVersion: example.com/v1
kind: Widget
metadata: {name: w, namespace: several}
spec: {size: ${size}}
`;

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`after 30 s still not: ${what}`);
    await delay(20);
  }
}

for (const client of KUBECTLS) {
  describe(`the verbs of real ${client.name}`, { skip: client.missing }, () => {
    let plane: ServeProcess;
    const isOld = client.name.endsWith('1.20');
    const run = (args: readonly string[], input?: string) =>
      kubectl(client.path, plane.kubeconfig, args, input === undefined ? {} : { input });
    const ok = (args: readonly string[], input?: string): string => {
      const result = run(args, input);
      assert.equal(result.code, 0, `kubectl ${args.join(' ')}: ${result.stderr}${result.stdout}`);
      return result.stdout;
    };
    const refused = (args: readonly string[], input?: string): string => {
      const result = run(args, input);
      assert.notEqual(result.code, 0, `kubectl ${args.join(' ')} was not refused: ${result.stdout}`);
      return result.stderr + result.stdout;
    };
    before(async () => {
      plane = await startServe();
    });
    after(async () => {
      await plane?.stop();
    });

    it('apply several documents, and a kind with its first object a moment later', () => {
      const lines = (text: string): string[] =>
        text
          .trim()
          .split('\n')
          .map((line) => line.split(' ').slice(1).join(' '));
      assert.deepEqual(lines(ok(['apply', '-f', '-'], SEVERAL)), Array(4).fill('created'));
      assert.deepEqual(lines(ok(['apply', '-f', '-'], SEVERAL)), Array(4).fill('unchanged'));
      ok(['wait', '--for=condition=Established', 'crd/widgets.example.com', '--timeout=10s']);
      assert.deepEqual(lines(ok(['apply', '-f', '-'], WIDGET(1))), ['created']);
      assert.match(ok(['-n', 'several', 'get', 'wd']), /NAME\s+SIZE\nw\s+1\s/);
      assert.match(refused(['apply', '-f', '-'], WIDGET(11)), /spec\.size: Invalid value: 11/);
    });

    it('apply on the server, with conflicts told and taken over', () => {
      assert.match(
        ok(['apply', '--server-side', '--field-manager=one', '-f', '-'], WIDGET(2).replace('name: w', 'name: s')),
        /serverside-applied/,
      );
      const other = ['apply', '--server-side', '--field-manager=two', '-f', '-'];
      assert.match(refused(other, WIDGET(3).replace('name: w', 'name: s')), /conflict with "one".*\n?.*\.spec\.size/s);
      ok([...other, '--force-conflicts'], WIDGET(3).replace('name: w', 'name: s'));
      assert.equal(ok(['-n', 'several', 'get', 'widget', 's', '-o', 'jsonpath={.spec.size}']), '3');
    });

    it('get -o yaml what was applied, and apply that again', () => {
      const text = ok(['-n', 'several', 'get', 'configmap', 'settings', '-o', 'yaml']);
      assert.match(text, /^apiVersion: v1\ndata:\n {2}a: b\nkind: ConfigMap\nmetadata:\n/);
      assert.match(ok(['apply', '-f', '-'], text), /settings (configured|unchanged)/);
    });

    it('get -w what changes, until it goes', async () => {
      const watch = startKubectl(client.path, plane.kubeconfig, ['-n', 'several', 'get', 'widget', 'w', '-w']);
      await until('the object is shown', () => /\nw\s+1\s/.test(watch.stdout()));
      ok(['-n', 'several', 'patch', 'widget', 'w', '--type=merge', '-p', '{"spec":{"size":7}}']);
      await until('the change is shown', () => /\nw\s+7\s/.test(watch.stdout()));
      const names = startKubectl(client.path, plane.kubeconfig, ['get', 'servers', '-w', '--output-watch-events']);
      await until('the servers are shown', () => /ADDED\s+of-several/.test(names.stdout()));
      ok(['label', 'server', 'of-several', 'a=b']);
      await until('the label is seen', () => /MODIFIED\s+of-several/.test(names.stdout()));
      await Promise.all([watch.stop(), names.stop()]);
      assert.equal(watch.stderr() + names.stderr(), '');
    });

    it('wait --for=delete until a finalizer lets go', async () => {
      ok(['-n', 'several', 'create', 'configmap', 'held']);
      const finalizers = (list: string): string => `{"metadata":{"finalizers":${list}}}`;
      ok(['-n', 'several', 'patch', 'configmap', 'held', '--type=merge', '-p', finalizers('["test/hold"]')]);
      ok(['-n', 'several', 'delete', 'configmap', 'held', '--wait=false']);
      const wait = startKubectl(client.path, plane.kubeconfig, [
        '-n',
        'several',
        'wait',
        '--for=delete',
        'configmap/held',
        '--timeout=30s',
      ]);
      const early = await Promise.race([wait.exited, delay(500).then(() => 'waits')]);
      assert.equal(early, 'waits');
      ok(['-n', 'several', 'patch', 'configmap', 'held', '--type=merge', '-p', finalizers('null')]);
      assert.equal(await wait.exited, 0, wait.stderr());
    });

    it('auth can-i, for oneself and as somebody else', () => {
      assert.match(ok(['auth', 'can-i', '--list']), /\*\.\*\s+\[\]\s+\[\]\s+\[\*\]/);
      assert.match(ok(['auth', 'can-i', 'delete', 'servers']), /yes/);
      ok(['create', 'role', 'read', '--verb=get,list', '--resource=configmaps']);
      ok(['create', 'rolebinding', 'read', '--role=read', '--user=jane']);
      assert.match(ok(['auth', 'can-i', 'get', 'configmaps', '--as=jane']), /yes/);
      assert.match(refused(['auth', 'can-i', 'delete', 'configmaps', '--as=jane']), /no/);
      assert.equal(ok(['get', 'configmaps', '--as=jane', '-o', 'name']), 'configmap/kube-root-ca.crt\n');
      assert.match(refused(['get', 'secrets', '--as=jane']), /User "jane" cannot list resource "secrets"/);
      assert.match(ok(['auth', 'can-i', '--list', '--as=jane']), /configmaps\s+\[\]\s+\[\]\s+\[get list\]/);
    });

    it('auth whoami', { skip: isOld && 'kubectl 1.20 has no whoami' }, () => {
      assert.match(
        ok(['auth', 'whoami']),
        /Username\s+bloomery-admin\nGroups\s+\[system:masters system:authenticated\]/,
      );
    });

    it('scale is refused for a kind without it', () => {
      assert.match(
        refused(['scale', '--replicas=2', 'server/of-several']),
        /could not find the requested resource|not found/i,
      );
    });

    it('delete a kind with its objects', () => {
      ok(['delete', 'crd', 'widgets.example.com', '--timeout=30s']);
      assert.match(
        refused(['-n', 'several', 'get', 'widgets']),
        /the server (doesn't have a resource type "widgets"|could not find the requested resource)/,
      );
    });

    it('delete a namespace with what is in it, but none that must stay', () => {
      assert.match(ok(['delete', 'ns', 'several', '--timeout=30s']), /namespace "several" deleted/);
      assert.match(refused(['-n', 'several', 'get', 'configmap', 'settings']), /NotFound/);
      for (const name of ['default', 'kube-system', 'kube-public'])
        assert.match(refused(['delete', 'ns', name]), /this namespace may not be deleted/);
    });

    it('leave the plane without an error in its log', () => {
      const errors = plane
        .stderr()
        .split('\n')
        .filter((line) => line.includes('"level":"error"'));
      assert.deepEqual(errors, []);
    });
  });
}
