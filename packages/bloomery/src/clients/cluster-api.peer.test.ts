import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type CoreInstallation, coreIsMissing, prepareCore } from '../testing/cluster-api-core.ts';
import { KUBECTLS, kubectl } from '../testing/kubectl.ts';
import { eventually, type PeerProcess, peer, startPeer } from '../testing/peer-process.ts';
import { type ServeProcess, startServe } from '../testing/serve-process.ts';

const CLUSTER = `
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: forge, namespace: default}
spec:
  controlPlaneEndpoint: {host: 10.0.0.1, port: 6443}
  infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3, kind: MetalCluster, name: forge}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3
kind: MetalCluster
metadata: {name: forge, namespace: default}
spec: {controlPlaneEndpoint: {host: 10.0.0.1, port: 6443}}
`;
const WORKERS = `
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineDeployment
metadata: {name: forge-workers, namespace: default}
spec:
  clusterName: forge
  replicas: 2
  selector: {matchLabels: null}
  template:
    spec:
      clusterName: forge
      version: v1.34.0
      bootstrap:
        configRef: {apiVersion: bootstrap.cluster.x-k8s.io/v1alpha3, kind: TalosConfigTemplate, name: forge-workers}
      infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3, kind: MetalMachineTemplate, name: forge-workers}
---
apiVersion: bootstrap.cluster.x-k8s.io/v1alpha3
kind: TalosConfigTemplate
metadata: {name: forge-workers, namespace: default}
spec: {template: {spec: {generateType: worker, talosVersion: v1.11}}}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3
kind: MetalMachineTemplate
metadata: {name: forge-workers, namespace: default}
spec: {template: {spec: {serverClassRef: {apiVersion: metal.sidero.dev/v1alpha2, kind: ServerClass, name: any}}}}
`;

const clusterctl = peer('clusterctl');
const client = KUBECTLS[0] ?? { path: 'kubectl', missing: 'no kubectl' };
const missing = coreIsMissing || client.missing || clusterctl.missing;

describe('Cluster API core, run by an operator against bloomery serve --cluster-api external', {
  skip: missing,
}, () => {
  let plane: ServeProcess;
  let core: CoreInstallation;
  let manager: PeerProcess | undefined;
  const run = (args: readonly string[], input?: string) =>
    kubectl(client.path, plane.kubeconfig, args, input === undefined ? {} : { input });
  const ok = (args: readonly string[], input?: string): string => {
    const result = run(args, input);
    assert.equal(result.code, 0, `kubectl ${args.join(' ')}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  };
  const told = (): string => (manager?.stderr() ?? '').split('\n').slice(-15).join('\n');
  const becomes = (what: string, args: readonly string[], wanted: string | RegExp) => {
    let seen = '';
    return eventually(
      what,
      () => {
        const { stdout, stderr } = run(args);
        seen = stdout + stderr;
        return typeof wanted === 'string' ? stdout === wanted : wanted.test(stdout);
      },
      () => `${seen}\n${told()}`,
    );
  };

  before(async () => {
    plane = await startServe({ args: ['--cluster-api', 'external'] });
    core = await prepareCore();
  });
  after(async () => {
    await manager?.stop('SIGKILL');
    await plane?.stop();
  });

  it('is installed from the manifests of its release', () => {
    const text = JSON.stringify(core.manifests);
    ok(['apply', '--server-side', '-f', '-'], text);
    ok(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=20s']);
  });

  it('runs as its service account, with a token and the rights of its roles', async () => {
    const token = ok(['create', 'token', 'capi-manager', '--namespace', 'capi-system', '--duration', '1h']).trim();
    const kubeconfig = join(plane.dir, 'capi.kubeconfig');
    const admin = readFileSync(plane.kubeconfig, 'utf8');
    const user = admin.replace(/client-certificate-data:.*\n/, '').replace(/client-key-data:.*/, `token: ${token}`);
    writeFileSync(kubeconfig, user, { mode: 0o600 });
    assert.equal(
      kubectl(client.path, kubeconfig, ['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}']).stdout,
      'system:serviceaccount:capi-system:capi-manager',
    );
    manager = core.start(kubeconfig);
    await eventually(
      'its webhook server',
      () => told() !== '' && manager?.stderr().includes('Serving webhook server'),
      told,
    );
  });

  it('refuses through its webhooks what its schemas cannot, and fills in what they leave out', async () => {
    const wrong = CLUSTER.split('---')[0]?.replace('name: forge}', 'name: forge, namespace: elsewhere}');
    let answer = '';
    await eventually(
      'the webhook',
      () => {
        answer = run(['create', '-f', '-'], wrong).stderr;
        return !/failed calling webhook/.test(answer);
      },
      () => answer + told(),
    );
    assert.match(
      answer,
      /spec\.infrastructureRef\.namespace: Invalid value: "elsewhere": must match metadata\.namespace/,
    );
    ok(['apply', '-f', '-'], CLUSTER);
    assert.equal(ok(['get', 'cluster', 'forge', '-o', 'jsonpath={.spec.infrastructureRef.namespace}']), 'default');
  });

  it('provisions a cluster on our infrastructure', async () => {
    await becomes(
      'InfrastructureReady',
      ['get', 'cluster', 'forge', '-o', 'jsonpath={.status.infrastructureReady}'],
      'true',
    );
    await becomes('the phase', ['get', 'cluster', 'forge', '-o', 'jsonpath={.status.phase}'], 'Provisioned');
    const owner = ok(['get', 'metalcluster', 'forge', '-o', 'jsonpath={.metadata.ownerReferences[0].kind}']);
    assert.equal(owner, 'Cluster');
  });

  it('makes Machines out of templates, scales them, and shows through clusterctl why they wait', async () => {
    ok(['apply', '-f', '-'], WORKERS);
    const machines = ['get', 'metalmachines,talosconfigs', '-o', 'name'];
    await becomes('two of each', machines, /^(metalmachine\S*\n){2}(talosconfig\S*\n){2}$/);
    ok(['scale', 'machinedeployment', 'forge-workers', '--replicas', '3']);
    await becomes('three of each', machines, /^(metalmachine\S*\n){3}(talosconfig\S*\n){3}$/);
    const described = await eventually('clusterctl describe', async () => {
      const tool = startPeer(clusterctl, [
        'describe',
        'cluster',
        'forge',
        '--kubeconfig',
        plane.kubeconfig,
        '--show-conditions',
        'all',
      ]);
      await new Promise((resolve) => tool.process.once('close', resolve));
      return tool.stdout().includes('MachineDeployment/forge-workers') && tool.stdout();
    });
    assert.match(described, /Cluster\/forge/);
    assert.match(described, /ClusterInfrastructure - MetalCluster\/forge/);
  });

  it('deletes the cluster with everything in it', async () => {
    ok(['delete', 'cluster', 'forge', '--wait=false']);
    const left = 'clusters,machines,machinesets,machinedeployments,metalmachines,metalclusters,talosconfigs';
    await becomes('nothing left', ['get', left, '-o', 'name'], '');
  });
});
