import type { ReconcileContext } from '@bloomery/kube';
import { findObject } from '@bloomery/kube';
import { type Cluster, machine as machineKind, type TalosConfig, talosConfig } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import type { SecretsBundle } from '@bloomery/talos';
import { controllerReference } from '../contract/owner-reference.ts';
import { type BootstrapData, makeBootstrapData } from './bootstrap-data.ts';
import { ensureOwnSecret, ensureSecret, readClusterSecrets, storeClusterSecrets } from './cluster-secrets.ts';
import type { ConfigOwner } from './config-owner.ts';
import { lowestContract } from './lowest-contract.ts';
import type { MakeSecrets } from './shared-secrets.ts';

/** For whom data is made, and where it goes. */
export interface GenerateTask {
  readonly config: TalosConfig;
  readonly owner: ConfigOwner;
  readonly cluster: Cluster;
  readonly dataSecretName: string;
}

/**
 * Make the machine config and keep it in its Secret, with the secrets of the cluster. The whole config is made before
 * anything is written, so that what is refused leaves nothing behind; each write may be the last one before a crash.
 *
 * @throws BloomeryError BLM_TALOS_*
 */
export async function generateData(
  context: ReconcileContext,
  { config, owner, cluster, dataSecretName }: GenerateTask,
  makeSecrets: MakeSecrets,
): Promise<BootstrapData> {
  const { namespace = 'default' } = config.metadata;
  const isGiven = config.spec?.generateType === 'none';
  const make = (bundle: SecretsBundle | undefined): BootstrapData =>
    makeBootstrapData({ config, owner, cluster, bundle });
  const known = isGiven ? undefined : await readClusterSecrets(context, cluster);
  let bundle = known;
  let made: BootstrapData;
  if (isGiven || known !== undefined) made = make(known);
  else {
    await refuseLostSecrets(context, config, cluster);
    const contract = await lowestContract(context.client, config, cluster);
    const candidate = await makeSecrets(context, cluster, contract);
    made = make(candidate);
    bundle = await storeClusterSecrets(context, cluster, candidate);
    if (bundle !== candidate) made = make(bundle);
  }
  const clusterName = cluster.metadata.name;
  const common = { namespace, cluster: clusterName };
  const authority = bundle?.kubernetes ?? made.kubernetesAuthority;
  if (authority !== undefined) {
    const data = { 'tls.crt': authority.crt, 'tls.key': authority.key };
    const clusterOwner = controllerReference(cluster);
    await ensureSecret(context, { ...common, name: `${clusterName}-ca`, owner: clusterOwner, data });
  }
  const own = controllerReference(config);
  await ensureOwnSecret(context, { ...common, name: dataSecretName, owner: own, data: { value: made.value } });
  return made;
}

/**
 * New secrets for a cluster whose machines already run with others would split it: the CA would be another one.
 *
 * @throws BloomeryError BLM_TALOS_SECRETS_INVALID when a machine of the cluster has its data.
 */
async function refuseLostSecrets(
  { client }: Pick<ReconcileContext, 'client'>,
  config: TalosConfig,
  cluster: Cluster,
): Promise<void> {
  const { name, namespace = 'default' } = cluster.metadata;
  const { items: machines } = await client.list(machineKind, { namespace });
  for (const { metadata, spec } of machines) {
    const configName = spec?.bootstrap.configRef?.name ?? '';
    if (spec?.clusterName !== name || (spec.bootstrap.dataSecretName ?? '') === '' || configName === '') continue;
    if (spec.bootstrap.configRef?.kind !== talosConfig.kind || configName === config.metadata.name) continue;
    const other = await findObject(client, talosConfig, { name: configName, namespace });
    if (other === undefined || other.spec?.generateType === 'none') continue;
    throw new BloomeryError(
      'BLM_TALOS_SECRETS_INVALID',
      `Secret ${name}-talos is gone, and Machine ${metadata.name} runs with the secrets that it held: none are made in their place. ` +
        'Restore the Secret from a backup, or from the machine config of a control plane (talosctl gen secrets --from-controlplane-config)',
    );
  }
}
