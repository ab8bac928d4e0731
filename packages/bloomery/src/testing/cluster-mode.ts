import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingPeers, startKubeApiserver } from '@bloomery/kubeapi/testing';
import { allKinds, cluster, crdOf, isJsonObject, type JsonObject, versionsByKind } from '@bloomery/model';
import { createTestAuthority } from '@bloomery/talos/testing';
import { coreIsMissing, prepareCore } from './cluster-api-core.ts';
import { KUBECTLS, type KubectlResult, kubectl } from './kubectl.ts';
import { eventually, type PeerProcess, startPeer } from './peer-process.ts';

const client = KUBECTLS[0] ?? { path: 'kubectl', missing: 'no kubectl' };

/** Why cluster mode cannot be run here, or false. */
export const clusterModeIsMissing = missingPeers() ?? (coreIsMissing || client.missing);

/** A real kube-apiserver with upstream's Cluster API core and our providers, each a process. */
export interface ClusterMode extends AsyncDisposable {
  readonly kubeconfig: string;
  kubectl(args: readonly string[], input?: string): KubectlResult;
  /** The end of what core and providers logged, for messages of failed tests. */
  log(): string;
}

const PROVIDERS = allKinds.filter(({ group }) => group !== cluster.group);
const WEBHOOK_NAMES = ['webhooks.bloomery.dev'];

/** Start it all. Takes 10 to 20 s. */
export async function startClusterMode(): Promise<ClusterMode> {
  await using cleanup = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'cluster-mode-'));
  cleanup.defer(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  const api = await startKubeApiserver();
  cleanup.use(api);
  const { kubeconfig } = api;
  const run = (args: readonly string[], input?: string): KubectlResult =>
    kubectl(client.path, kubeconfig, args, input === undefined ? {} : { input });
  const apply = (object: JsonObject): void => {
    const { code, stderr } = run(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(object));
    assert.equal(code, 0, stderr);
  };
  const core = await prepareCore('byUrl');
  // The first pass makes the definitions, the second what is of their kinds.
  run(['apply', '--server-side', '-f', '-'], JSON.stringify(core.manifests));
  const authority = await createTestAuthority();
  const { certificatePem, keyPem } = await authority.issue('webhooks', ['127.0.0.1', ...WEBHOOK_NAMES]);
  writeFileSync(join(dir, 'webhook.crt'), certificatePem);
  writeFileSync(join(dir, 'webhook.key'), keyPem, { mode: 0o600 });
  const main = join(import.meta.dirname, 'cluster-mode-main.ts');
  const providers = startPeer({ path: process.execPath, missing: false }, [main, kubeconfig, dir]);
  cleanup.defer(() => providers.stop());
  const where = await eventually(
    'our webhooks listen',
    () => /"webhooks":"([^"]+)"/.exec(providers.stdout())?.[1],
    providers.stderr,
  );
  const hooks = { caBundle: Buffer.from(authority.certificatePem).toString('base64'), where };
  apply({
    apiVersion: 'v1',
    kind: 'List',
    items: [...versionsByKind(PROVIDERS).map(crdOf), ...configurations(hooks)].map((object) =>
      withWebhook(object, hooks),
    ),
  });
  const manager: PeerProcess = core.start(kubeconfig);
  cleanup.defer(() => manager.stop());
  apply(core.manifests);
  const owned = cleanup.move();
  return {
    kubeconfig,
    kubectl: run,
    log: () => [providers, manager].map((peer) => peer.stderr().split('\n').slice(-20).join('\n')).join('\n---\n'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Hooks {
  readonly caBundle: string;
  /** host:port */
  readonly where: string;
}

/** Definitions convert through our process instead of a Service of the cluster. */
function withWebhook(object: JsonObject, { caBundle, where }: Hooks): JsonObject {
  const { spec } = object;
  if (!isJsonObject(spec) || !isJsonObject(spec['conversion']) || spec['conversion']['strategy'] !== 'Webhook')
    return object;
  const webhook = { clientConfig: { url: `https://${where}/convert`, caBundle }, conversionReviewVersions: ['v1'] };
  return { ...object, spec: { ...spec, conversion: { strategy: 'Webhook', webhook } } };
}

function configurations({ caBundle, where }: Hooks): readonly JsonObject[] {
  const groups = [...new Set(PROVIDERS.map(({ group }) => group))];
  const of = (kind: string, path: string): JsonObject => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name: 'bloomery' },
    webhooks: [
      {
        name: WEBHOOK_NAMES[0],
        clientConfig: { url: `https://${where}/${path}`, caBundle },
        rules: [
          { apiGroups: groups, apiVersions: ['*'], resources: ['*'], operations: ['CREATE', 'UPDATE'], scope: '*' },
        ],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        matchPolicy: 'Exact',
      },
    ],
  });
  return [of('MutatingWebhookConfiguration', 'default'), of('ValidatingWebhookConfiguration', 'validate')];
}
