import { createHash } from 'node:crypto';
import { type ClusterAccess, findObject, type ObjectClient, parseKubeconfig } from '@bloomery/kube';
import { type ObjectKey, secret } from '@bloomery/model';

/** Type of the Secrets that Cluster API's providers hand to each other. */
export const CLUSTER_SECRET_TYPE = 'cluster.x-k8s.io/secret';

const SUFFIX = '-kubeconfig';

/** The key of the Secret that holds the kubeconfig of a cluster, and the key within it. */
export function kubeconfigSecretKey(cluster: ObjectKey): ObjectKey {
  return { ...cluster, name: `${cluster.name}${SUFFIX}` };
}

/** The cluster whose kubeconfig a Secret of this key holds; undefined for other Secrets. */
export function clusterOfKubeconfigSecret({ name, namespace }: ObjectKey): ObjectKey | undefined {
  if (!name.endsWith(SUFFIX) || name.length === SUFFIX.length) return undefined;
  const cluster = { name: name.slice(0, -SUFFIX.length) };
  return namespace === undefined ? cluster : { ...cluster, namespace };
}

/** The kubeconfig of a cluster at one moment. */
export interface SecretAccess {
  /** Changes with the content. The content itself is not kept. */
  readonly fingerprint: string;
  /** @throws BLM_KUBECONFIG_INVALID */
  read(): ClusterAccess;
}

/** Read the kubeconfig Secret of a cluster; undefined when there is none. */
export async function readSecretAccess(
  client: Pick<ObjectClient, 'get'>,
  cluster: ObjectKey,
): Promise<SecretAccess | undefined> {
  const key = kubeconfigSecretKey(cluster);
  const found = await findObject(client, secret, key);
  if (found === undefined) return undefined;
  const text = Buffer.from(found.data?.['value'] ?? '', 'base64').toString('utf8');
  return {
    fingerprint: createHash('sha256').update(text).digest('base64'),
    read: () => parseKubeconfig(text, `in Secret ${key.name}`),
  };
}
