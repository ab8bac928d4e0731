import { ANNOTATIONS, type Cluster, FINALIZERS, type OwnerReference, type TalosConfig } from '@bloomery/model';
import { isPaused } from '../../allocation/paused.ts';
import type { Wait } from '../../allocation/wait.ts';
import type { ConfigOwner } from './config-owner.ts';

/** What to do for a TalosConfig. */
export type TalosConfigPlan =
  | { readonly do: 'nothing' }
  /** It is being deleted and still has the finalizer of old releases. */
  | { readonly do: 'dropFinalizer' }
  /** The object itself may be wrong already; that is said before what is waited for. */
  | { readonly do: 'wait'; readonly wait: Wait }
  /** The Machine has its data already (after a move or a restore): never generate again. */
  | { readonly do: 'adopt'; readonly dataSecretName: string; readonly owner: ConfigOwner; readonly cluster: Cluster }
  | {
      readonly do: 'generate';
      readonly owner: ConfigOwner;
      readonly cluster: Cluster;
      readonly dataSecretName: string;
      /** A user asked for it, although a machine may run with what was lost. */
      readonly again: boolean;
    }
  /** It has its data; the talosconfig of its cluster is kept current by control planes. */
  | { readonly do: 'keep'; readonly owner: ConfigOwner; readonly cluster: Cluster; readonly refreshClient: boolean };

/** What the plan is made from. */
export interface TalosConfigInput {
  readonly config: TalosConfig;
  readonly reference: OwnerReference | undefined;
  readonly owner: ConfigOwner | undefined;
  readonly cluster: Cluster | undefined;
  /** Whether the Secret of `dataSecretOf` exists. */
  readonly hasDataSecret: boolean;
}

/** Name of the Secret that holds the machine config, as far as it is known who it is for. */
export function dataSecretOf({ status }: TalosConfig, owner: ConfigOwner | undefined): string {
  const own = status?.dataSecretName ?? '';
  const given = owner?.dataSecretName ?? '';
  if (own !== '' || given !== '') return own === '' ? given : own;
  return owner === undefined ? '' : `${owner.name}-bootstrap-data`;
}

/** Decide the next step of a TalosConfig (spec/cluster.md section 3). Pure. */
export function planTalosConfig(input: TalosConfigInput): TalosConfigPlan {
  const { config, reference, owner, cluster } = input;
  const { metadata } = config;
  if (metadata.deletionTimestamp !== undefined) {
    return { do: metadata.finalizers?.includes(FINALIZERS.talosConfigOld) === true ? 'dropFinalizer' : 'nothing' };
  }
  if (isPaused(config, cluster)) {
    return wait('Paused', 'nothing is done for the TalosConfig; unpause it or its Cluster to go on');
  }
  if (reference === undefined) return wait('WaitingForMachine', 'no Machine owns this TalosConfig yet');
  if (owner === undefined) {
    const who = `${reference.kind} ${reference.name}`;
    return wait(
      'WaitingForMachine',
      `${who}, which owns this TalosConfig, does not exist; restore it, or delete the TalosConfig`,
    );
  }
  if (cluster === undefined) {
    return wait(
      'WaitingForCluster',
      `Cluster ${owner.clusterName} of ${owner.kind} ${owner.name} does not exist; create it, or delete the ${owner.kind}`,
    );
  }
  return planData(input, owner, cluster);
}

function planData(input: TalosConfigInput, owner: ConfigOwner, cluster: Cluster): TalosConfigPlan {
  const { config, hasDataSecret } = input;
  const dataSecretName = dataSecretOf(config, owner);
  const isReady = config.status?.initialization?.dataSecretCreated === true;
  if (isReady && hasDataSecret) {
    return { do: 'keep', owner, cluster, refreshClient: isControlPlaneType(config.spec?.generateType) };
  }
  const name = cluster.metadata.name;
  const gone = owner.dataSecretName !== '' && !hasDataSecret;
  const again = config.metadata.annotations?.[ANNOTATIONS.regenerateData] !== undefined;
  if (isReady && gone && !again) return wait('BootstrapDataLost', lostText(dataSecretName, owner));
  if (cluster.status?.infrastructureReady !== true) {
    return wait('WaitingForClusterInfrastructure', `the infrastructure of Cluster ${name} is not ready`);
  }
  // Whether its Secret is there is looked at next: the status comes back first.
  if (!isReady && owner.dataSecretName !== '') {
    return { do: 'adopt', dataSecretName: owner.dataSecretName, owner, cluster };
  }
  const host = cluster.spec?.controlPlaneEndpoint?.host ?? '';
  if (host === '' && config.spec?.generateType !== 'none') {
    return wait('WaitingForClusterInfrastructure', `Cluster ${name} has no control plane endpoint yet`);
  }
  return { do: 'generate', owner, cluster, dataSecretName, again: gone };
}

function lostText(dataSecretName: string, { kind, name }: ConfigOwner): string {
  return (
    `Secret ${dataSecretName} with the machine config of ${kind} ${name} is gone, and a machine may run with it: it is not made again by itself. ` +
    `Restore the Secret, or delete the ${kind}, or set annotation ${ANNOTATIONS.regenerateData} on this TalosConfig to have it made again`
  );
}

/** Whether machines of this type run the control plane. */
export const isControlPlaneType = (generateType: string | undefined): boolean =>
  generateType === 'controlplane' || generateType === 'init';

const wait = (reason: Wait['reason'], message: string): TalosConfigPlan => ({ do: 'wait', wait: { reason, message } });
