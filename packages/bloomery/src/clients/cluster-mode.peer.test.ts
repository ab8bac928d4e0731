import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ClusterMode, clusterModeIsMissing, startClusterMode } from '../testing/cluster-mode.ts';
import { eventually, startPeer } from '../testing/peer-process.ts';

const METAL = `
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: forge, namespace: default}
spec:
  controlPlaneEndpoint: {host: 127.0.0.9, port: 6443}
  infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3, kind: MetalCluster, name: forge}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3
kind: MetalCluster
metadata: {name: forge, namespace: default}
spec: {controlPlaneEndpoint: {host: 127.0.0.9, port: 6443}}
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: Machine
metadata: {name: forge-1, namespace: default, labels: {cluster.x-k8s.io/cluster-name: forge}}
spec:
  clusterName: forge
  version: v1.34.0
  bootstrap:
    configRef: {apiVersion: bootstrap.cluster.x-k8s.io/v1alpha3, kind: TalosConfig, name: forge-1}
  infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3, kind: MetalMachine, name: forge-1}
---
apiVersion: bootstrap.cluster.x-k8s.io/v1alpha3
kind: TalosConfig
metadata: {name: forge-1, namespace: default}
spec: {generateType: worker, talosVersion: v1.11}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3
kind: MetalMachine
metadata: {name: forge-1, namespace: default}
spec: {serverClassRef: {apiVersion: metal.sidero.dev/v1alpha2, kind: ServerClass, name: any}}
---
apiVersion: metal.sidero.dev/v1alpha2
kind: Server
metadata: {name: 00000000-0000-4000-8000-000000000001}
spec: {accepted: true}
`;

const CLUSTER = `
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: instant, namespace: default}
spec:
  controlPlaneRef: {apiVersion: controlplane.cluster.x-k8s.io/v1alpha3, kind: TalosControlPlane, name: instant-cp}
  infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: FakeCluster, name: instant}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: FakeCluster
metadata: {name: instant, namespace: default}
spec: {}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: FakeMachineTemplate
metadata: {name: instant, namespace: default}
spec: {template: {spec: {}}}
---
apiVersion: controlplane.cluster.x-k8s.io/v1alpha3
kind: TalosControlPlane
metadata: {name: instant-cp, namespace: default}
spec:
  replicas: 3
  version: v1.34.0
  infrastructureTemplate: {apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: FakeMachineTemplate, name: instant}
  controlPlaneConfig: {controlplane: {generateType: controlplane, talosVersion: v1.11}}
---
apiVersion: bootstrap.cluster.x-k8s.io/v1alpha3
kind: TalosConfigTemplate
metadata: {name: instant-workers, namespace: default}
spec: {template: {spec: {generateType: worker, talosVersion: v1.11}}}
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineDeployment
metadata: {name: instant-workers, namespace: default}
spec:
  clusterName: instant
  replicas: 1
  selector: {matchLabels: null}
  template:
    spec:
      clusterName: instant
      version: v1.34.0
      bootstrap: {configRef: {apiVersion: bootstrap.cluster.x-k8s.io/v1alpha3, kind: TalosConfigTemplate, name: instant-workers}}
      infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: FakeMachineTemplate, name: instant}
`;

describe('our providers beside upstream Cluster API core on a real kube-apiserver', {
  skip: clusterModeIsMissing,
}, () => {
  let plane: ClusterMode;
  const becomes = (what: string, args: readonly string[], wanted: string | RegExp) => {
    let seen = '';
    return eventually(
      what,
      () => {
        const { stdout, stderr } = plane.kubectl(args);
        seen = stdout + stderr;
        return typeof wanted === 'string' ? stdout === wanted : wanted.test(stdout);
      },
      () => `${seen}\n${plane.log()}`,
    );
  };

  before(async () => {
    plane = await startClusterMode();
  });
  after(async () => {
    await plane?.[Symbol.asyncDispose]();
  });

  it('makes bootstrap data and binds a Server for a Machine of upstream', async () => {
    await eventually(
      'the manifests are taken',
      () => plane.kubectl(['apply', '-f', '-'], METAL).code === 0,
      () => plane.kubectl(['apply', '-f', '-'], METAL).stderr + plane.log(),
    );
    const server = '00000000-0000-4000-8000-000000000001';
    const clean = '{"status":{"isClean":true}}';
    await eventually(
      'the server is reported clean',
      () => plane.kubectl(['patch', 'server', server, '--subresource=status', '--type=merge', '-p', clean]).code === 0,
    );
    await becomes(
      'upstream sees the data',
      ['get', 'machine', 'forge-1', '-o', 'jsonpath={.spec.bootstrap.dataSecretName}'],
      'forge-1-bootstrap-data',
    );
    await becomes(
      'upstream sees the provider id',
      ['get', 'machine', 'forge-1', '-o', 'jsonpath={.spec.providerID}'],
      `sidero://${server}`,
    );
    await becomes(
      'upstream has it provisioned',
      ['get', 'machine', 'forge-1', '-o', 'jsonpath={.status.phase}'],
      'Provisioned',
    );
  });

  it('refuses through its webhooks what the embedded API refuses', () => {
    const { code, stderr } = plane.kubectl([
      'patch',
      'talosconfig',
      'forge-1',
      '--type=merge',
      '-p',
      '{"spec":{"generateType":"init"}}',
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /Spec is immutable/);
  });

  it('brings up a control plane and workers that upstream has Running, scales it, and lets upstream delete it', async () => {
    const machines = startPeer({ path: process.execPath, missing: false }, [
      join(import.meta.dirname, '../../../lab/src/instant/main.ts'),
      '--kubeconfig',
      plane.kubeconfig,
    ]);
    try {
      await eventually('the instant machines are there', () => machines.stdout().includes('ready'), machines.stderr);
      await eventually(
        'the manifests are taken',
        () => plane.kubectl(['apply', '-f', '-'], CLUSTER).code === 0,
        () => plane.kubectl(['apply', '-f', '-'], CLUSTER).stderr + plane.log(),
      );
      const phases = [
        'get',
        'machines',
        '-l',
        'cluster.x-k8s.io/cluster-name=instant',
        '-o',
        'jsonpath={.items[*].status.phase}',
      ];
      await becomes('all machines are Running', phases, 'Running Running Running Running');
      const tcp = (path: string): string[] => ['get', 'tcp', 'instant-cp', '-o', `jsonpath={.status.${path}}`];
      await becomes('the control plane is ready', tcp('readyReplicas'), '3');
      assert.equal(plane.kubectl(['scale', 'tcp', 'instant-cp', '--replicas=1']).code, 0);
      await becomes('the control plane is smaller', tcp('replicas'), '1');
      await becomes('two machines are left', phases, 'Running Running');
      assert.equal(plane.kubectl(['delete', 'cluster', 'instant', '--wait=false']).code, 0);
      await becomes(
        'nothing is left',
        ['get', 'cluster,machines,tcp,fakemachines,fakeclusters', '-o', 'name'],
        /^(?!.*instant)/s,
      );
    } finally {
      await machines.stop();
    }
  });
});
