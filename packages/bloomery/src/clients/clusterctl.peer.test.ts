import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { KUBECTLS, kubectl } from '../testing/kubectl.ts';
import { peer, startPeer } from '../testing/peer-process.ts';
import { type ServeProcess, startServe } from '../testing/serve-process.ts';

const VERSION = 'v1.10.9';
/** clusterctl asks for cert-manager's API and, when there is none, downloads it: as data its kinds are enough. */
const CERT_MANAGER = ['Issuer', 'Certificate']
  .map((kind) => {
    const plural = `${kind.toLowerCase()}s`;
    return `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ${plural}.cert-manager.io}
spec:
  group: cert-manager.io
  names: {kind: ${kind}, plural: ${plural}}
  scope: Namespaced
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`;
  })
  .join('---');

const clusterctl = peer('clusterctl');
const components = peer('cluster-api-core.yaml');
const metadata = peer('cluster-api-metadata.yaml');
const client = KUBECTLS[0] ?? { path: 'kubectl', missing: 'no kubectl' };

describe('real clusterctl', {
  skip: clusterctl.missing || components.missing || metadata.missing || client.missing,
}, () => {
  let plane: ServeProcess;
  let config: string;
  const ok = (args: readonly string[], input?: string): string => {
    const result = kubectl(client.path, plane.kubeconfig, args, input === undefined ? {} : { input });
    assert.equal(result.code, 0, `kubectl ${args.join(' ')}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  };
  const run = async (args: readonly string[]): Promise<string> => {
    const tool = startPeer(clusterctl, [...args, '--config', config, '--kubeconfig', plane.kubeconfig]);
    const code = await new Promise((resolve) => tool.process.once('close', resolve));
    assert.equal(code, 0, `clusterctl ${args.join(' ')}: ${tool.stderr()}`);
    return tool.stdout() + tool.stderr();
  };

  before(async () => {
    plane = await startServe({ args: ['--cluster-api', 'external'] });
    const repository = join(mkdtempSync(join(tmpdir(), 'bloomery-clusterctl-')), 'cluster-api', VERSION);
    mkdirSync(repository, { recursive: true });
    copyFileSync(components.path, join(repository, 'core-components.yaml'));
    copyFileSync(metadata.path, join(repository, 'metadata.yaml'));
    config = join(repository, 'clusterctl.yaml');
    const url = join(repository, 'core-components.yaml');
    writeFileSync(config, `providers:\n- {name: cluster-api, url: ${url}, type: CoreProvider}\n`);
    ok(['apply', '-f', '-'], CERT_MANAGER);
  });
  after(async () => {
    await plane?.stop();
  });

  it('installs a provider and keeps it in its inventory', async () => {
    const said = await run([
      'init',
      '--core',
      `cluster-api:${VERSION}`,
      '--bootstrap',
      '-',
      '--control-plane',
      '-',
      '--infrastructure',
      '-',
    ]);
    assert.match(said, /Your management cluster has been initialized successfully/);
    const columns = '-o=jsonpath={.items[*].providerName} {.items[*].version}';
    assert.equal(ok(['get', 'providers', '--namespace', 'capi-system', columns]), `cluster-api ${VERSION}`);
    assert.match(ok(['get', 'deployments', '--namespace', 'capi-system', '-o', 'name']), /capi-controller-manager/);
  });

  it('plans upgrades, and removes the provider again', async () => {
    assert.match(await run(['upgrade', 'plan']), /cluster-api\s+capi-system\s+CoreProvider\s+v1\.10\.9/);
    await run(['delete', '--core', 'cluster-api', '--include-crd', '--include-namespace']);
    assert.equal(ok(['get', 'crds', '-o', 'name', '-l', 'cluster.x-k8s.io/provider=cluster-api']), '');
  });
});
