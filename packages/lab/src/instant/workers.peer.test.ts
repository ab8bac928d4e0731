import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { eventually, KUBECTLS, kubectl, type ServeProcess, startServe } from '@bloomery/bloomery/testing';
import { createRemoteClient, loadKubeconfig, type RemoteClient } from '@bloomery/kube';
import { silentLog, systemClock } from '@bloomery/ports';
import { ANNOTATION_FAULT } from './fault-annotation.ts';
import { type InstantMachines, startInstantMachines } from './start-instant-machines.ts';

const INFRASTRUCTURE = 'infrastructure.cluster.x-k8s.io/v1beta1';
const CLUSTER = `
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: w, namespace: default}
spec:
  infrastructureRef: {apiVersion: ${INFRASTRUCTURE}, kind: FakeCluster, name: w}
  controlPlaneRef: {apiVersion: controlplane.cluster.x-k8s.io/v1alpha3, kind: TalosControlPlane, name: w-cp}
---
apiVersion: ${INFRASTRUCTURE}
kind: FakeCluster
metadata: {name: w, namespace: default}
spec: {}
---
apiVersion: controlplane.cluster.x-k8s.io/v1alpha3
kind: TalosControlPlane
metadata: {name: w-cp, namespace: default}
spec:
  version: v1.34.0
  replicas: 3
  infrastructureTemplate: {apiVersion: ${INFRASTRUCTURE}, kind: FakeMachineTemplate, name: w}
  controlPlaneConfig: {controlplane: {generateType: controlplane, talosVersion: v1.11}}
---
apiVersion: ${INFRASTRUCTURE}
kind: FakeMachineTemplate
metadata: {name: w, namespace: default}
spec: {template: {spec: {}}}
---
apiVersion: bootstrap.cluster.x-k8s.io/v1beta1
kind: TalosConfigTemplate
metadata: {name: w, namespace: default}
spec: {template: {spec: {generateType: worker, talosVersion: v1.11}}}
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineDeployment
metadata: {name: md, namespace: default}
spec:
  clusterName: w
  replicas: 2
  selector: {matchLabels: null}
  template:
    spec:
      clusterName: w
      version: v1.34.0
      bootstrap: {configRef: {apiVersion: bootstrap.cluster.x-k8s.io/v1beta1, kind: TalosConfigTemplate, name: w}}
      infrastructureRef: {apiVersion: ${INFRASTRUCTURE}, kind: FakeMachineTemplate, name: w}
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineHealthCheck
metadata: {name: w, namespace: default}
spec:
  clusterName: w
  selector: {matchLabels: {cluster.x-k8s.io/cluster-name: w}}
  unhealthyConditions:
  - {type: Ready, status: Unknown, timeout: 1s}
  - {type: Ready, status: "False", timeout: 1s}
`;
const WORKERS = 'cluster.x-k8s.io/deployment-name=md';
const client = KUBECTLS[0] ?? { path: 'kubectl', missing: 'no kubectl' };

