import type { ReconcileContext } from '@bloomery/kube';
import type { Cluster } from '@bloomery/model';
import type { RandomBytes } from '@bloomery/ports';
import type { SecretsBundle, VersionContract } from '@bloomery/talos';
import { newClusterSecrets } from './cluster-secrets.ts';

/** Makes new secrets for a cluster that nobody has yet. */
export type MakeSecrets = (
  context: Pick<ReconcileContext, 'clock'>,
  cluster: Cluster,
  contract: VersionContract,
) => Promise<SecretsBundle>;

/**
 * Secrets that are made once for all machines of a cluster that ask at the same time: an RSA key costs a processor a second,
 * and only one of them is ever kept.
 */
export function createSharedSecrets(random: RandomBytes): MakeSecrets {
  const underWay = new Map<string, Promise<SecretsBundle>>();
  return (context, { metadata }, contract) => {
    const key = `${metadata.uid}/${metadata.namespace}/${metadata.name}/${contract.major}.${contract.minor}`;
    const known = underWay.get(key);
    if (known !== undefined) return known;
    const made = newClusterSecrets(context, contract, random).finally(() => underWay.delete(key));
    underWay.set(key, made);
    return made;
  };
}
