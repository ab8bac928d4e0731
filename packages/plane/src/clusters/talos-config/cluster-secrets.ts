import { findObject, type ReconcileContext } from '@bloomery/kube';
import {
  apiVersionOf,
  type Cluster,
  cluster as clusterKind,
  type KindRef,
  type KubeObject,
  LABELS,
  type OwnerReference,
  type Secret,
  secret,
} from '@bloomery/model';
import { BloomeryError, isBloomeryError, type RandomBytes } from '@bloomery/ports';
import {
  createSecretsBundle,
  loadSecretsBundle,
  type SecretsBundle,
  type VersionContract,
  writeSecretsBundle,
} from '@bloomery/talos';

/** The reference that makes `owner` the controller of an object. */
export function controllerReference(kind: KindRef, owner: KubeObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

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

/** Write a Secret unless it is there; what is there is never changed. */
export async function ensureSecret({ client }: Pick<ReconcileContext, 'client'>, draft: SecretDraft): Promise<void> {
  if ((await findObject(client, secret, { name: draft.name, namespace: draft.namespace })) !== undefined) return;
  try {
    await client.create(secret, secretOf(draft));
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
  }
}

/** Text of one key of a Secret; undefined when it has none. */
export function secretText(object: Secret | undefined, key: string): string | undefined {
  const value = object?.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}

/**
 * The secrets of a cluster: Secret `<cluster>-talos`, made once and never again (spec/cluster.md section 3).
 *
 * @param contract what the secrets are for, when they have to be made.
 * @throws BloomeryError BLM_TALOS_SECRETS_INVALID when the Secret is there and cannot be used.
 */
export async function ensureSecretsBundle(
  context: Pick<ReconcileContext, 'client' | 'clock' | 'events'>,
  cluster: Cluster,
  contract: VersionContract,
  random: RandomBytes,
): Promise<SecretsBundle> {
  const { name: clusterName, namespace = 'default' } = cluster.metadata;
  const key = { name: `${clusterName}-talos`, namespace };
  const found = await findObject(context.client, secret, key);
  if (found !== undefined) return bundleIn(found);
  const bundle = await createSecretsBundle({ contract, nowMs: context.clock.nowMs(), random });
  const draft = {
    ...key,
    cluster: clusterName,
    owner: controllerReference(clusterKind, cluster),
    data: { bundle: writeSecretsBundle(bundle) },
  };
  try {
    await context.client.create(secret, secretOf(draft));
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

function bundleIn(found: Secret): SecretsBundle {
  const text = secretText(found, 'bundle');
  if (text !== undefined) return loadSecretsBundle(text);
  throw new BloomeryError('BLM_TALOS_SECRETS_INVALID', `reading Secret ${found.metadata.name}: it has no key bundle`);
}
