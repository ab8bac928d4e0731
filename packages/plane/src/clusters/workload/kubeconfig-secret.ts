import { findObject, type ObjectClient } from '@bloomery/kube';
import { type Cluster, type KubeObject, keyOf, LABELS, type ObjectKey, type Secret, secret } from '@bloomery/model';
import { type Clock, errorText, isBloomeryError, type RandomBytes } from '@bloomery/ports';
import { controllerReference } from '../contract/owner-reference.ts';
import {
  type ClusterAuthority,
  checkAdminKubeconfig,
  createAdminKubeconfig,
  type KubeconfigSource,
} from './admin-kubeconfig.ts';
import { CLUSTER_SECRET_TYPE, kubeconfigSecretKey } from './secret-access.ts';

export interface EnsureKubeconfigDeps {
  readonly client: Pick<ObjectClient, 'get' | 'create' | 'patch'>;
  readonly clock: Clock;
  /** For serial numbers; keys come from node:crypto. */
  readonly random: RandomBytes;
}

/** Whose kubeconfig, for which endpoint. */
export interface KubeconfigRequest {
  readonly cluster: Cluster;
  /** The control plane (TalosControlPlane) that the Secret belongs to. */
  readonly owner: KubeObject;
  /** `spec.controlPlaneEndpoint` of the Cluster. */
  readonly endpoint: KubeconfigSource['endpoint'];
}

/** How it stands with the Secret `<cluster>-kubeconfig`. Messages are sentences for a condition. */
export type KubeconfigOutcome =
  /** It is there and serves until `renewAtMs`: come back then. `written`: why it was written just now, for an Event. */
  | { readonly state: 'ready'; readonly renewAtMs: number; readonly written?: string }
  /** The user brought it: it is never touched. */
  | { readonly state: 'foreign' }
  /** There is no Secret `<cluster>-ca` yet; its coming is a change to watch for. */
  | { readonly state: 'noAuthority'; readonly message: string }
  /** The authority cannot sign. Nothing was written. */
  | { readonly state: 'broken'; readonly message: string };

const MAX_ATTEMPTS = 3;

/**
 * Keep the Secret `<cluster>-kubeconfig` current: made from `<cluster>-ca`, made again when half of its certificate's life is
 * over, when endpoint or authority changed, or when it is damaged. A Secret that the owner's kind does not own is the user's.
 *
 * @see spec/cluster.md section 7, phase 4
 * @throws BLM_API_* when the API refuses
 */
export async function ensureKubeconfig(
  deps: EnsureKubeconfigDeps,
  request: KubeconfigRequest,
): Promise<KubeconfigOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ensureOnce(deps, request);
    } catch (error) {
      const isLostRace = isBloomeryError(error, 'BLM_API_CONFLICT') || isBloomeryError(error, 'BLM_API_ALREADY_EXISTS');
      if (!isLostRace || attempt >= MAX_ATTEMPTS) throw error;
    }
  }
}

async function ensureOnce(deps: EnsureKubeconfigDeps, request: KubeconfigRequest): Promise<KubeconfigOutcome> {
  const { client, clock, random } = deps;
  const cluster = keyOf(request.cluster);
  const key = kubeconfigSecretKey(cluster);
  const [found, authority] = await Promise.all([
    findObject(client, secret, key),
    findObject(client, secret, { ...cluster, name: `${cluster.name}-ca` }),
  ]);
  if (found !== undefined && !isOwnedBy(found, request.owner)) return { state: 'foreign' };
  const read = readAuthority(authority, cluster);
  if ('state' in read) return read;
  const nowMs = clock.nowMs();
  const source = { clusterName: cluster.name, endpoint: request.endpoint, authority: read, nowMs };
  const before = found === undefined ? undefined : checkAdminKubeconfig(textOf(found, 'value') ?? '', source);
  if (before?.serves === true) return { state: 'ready', renewAtMs: before.renewAtMs };
  let text: string;
  try {
    text = await createAdminKubeconfig(source, random);
  } catch (error) {
    if (!isBloomeryError(error)) throw error;
    return broken(cluster, errorText(error));
  }
  const after = checkAdminKubeconfig(text, source);
  if (!after.serves) return broken(cluster, `what it signs cannot be used: ${after.why}`);
  await write(deps, request, found, text);
  const written =
    before === undefined
      ? `the kubeconfig of the cluster was made in Secret ${key.name}`
      : `the kubeconfig in Secret ${key.name} was made again because ${before.why}`;
  return { state: 'ready', renewAtMs: after.renewAtMs, written };
}

async function write(
  { client }: EnsureKubeconfigDeps,
  { cluster, owner }: KubeconfigRequest,
  found: Secret | undefined,
  text: string,
): Promise<void> {
  const key = kubeconfigSecretKey(keyOf(cluster));
  const labels = { [LABELS.clusterName]: cluster.metadata.name };
  const data = { value: Buffer.from(text).toString('base64') };
  if (found === undefined) {
    await client.create(secret, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...key, labels, ownerReferences: [controllerReference(owner)] },
      type: CLUSTER_SECRET_TYPE,
      data,
    });
    return;
  }
  const { resourceVersion } = found.metadata;
  const metadata = { labels, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  await client.patch(secret, key, { type: 'merge', body: { metadata, data } });
}

function readAuthority(
  found: Secret | undefined,
  cluster: ObjectKey,
): ClusterAuthority | Extract<KubeconfigOutcome, { state: 'noAuthority' | 'broken' }> {
  const name = `${cluster.name}-ca`;
  if (found === undefined) {
    const message = `Secret ${name} does not exist yet: it comes with the first bootstrap data of the control plane`;
    return { state: 'noAuthority', message };
  }
  const certificatePem = textOf(found, 'tls.crt');
  const keyPem = textOf(found, 'tls.key');
  if (certificatePem === undefined) return broken(cluster, 'it has no tls.crt');
  if (keyPem === undefined) return broken(cluster, 'it has no tls.key');
  return { certificatePem, keyPem };
}

function broken({ name }: ObjectKey, why: string): Extract<KubeconfigOutcome, { state: 'broken' }> {
  const help = `correct it, or create Secret ${name}-kubeconfig with a kubeconfig of your own`;
  return { state: 'broken', message: `Secret ${name}-ca cannot be used to make a kubeconfig: ${why}; ${help}` };
}

function textOf({ data }: Secret, field: string): string | undefined {
  const value = data?.[field];
  return value === undefined || value === '' ? undefined : Buffer.from(value, 'base64').toString('utf8');
}

/** By kind, as a moved or restored owner has another uid. */
function isOwnedBy({ metadata }: Secret, owner: KubeObject): boolean {
  return metadata.ownerReferences?.some(({ kind }) => kind === owner.kind) === true;
}
