import { findObject, patchObject, type ReconcileContext } from '@bloomery/kube';
import { type Cluster, LABELS, type OwnerReference, type Secret, secret } from '@bloomery/model';
import { BloomeryError, isBloomeryError, type RandomBytes } from '@bloomery/ports';
import {
  createSecretsBundle,
  loadLegacySecrets,
  loadSecretsBundle,
  type SecretsBundle,
  type VersionContract,
  writeSecretsBundle,
} from '@bloomery/talos';
import { controllerReference } from '../contract/owner-reference.ts';

/** A Secret to be written. */
export interface SecretDraft {
  readonly name: string;
  readonly namespace: string;
  readonly cluster: string;
  readonly owner: OwnerReference;
  readonly data: Readonly<Record<string, string>>;
}

/** The Secret as an object. Values are plain text. */
export function secretOf({ name, namespace, cluster, owner, data }: SecretDraft): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: { [LABELS.clusterName]: cluster }, ownerReferences: [owner] },
    type: 'Opaque',
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  };
}

type SecretContext = Pick<ReconcileContext, 'client'>;

/** The owner of this name and kind that is another object than ours: left by a restore, or by an object that was replaced. */
const staleOwner = (found: Secret, owner: OwnerReference): OwnerReference | undefined =>
  found.metadata.ownerReferences?.find((o) => o.kind === owner.kind && o.name === owner.name && o.uid !== owner.uid);

/**
 * Write a Secret unless it is there; the data that is there is never changed. An owner that does not exist any more is
 * replaced, or the garbage collector would take the Secret for an orphan.
 */
export async function ensureSecret(context: SecretContext, draft: SecretDraft): Promise<void> {
  const found = await findObject(context.client, secret, { name: draft.name, namespace: draft.namespace });
  if (found !== undefined) return await mendOwner(context, found, draft.owner);
  try {
    await context.client.create(secret, secretOf(draft));
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
  }
}

/** As `ensureSecret`, but what a TalosConfig of the same name left behind is written anew: no machine of ours has read it. */
export async function ensureOwnSecret(context: SecretContext, draft: SecretDraft): Promise<void> {
  const key = { name: draft.name, namespace: draft.namespace };
  const found = await findObject(context.client, secret, key);
  const isLeftBehind = found !== undefined && staleOwner(found, draft.owner) !== undefined;
  if (!isLeftBehind) return await ensureSecret(context, draft);
  const { data = {}, metadata } = secretOf(draft);
  await context.client.patch(secret, key, {
    type: 'merge',
    body: {
      data,
      metadata: { ownerReferences: (metadata.ownerReferences ?? []).map((o) => ({ ...o })) },
    },
  });
}

/** Make `owner` the owner of a Secret whose owner of that name is gone. Nothing is written otherwise. */
export async function mendOwner({ client }: SecretContext, found: Secret, owner: OwnerReference): Promise<void> {
  const stale = staleOwner(found, owner);
  if (stale === undefined || owner.uid === '' || found.metadata.deletionTimestamp !== undefined) return;
  const { name, namespace = 'default' } = found.metadata;
  await patchObject(client, secret, { name, namespace }, ({ metadata }) => ({
    metadata: {
      ownerReferences: (metadata.ownerReferences ?? []).map((o) =>
        o.kind === owner.kind && o.name === owner.name ? { ...o, uid: owner.uid } : { ...o },
      ),
    },
  }));
}

/** Text of one key of a Secret; undefined when it has none. */
export function secretText(object: Secret | undefined, key: string): string | undefined {
  const value = object?.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}

const bundleKey = ({ metadata: { name, namespace = 'default' } }: Cluster) => ({ name: `${name}-talos`, namespace });

/**
 * Read the secrets of a cluster out of Secret `<cluster>-talos`, in either format. undefined when there is none.
 *
 * @throws BloomeryError BLM_TALOS_SECRETS_INVALID when the Secret is there and cannot be used.
 */
export async function readClusterSecrets(context: SecretContext, cluster: Cluster): Promise<SecretsBundle | undefined> {
  const found = await findObject(context.client, secret, bundleKey(cluster));
  if (found === undefined) return undefined;
  const bundle = bundleIn(found);
  await mendOwner(context, found, controllerReference(cluster));
  return bundle;
}

/**
 * Keep new secrets in Secret `<cluster>-talos`: made once and never again (spec/cluster.md section 3).
 *
 * @returns what is in the Secret then: another one may have been faster.
 * @throws BloomeryError BLM_TALOS_SECRETS_INVALID as `readClusterSecrets`.
 */
export async function storeClusterSecrets(
  context: Pick<ReconcileContext, 'client' | 'events'>,
  cluster: Cluster,
  bundle: SecretsBundle,
): Promise<SecretsBundle> {
  const key = bundleKey(cluster);
  const owner = controllerReference(cluster);
  const data = { bundle: writeSecretsBundle(bundle) };
  try {
    await context.client.create(secret, secretOf({ ...key, cluster: cluster.metadata.name, owner, data }));
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
    return bundleIn(await context.client.get(secret, key));
  }
  context.events.record(cluster, {
    type: 'Normal',
    reason: 'SecretsCreated',
    message: `The secrets of the cluster were made in Secret ${key.name}.`,
  });
  return bundle;
}

/** New secrets that nobody has yet. */
export const newClusterSecrets = (
  { clock }: Pick<ReconcileContext, 'clock'>,
  contract: VersionContract,
  random: RandomBytes,
): Promise<SecretsBundle> => createSecretsBundle({ contract, nowMs: clock.nowMs(), random });

function bundleIn(found: Secret): SecretsBundle {
  const text = secretText(found, 'bundle');
  const certs = secretText(found, 'certs');
  try {
    if (text !== undefined) return loadSecretsBundle(text);
    if (certs !== undefined) {
      const legacy = { kubeSecrets: secretText(found, 'kubeSecrets'), trustdInfo: secretText(found, 'trustdInfo') };
      return loadLegacySecrets({
        certs,
        kubeSecrets: legacy.kubeSecrets ?? 'null',
        trustdInfo: legacy.trustdInfo ?? 'null',
      });
    }
  } catch (error) {
    if (!isBloomeryError(error)) throw error;
    throw unusable(found, error.message, error);
  }
  throw unusable(found, 'it has neither key bundle nor key certs');
}

const unusable = (found: Secret, why: string, cause?: unknown): BloomeryError =>
  new BloomeryError('BLM_TALOS_SECRETS_INVALID', `reading Secret ${found.metadata.name}: ${why}`, { cause });
