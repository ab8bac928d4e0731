import { timingSafeEqual } from 'node:crypto';
import type { ObjectClient } from '@bloomery/kube';
import {
  type ApiEngine,
  authenticated,
  computedResource,
  createApiHandler,
  createAuthenticator,
  createServiceAccountTokens,
  listenApi,
  managedWrites,
  openStore,
  readSigningKey,
  startApiEngine,
  type User,
} from '@bloomery/kubeapi';
import {
  BloomeryError,
  type Clock,
  hostPort,
  type Listen,
  type Logger,
  type RandomBytes,
  type Service,
} from '@bloomery/ports';
import { issueCertificate, loadCertificateAuthority, type PemPair } from '@bloomery/talos';
import { allowBootstrapTokens } from './allow-bootstrap-tokens.ts';
import { noVolumeAttachments } from './volume-attachments.ts';

/** What the API of a workload cluster is made from: parts of a control plane's machine configuration. PEM texts. */
export interface WorkloadApiOptions {
  /** Where its objects are kept. */
  readonly dir: string;
  readonly listen: Listen;
  /** Names and addresses of its serving certificate. */
  readonly names: readonly string[];
  /** `cluster.ca`: certifies the server, and whose client certificates are believed. */
  readonly ca: PemPair;
  /** `cluster.serviceAccount.key` */
  readonly serviceAccountKey: string;
  /** `cluster.token`: machines come with it. */
  readonly bootstrapToken: string;
}

export interface WorkloadApiDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/** A running API of a workload cluster, in process and over HTTPS. */
export interface WorkloadApi extends Service {
  readonly client: ObjectClient;
}

const CERTIFICATE_LIFE_MS = 365 * 86_400_000;
const VERSION = 'stand-in';

/**
 * The Kubernetes API of a lab's workload cluster: Bloomery's embedded API with the certificates of that cluster. It answers
 * to `kubectl` and to controllers, keeps objects in a store of its own (not in etcd), and runs nothing: no scheduler, no pods.
 */
export async function startWorkloadApi(options: WorkloadApiOptions, deps: WorkloadApiDeps): Promise<WorkloadApi> {
  const { clock, log, random } = deps;
  await using cleanup = new AsyncDisposableStack();
  const store = openStore({ dir: options.dir, clock, log, random });
  cleanup.defer(() => store.close());
  const engine = await startApiEngine({ store, kinds: [], clock, log, random, fields: managedWrites });
  cleanup.defer(() => engine.stop());
  engine.registry.set(computedResource(noVolumeAttachments));
  await allowBootstrapTokens(engine.client);
  const service = await listenApi(options.listen, {
    ...surfaceOf(options, deps, engine),
    credentials: { current: await servingCertificate(options, clock), onReplaced: () => () => {} },
    clock,
    log,
  });
  cleanup.use(service);
  const owned = cleanup.move();
  return {
    address: service.address,
    client: engine.client,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function surfaceOf(options: WorkloadApiOptions, { clock, log, random }: WorkloadApiDeps, engine: ApiEngine) {
  const key = readSigningKey(options.serviceAccountKey);
  if (key === undefined) {
    const message = 'reading cluster.serviceAccount.key: it is no P-256 or RSA private key in PEM';
    throw new BloomeryError('BLM_API_SIGNING_KEY', message);
  }
  const accountTokens = createServiceAccountTokens({ store: engine.store, key, clock, random });
  const staticTokens = bootstrapUser(options.bootstrapToken);
  const authenticator = createAuthenticator({ clock, staticTokens, accountTokens });
  const serverAddress = hostPort(options.listen);
  const handle = createApiHandler({
    engine,
    log,
    serverAddress,
    productVersion: VERSION,
    authenticator,
    accountTokens,
  });
  return { handle, authenticator };
}

async function servingCertificate({ ca, names }: WorkloadApiOptions, clock: Clock) {
  const { certificatePem, keyPem } = await issueCertificate(loadCertificateAuthority(ca.crt, ca.key), {
    subject: { commonName: 'kube-apiserver' },
    names,
    algorithm: 'ecdsa-p256',
    notBefore: new Date(clock.nowMs() - 3_600_000),
    notAfter: new Date(clock.nowMs() + CERTIFICATE_LIFE_MS),
    extendedKeyUsages: ['serverAuth'],
  });
  return { certificatePem, keyPem, clientCaPems: [ca.crt] };
}

/** Kubernetes' bootstrap tokens: `id.secret`. The user is named by the id. */
function bootstrapUser(token: string): (presented: string) => User | undefined {
  const expected = Buffer.from(token);
  const user = authenticated(`system:bootstrap:${token.split('.')[0] ?? ''}`, ['system:bootstrappers']);
  return (presented) => {
    const given = Buffer.from(presented);
    return expected.length > 0 && given.length === expected.length && timingSafeEqual(given, expected)
      ? user
      : undefined;
  };
}
