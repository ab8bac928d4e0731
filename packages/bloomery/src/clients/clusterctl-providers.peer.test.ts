import assert from 'node:assert/strict';
import { copyFileSync, globSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { KUBECTLS, kubectl } from '../testing/kubectl.ts';
import { peer, startPeer } from '../testing/peer-process.ts';
import { type ServeProcess, startServe } from '../testing/serve-process.ts';

const DEPLOY = join(import.meta.dirname, '../../../../deploy/clusterctl');
const CORE_VERSION = 'v1.10.9';
const TYPES = {
  infrastructure: 'InfrastructureProvider',
  bootstrap: 'BootstrapProvider',
  'control-plane': 'ControlPlaneProvider',
};
/** clusterctl asks for cert-manager's API and, when there is none, downloads it: as data its kinds are enough. */
const CERT_MANAGER = ['Issuer', 'Certificate']
  .map(
    (kind) => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ${kind.toLowerCase()}s.cert-manager.io}
spec:
  group: cert-manager.io
  names: {kind: ${kind}, plural: ${kind.toLowerCase()}s}
  scope: Namespaced
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`,
  )
  .join('---');
const VARIABLES = {
  CONTROL_PLANE_ENDPOINT: '10.5.0.10',
  CONTROL_PLANE_PORT: '443',
  CONTROL_PLANE_SERVERCLASS: 'masters',
  WORKER_SERVERCLASS: 'any',
  TALOS_VERSION: 'v1.11',
};

const clusterctl = peer('clusterctl');
const components = peer('cluster-api-core.yaml');
const metadata = peer('cluster-api-metadata.yaml');
const client = KUBECTLS[0] ?? { path: 'kubectl', missing: 'no kubectl' };

describe('our providers and cluster template through real clusterctl', {
  skip: clusterctl.missing || components.missing || metadata.missing || client.missing,
}, () => {
  const planes: ServeProcess[] = [];
  const start = async (...args: readonly string[]): Promise<ServeProcess> => {
    const plane = await startServe({ args });
    planes.push(plane);
    return plane;
  };
  let config: string;
  const [template = ''] = globSync('infrastructure-sidero/*/cluster-template.yaml', { cwd: DEPLOY });

  const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> => {
    const tool = startPeer(clusterctl, [...args, '--config', config], env);
    const code = await new Promise((resolve) => tool.process.once('close', resolve));
    assert.equal(code, 0, `clusterctl ${args.join(' ')}: ${tool.stderr()}`);
    return tool.stdout();
  };
  const ok = (plane: ServeProcess, args: readonly string[], input?: string): string => {
    const result = kubectl(client.path, plane.kubeconfig, args, input === undefined ? {} : { input });
    assert.equal(result.code, 0, `kubectl ${args.join(' ')}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  };

  before(() => {
    const core = join(mkdtempSync(join(tmpdir(), 'bloomery-providers-')), 'cluster-api', CORE_VERSION);
    mkdirSync(core, { recursive: true });
    copyFileSync(components.path, join(core, 'core-components.yaml'));
    copyFileSync(metadata.path, join(core, 'metadata.yaml'));
    const ours = globSync('*/*/*-components.yaml', { cwd: DEPLOY }).map((file) => {
      const [, type = '', name = ''] = /^(infrastructure|bootstrap|control-plane)-(\w+)\//.exec(file) ?? [];
      return `- {name: ${name}, type: ${TYPES[type as keyof typeof TYPES]}, url: ${join(DEPLOY, file)}}\n`;
    });
    assert.equal(ours.length, 3);
    config = join(core, 'clusterctl.yaml');
    const own = `- {name: cluster-api, type: CoreProvider, url: ${join(core, 'core-components.yaml')}}\n`;
    writeFileSync(config, `providers:\n${own}${ours.join('')}`);
  });
  after(async () => {
    await Promise.all(planes.map((plane) => plane.stop()));
  });

  it('the template becomes a cluster, and every object of it is taken as it is', async () => {
    const plane = await start();
    const counts = ['--control-plane-machine-count', '3', '--worker-machine-count', '2'];
    const flags = ['--kubernetes-version', 'v1.34.0', '--target-namespace', 'racks', ...counts];
    const text = await run(['generate', 'cluster', 'forge', '--from', join(DEPLOY, template), ...flags], VARIABLES);
    ok(plane, ['create', 'namespace', 'racks']);
    const taken = ok(plane, ['apply', '--server-side', '--dry-run=server', '-f', '-', '-o', 'name'], text);
    assert.deepEqual(taken.trim().split('\n').sort(), [
      'cluster.cluster.x-k8s.io/forge',
      'machinedeployment.cluster.x-k8s.io/forge-workers',
      'metalcluster.infrastructure.cluster.x-k8s.io/forge',
      'metalmachinetemplate.infrastructure.cluster.x-k8s.io/forge-cp',
      'metalmachinetemplate.infrastructure.cluster.x-k8s.io/forge-workers',
      'talosconfigtemplate.bootstrap.cluster.x-k8s.io/forge-workers',
      'taloscontrolplane.controlplane.cluster.x-k8s.io/forge-cp',
    ]);
    ok(plane, ['apply', '-f', '-'], text);
    const columns = '-o=jsonpath={.spec.controlPlaneEndpoint.host}:{.spec.controlPlaneEndpoint.port}';
    assert.equal(ok(plane, ['get', 'metalcluster', 'forge', '-n', 'racks', columns]), '10.5.0.10:443');
    const replicas = ['get', 'tcp,machinedeployment', '-n', 'racks', '-o', 'jsonpath={.items[*].spec.replicas}'];
    assert.equal(ok(plane, replicas), '3 2');
  });

  it('the providers are installed, and listed with their versions', async () => {
    const plane = await start('--cluster-api', 'external');
    ok(plane, ['apply', '-f', '-'], CERT_MANAGER);
    const names = [
      '--core',
      'cluster-api',
      '--bootstrap',
      'talos',
      '--control-plane',
      'talos',
      '--infrastructure',
      'sidero',
    ];
    await run(['init', ...names, '--kubeconfig', plane.kubeconfig]);
    const columns = '-o=jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name} {.version}{"\\n"}{end}';
    assert.deepEqual(ok(plane, ['get', 'providers', '-A', columns]).trim().split('\n').sort(), [
      'cabpt-system bootstrap-talos v0.6.100',
      'cacppt-system control-plane-talos v0.5.100',
      `capi-system cluster-api ${CORE_VERSION}`,
      'sidero-system infrastructure-sidero v0.6.100',
    ]);
    const deployments = ok(plane, ['get', 'deployments', '-A', '-l', 'clusterctl.cluster.x-k8s.io', '-o', 'name']);
    for (const name of ['sidero', 'cabpt', 'cacppt'])
      assert.match(deployments, new RegExp(`/${name}-controller-manager`));
    const conditions = '-o=jsonpath={range .items[*]}{.metadata.name} {.status.conditions[*].type}{"\\n"}{end}';
    assert.doesNotMatch(ok(plane, ['get', 'crds', conditions]), /Overridden/);
  });
});
