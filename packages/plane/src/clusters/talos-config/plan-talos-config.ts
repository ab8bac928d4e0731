import { ANNOTATIONS, type Cluster, type Machine, type TalosConfig, type WaitReason } from '@bloomery/model';

/** Why a TalosConfig has no data yet; also the reason of its v1alpha3 condition. */
export type TalosConfigWait = Extract<
  WaitReason,
  'WaitingForMachine' | 'WaitingForCluster' | 'WaitingForClusterInfrastructure'
>;

/** What to do for a TalosConfig. */
export type TalosConfigPlan =
  | { readonly do: 'nothing' }
  | { readonly do: 'wait'; readonly reason: TalosConfigWait; readonly message: string }
  /** The Machine has its data already (after a move or a restore): never generate again. */
  | { readonly do: 'adopt'; readonly dataSecretName: string }
  | { readonly do: 'generate'; readonly machine: Machine; readonly cluster: Cluster }
  | { readonly do: 'refreshClient'; readonly machine: Machine; readonly cluster: Cluster }
  | { readonly do: 'confirm' };

/** What the plan is made from. */
export interface TalosConfigInput {
  readonly config: TalosConfig;
  /** The owner. */
  readonly machine: Machine | undefined;
  readonly cluster: Cluster | undefined;
}

/** Decide the next step of a TalosConfig (spec/cluster.md section 3). Pure. */
export function planTalosConfig({ config, machine, cluster }: TalosConfigInput): TalosConfigPlan {
  const { metadata, spec, status } = config;
  if (metadata.deletionTimestamp !== undefined || spec === undefined) return { do: 'nothing' };
  if (machine === undefined) return wait('WaitingForMachine', 'no Machine owns this TalosConfig yet');
  if (cluster === undefined) {
    return wait(
      'WaitingForCluster',
      `Cluster ${machine.spec?.clusterName ?? ''} of Machine ${machine.metadata.name} does not exist`,
    );
  }
  if (cluster.spec?.paused === true || isPaused(metadata.annotations ?? {})) return { do: 'nothing' };
  if (status?.initialization?.dataSecretCreated === true) {
    return isControlPlaneType(spec.generateType) ? { do: 'refreshClient', machine, cluster } : { do: 'confirm' };
  }
  const dataSecretName = machine.spec?.bootstrap.dataSecretName ?? '';
  if (dataSecretName !== '' && cluster.status?.infrastructureReady === true) return { do: 'adopt', dataSecretName };
  const name = cluster.metadata.name;
  if (cluster.status?.infrastructureReady !== true) {
    return wait('WaitingForClusterInfrastructure', `the infrastructure of Cluster ${name} is not ready`);
  }
  const host = cluster.spec?.controlPlaneEndpoint?.host ?? '';
  if (host === '' && spec.generateType !== 'none') {
    return wait('WaitingForClusterInfrastructure', `Cluster ${name} has no control plane endpoint yet`);
  }
  return { do: 'generate', machine, cluster };
}

/** Whether machines of this type run the control plane. */
export const isControlPlaneType = (generateType: string): boolean =>
  generateType === 'controlplane' || generateType === 'init';

const wait = (reason: TalosConfigWait, message: string): TalosConfigPlan => ({ do: 'wait', reason, message });

const isPaused = (annotations: Readonly<Record<string, string>>): boolean =>
  annotations[ANNOTATIONS.capiPaused] !== undefined || annotations[ANNOTATIONS.pause] !== undefined;