describe('workers of a whole cluster, with real kubectl', { skip: client.missing }, () => {
  let plane: ServeProcess;
  let remote: RemoteClient;
  let machines: InstantMachines;
  const ok = (...args: readonly string[]): string => {
    const result = kubectl(client.path, plane.kubeconfig, args);
    assert.equal(result.code, 0, `kubectl ${args.join(' ')}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  };
  const patch = (body: object): string => ok('patch', 'md', 'md', '--type', 'merge', '-p', JSON.stringify(body));
  const names = (selector: string): readonly string[] =>
    ok('get', 'machines', '-l', selector, '-o', 'jsonpath={.items[*].metadata.name}').split(' ').filter(Boolean);
  const state = (): string => `${ok('get', 'clusters,tcp,md,ms,mhc,machines')}${plane.stderr().slice(-3000)}`;
  const settled = async (what: string, workers: number, holds: () => boolean = () => true): Promise<void> => {
    const counts = '{.status.replicas} {.status.updatedReplicas} {.status.readyReplicas} {.status.phase}';
    await eventually(
      what,
      () =>
        ok('get', 'md', 'md', '-o', `jsonpath=${counts}`) === `${workers} ${workers} ${workers} Running` &&
        names(WORKERS).length === workers &&
        holds(),
      state,
    );
  };

  before(async () => {
    plane = await startServe();
    remote = createRemoteClient(await loadKubeconfig(plane.kubeconfig));
    machines = await startInstantMachines(
      {},
      { client: remote, clock: systemClock, log: silentLog, random: randomBytes },
    );
    const applied = kubectl(client.path, plane.kubeconfig, ['apply', '-f', '-'], { input: CLUSTER });
    assert.equal(applied.code, 0, applied.stderr);
    await settled('the workers are ready', 2);
  });
  after(async () => {
    await machines?.[Symbol.asyncDispose]();
    await remote?.[Symbol.asyncDispose]();
    await plane?.stop();
  });

  it('kubectl scale makes and takes machines, marked ones first', async () => {
    ok('scale', 'md', 'md', '--replicas', '4');
    await settled('there are four', 4);
    const marked = names(WORKERS)[3] ?? '';
    ok('annotate', 'machine', marked, 'cluster.x-k8s.io/delete-machine=');
    ok('scale', 'md', 'md', '--replicas', '3');
    await settled('there are three', 3);
    assert.ok(!names(WORKERS).includes(marked));
    const set = ok('get', 'ms', '-l', WORKERS, '-o', 'jsonpath={.items[0].metadata.name}');
    assert.match(
      ok('get', 'events', '--field-selector', `involvedObject.name=${set}`),
      /Deleted Machine .*spec.replicas/,
    );
  });

  it('labels and time spans come to all machines and go again, and no machine is replaced', async () => {
    const before = names(WORKERS);
    const labelled = (kind: string): number => ok('get', kind, '-l', 'zone=a', '-o', 'name').split('\n').length - 1;
    patch({ spec: { template: { metadata: { labels: { zone: 'a' } }, spec: { nodeDrainTimeout: '7s' } } } });
    const kinds = ['machines', 'fakemachines', 'talosconfigs'];
    await eventually('the label is everywhere', () => kinds.every((kind) => labelled(kind) === 3), state);
    patch({ spec: { template: { metadata: { labels: { zone: null } }, spec: { nodeDrainTimeout: null } } } });
    await eventually('the label is gone', () => kinds.every((kind) => labelled(kind) === 0), state);
    const spans = (): string => ok('get', 'machines', '-o', 'jsonpath={.items[*].spec.nodeDrainTimeout}');
    await eventually('the time span is gone', () => spans() === '', state);
    assert.deepEqual(names(WORKERS), before);
  });

  it('a new version replaces them all, and the old one finds its set again', async () => {
    const versions = (): string => ok('get', 'machines', '-l', WORKERS, '-o', 'jsonpath={.items[*].spec.version}');
    patch({ spec: { template: { spec: { version: 'v1.34.1' } } } });
    await settled('all are new', 3, () => versions() === 'v1.34.1 v1.34.1 v1.34.1');
    patch({ spec: { template: { spec: { version: 'v1.34.0' } } } });
    await settled('all are old again', 3, () => versions() === 'v1.34.0 v1.34.0 v1.34.0');
    assert.equal(ok('get', 'ms', '-o', 'name').trim().split('\n').length, 2);
    assert.equal(
      ok(
        'get',
        'md',
        'md',
        '-o',
        'jsonpath={.metadata.annotations.machinedeployment\\.clusters\\.x-k8s\\.io/revision}',
      ),
      '3',
    );
  });

  it('a version that the control plane does not allow is named, and makes no machine', async () => {
    patch({ spec: { template: { spec: { version: 'v1.35.0' } } } });
    const waiting = (): string => ok('get', 'md', 'md', '-o', 'jsonpath={.status.waitingFor}');
    await eventually('it is said', () => waiting() === 'version the control plane allows', state);
    assert.equal(names(WORKERS).length, 3);
    patch({ spec: { template: { spec: { version: 'v1.34.0' } } } });
    await settled('it goes back', 3);
  });

  it('a dead worker is replaced, and a dead member of the control plane too', async () => {
    for (const selector of [WORKERS, 'cluster.x-k8s.io/control-plane']) {
      const [dead = ''] = names(selector);
      ok('annotate', 'fakemachine', dead, `${ANNOTATION_FAULT}=dead`);
      await eventually(
        `${dead} is replaced`,
        () => {
          const there = names(selector);
          const running = ok('get', 'machines', '-l', selector, '-o', 'jsonpath={.items[*].status.phase}');
          return !there.includes(dead) && there.length === 3 && running === 'Running Running Running';
        },
        state,
      );
    }
  });

  it('a bad change is refused where it is made', () => {
    const refused = (body: object): string =>
      kubectl(client.path, plane.kubeconfig, ['patch', 'md', 'md', '--type', 'merge', '-p', JSON.stringify(body)])
        .stderr;
    assert.match(refused({ spec: { clusterName: 'other' } }), /spec.clusterName: Forbidden: field is immutable/);
    assert.match(
      refused({ spec: { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } } }),
      /maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0/,
    );
  });
});
