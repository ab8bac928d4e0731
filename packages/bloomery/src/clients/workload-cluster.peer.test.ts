import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type KubeApiserver, missingPeers, startKubeApiserver } from '@bloomery/kubeapi/testing';
import { KUBECTLS, kubectl } from '../testing/kubectl.ts';
import { eventually, peer } from '../testing/peer-process.ts';
import { type ServeProcess, startServe } from '../testing/serve-process.ts';

const SERVER = '00000000-0000-0000-0000-000000000007';
const clusterctl = peer('clusterctl');
const client = KUBECTLS[0] ?? { path: 'kubectl', missing: 'no kubectl' };
const bloomery = join(import.meta.dirname, '../../../../bloomery');
const missing = missingPeers() ?? (clusterctl.missing || client.missing);

const INFRA = 'infrastructure.cluster.x-k8s.io/v1alpha3';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A cluster whose API server is already there, with one worker. Its control plane finds no server. */
function cluster(api: KubeApiserver): string {
  const endpoint = `{host: 127.0.0.1, port: ${new URL(api.url).port}}`;
  return `
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: prod, namespace: default}
spec:
  controlPlaneEndpoint: ${endpoint}
  infrastructureRef: {apiVersion: ${INFRA}, kind: MetalCluster, name: prod}
  controlPlaneRef: {apiVersion: controlplane.cluster.x-k8s.io/v1alpha3, kind: TalosControlPlane, name: prod}
---
apiVersion: v1
kind: Secret
metadata: {name: prod-ca, namespace: default, labels: {cluster.x-k8s.io/cluster-name: prod}}
data: {tls.crt: ${base64(api.caPem)}, tls.key: ${base64(api.caKeyPem)}}
---
apiVersion: ${INFRA}
kind: MetalCluster
metadata: {name: prod, namespace: default}
spec: {controlPlaneEndpoint: ${endpoint}}
---
apiVersion: metal.sidero.dev/v1alpha2
kind: ServerClass
metadata: {name: nothing}
spec: {selector: {matchLabels: {rack: nowhere}}}
---
apiVersion: ${INFRA}
kind: MetalMachineTemplate
metadata: {name: prod, namespace: default}
spec: {template: {spec: {serverClassRef: {apiVersion: metal.sidero.dev/v1alpha2, kind: ServerClass, name: nothing}}}}
---
apiVersion: controlplane.cluster.x-k8s.io/v1alpha3
kind: TalosControlPlane
metadata: {name: prod, namespace: default}
spec:
  version: v1.34.0
  replicas: 1
  infrastructureTemplate: {apiVersion: ${INFRA}, kind: MetalMachineTemplate, name: prod}
  controlPlaneConfig: {controlplane: {generateType: controlplane, talosVersion: v1.11}}
---
apiVersion: metal.sidero.dev/v1alpha2
kind: Server
metadata: {name: ${SERVER}}
spec: {accepted: true}
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: Machine
metadata:
  name: worker
  namespace: default
  labels: {cluster.x-k8s.io/cluster-name: prod, node-role.kubernetes.io/worker: ""}
spec:
  clusterName: prod
  version: v1.34.0
  bootstrap: {configRef: {apiVersion: bootstrap.cluster.x-k8s.io/v1beta1, kind: TalosConfig, name: worker}}
  infrastructureRef: {apiVersion: ${INFRA}, kind: MetalMachine, name: worker}
---
apiVersion: ${INFRA}
kind: MetalMachine
metadata: {name: worker, namespace: default, labels: {cluster.x-k8s.io/cluster-name: prod}}
spec: {serverRef: {apiVersion: metal.sidero.dev/v1alpha2, kind: Server, name: ${SERVER}}}
---
apiVersion: bootstrap.cluster.x-k8s.io/v1beta1
kind: TalosConfig
metadata: {name: worker, namespace: default, labels: {cluster.x-k8s.io/cluster-name: prod}}
spec: {generateType: worker, talosVersion: v1.11}
`;
}

