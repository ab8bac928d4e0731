import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KUBECTLS, kubectl } from '../testing/kubectl.ts';
import { eventually, type PeerProcess, peer, startPeer } from '../testing/peer-process.ts';
import { type ServeProcess, startServe } from '../testing/serve-process.ts';

const TALLY = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tallies.manager.test}
spec:
  group: manager.test
  names: {kind: Tally, plural: tallies}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          status: {type: object, properties: {copies: {type: integer}}}
`;

const manager = peer('controller-runtime');
const client = KUBECTLS[0] ?? { path: 'kubectl', missing: 'no kubectl' };

describe('controller-runtime managers with leader election', { skip: manager.missing || client.missing }, () => {
  let plane: ServeProcess;
  const managers = new Map<string, PeerProcess>();
  const ok = (args: readonly string[], input?: string): string => {
    const result = kubectl(client.path, plane.kubeconfig, args, input === undefined ? {} : { input });
    assert.equal(result.code, 0, `kubectl ${args.join(' ')}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  };
  const start = (identity: string): PeerProcess => {
    const started = startPeer(manager, ['--kubeconfig', plane.kubeconfig, '--identity', identity]);
    managers.set(identity, started);
    return started;
  };
  const elected = (): string[] => [...managers].filter(([, m]) => m.stdout().includes('"elected"')).map(([id]) => id);
  const told = (): string => [...managers.values()].map((m) => m.stdout() + m.stderr().slice(-2000)).join('\n');
  const source = (name: string): void => {
    ok(['create', 'configmap', name, '--from-literal=a=b']);
    ok(['label', 'configmap', name, 'manager.test/copy=true']);
  };
  const copied = (name: string) =>
    eventually(
      `the copy of ${name}`,
      () =>
        kubectl(client.path, plane.kubeconfig, ['get', 'secret', name, '-o', 'jsonpath={.data.a}']).stdout === 'Yg==',
      told,
    );
  const tally = (count: string) =>
    eventually(
      `a tally of ${count}`,
      () => ok(['get', 'tally', 'all', '-o', 'jsonpath={.status.copies}']) === count,
      told,
    );

  before(async () => {
    plane = await startServe();
    ok(['apply', '-f', '-'], TALLY);
  });
  after(async () => {
    await Promise.all([...managers.values()].map((m) => m.stop('SIGKILL')));
    await plane?.stop();
  });

  it('elect one of two, which creates, owns, applies and records events', async () => {
    start('first');
    await eventually('the first leader', () => elected().length === 1, told);
    start('second');
    source('one');
    await copied('one');
    await tally('1');
    assert.deepEqual(elected(), ['first']);
    assert.match(ok(['get', 'secret', 'one', '-o', 'jsonpath={.metadata.ownerReferences[0].kind}']), /^ConfigMap$/);
    await eventually('the Event', () => ok(['get', 'events']).includes('Secret one created'), told);
  });

  it('hand over when the leader is killed', async () => {
    await managers.get('first')?.stop('SIGKILL');
    await eventually('the second leader', () => elected().includes('second'), told);
    source('two');
    await copied('two');
    await tally('2');
  });

  it('go on over a restart of the plane: the watch resumes, and the garbage is collected', async () => {
    const { dir, endpoints } = plane;
    await plane.stop('SIGKILL');
    plane = await startServe({ dir, args: ['--kube-listen', endpoints.kube ?? ''] });
    source('three');
    await copied('three');
    await tally('3');
    ok(['delete', 'configmap', 'three']);
    const secrets = (): string => ok(['get', 'secrets', '-o', 'name']);
    await eventually('the end of the owned Secret', () => !secrets().includes('secret/three'), secrets);
  });
});