/** What a kubelet and a scheduler would have made. */
const NODE = `
apiVersion: v1
kind: Node
metadata: {name: worker-1, labels: {metal.sidero.dev/uuid: ${SERVER}}}
`;
const POD = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec: {nodeName: worker-1, containers: [{name: web, image: web}]}
`;

describe('a workload cluster, from kubeconfig to the deletion of a machine', { skip: missing }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-workload-'));
  const produced = join(dir, 'prod.kubeconfig');
  let plane: ServeProcess;
  let api: KubeApiserver;
  const ok = (kubeconfig: string, args: readonly string[], input?: string): string => {
    const result = kubectl(client.path, kubeconfig, args, input === undefined ? {} : { input });
    assert.equal(result.code, 0, `kubectl ${args.join(' ')}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  };
  const manager = (...args: readonly string[]): string => ok(plane.kubeconfig, args);
  const becomes = (wanted: string | RegExp, ...args: readonly string[]): Promise<unknown> => {
    let seen = '';
    return eventually(
      `${args.join(' ')}: ${wanted}`,
      () => {
        seen = manager(...args);
        return typeof wanted === 'string' ? seen === wanted : wanted.test(seen);
      },
      () =>
        `${seen}\n${manager('get', 'clusters,tcp,machines,metalmachines,talosconfigs,servers', '-A', '-o', 'wide')}`,
    );
  };
  const condition = (of: string, type: string, field: string): readonly string[] => [
    ...['get', ...of.split(' '), '-o'],
    `jsonpath={.status.conditions[?(@.type=="${type}")].${field}}`,
  ];

  before(async () => {
    [plane, api] = await Promise.all([startServe(), startKubeApiserver()]);
    ok(plane.kubeconfig, ['apply', '-f', '-'], cluster(api));
  });
  after(async () => {
    await plane?.stop();
    await api?.[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });

  it('has a kubeconfig that works, for bloomery, clusterctl and kubectl', async () => {
    await becomes(
      'cluster.x-k8s.io/secret',
      'get',
      'secret',
      'prod-kubeconfig',
      '--ignore-not-found',
      '-o',
      'jsonpath={.type}',
    );
    const own = spawnSync(bloomery, ['kubeconfig', 'prod', '--kubeconfig', plane.kubeconfig, '--file', produced]);
    assert.equal(own.status, 0, own.stderr.toString());
    const text = readFileSync(produced, 'utf8');
    const theirs = spawnSync(clusterctl.path, ['get', 'kubeconfig', 'prod', '--kubeconfig', plane.kubeconfig]);
    assert.equal(theirs.stdout.toString().trim(), text.trim(), theirs.stderr.toString());
    assert.equal(ok(produced, ['auth', 'can-i', '*', '*', '--all-namespaces']).trim(), 'yes');
    assert.equal(ok(produced, ['config', 'current-context']).trim(), 'prod-admin@prod');
  });

  it('gets the provider id onto its Node, which becomes that of the Machine', async () => {
    await becomes('no matching nodes found', ...condition('metalmachine worker', 'ProviderSet', 'message'));
    ok(produced, ['apply', '-f', '-'], NODE);
    await becomes('True', ...condition('metalmachine worker', 'ProviderSet', 'status'));
    await becomes('worker-1', 'get', 'machine', 'worker', '-o', 'jsonpath={.status.nodeRef.name}');
    const columns = 'jsonpath={.spec.providerID} {.metadata.annotations.cluster\\.x-k8s\\.io/machine}';
    await eventually('the Node knows its Machine', () => {
      return ok(produced, ['get', 'node', 'worker-1', '-o', columns]) === `sidero://${SERVER} worker`;
    });
    assert.match(ok(produced, ['get', 'nodes']), /worker-1 +\S+ +worker /);
  });

  it('says that its API is down, and goes on when it is back', async () => {
    await api.kill();
    const said = condition('machine worker', 'NodeHealthy', 'message');
    await becomes(/does not answer: 127\.0\.0\.1:\d+ refuses connections/, ...said);
    await api.restart();
    await becomes(/has not reported its condition Ready yet|Ready is/, ...said);
  });

  it('has a machine drained before it goes, saying which Pod it waits for; its Node goes with it', async () => {
    ok(produced, ['apply', '-f', '-'], POD);
    manager('delete', 'machine', 'worker', '--wait=false');
    await becomes(
      'draining Node worker-1: 1 Pod terminating (default/web)',
      ...condition('machine worker', 'DrainingSucceeded', 'message'),
    );
    assert.equal(ok(produced, ['get', 'node', 'worker-1', '-o', 'jsonpath={.spec.unschedulable}']), 'true');
    ok(produced, ['delete', 'pod', 'web', '--grace-period=0', '--force']);
    await becomes('', 'get', 'machines,metalmachines', '-l', '!cluster.x-k8s.io/control-plane', '-o', 'name');
    assert.equal(ok(produced, ['get', 'nodes', '-o', 'name']), '');
  });

  it('is used through a kubeconfig that the user brought, which stays as it is', async () => {
    const theirs = readFileSync(produced, 'utf8').replaceAll('prod-admin', 'somebody');
    writeFileSync(produced, theirs);
    const owners = '[{"op":"remove","path":"/metadata/ownerReferences"}]';
    manager('patch', 'secret', 'prod-kubeconfig', '--type=json', '-p', owners);
    const value = JSON.stringify({ data: { value: base64(theirs) } });
    manager('patch', 'secret', 'prod-kubeconfig', '--type=merge', '-p', value);
    manager('annotate', 'taloscontrolplane', 'prod', 'test=1');
    await becomes('True', ...condition('taloscontrolplane prod', 'KubeconfigAvailable', 'status'));
    assert.equal(manager('get', 'secret', 'prod-kubeconfig', '-o', 'jsonpath={.data.value}'), base64(theirs));
  });
});
