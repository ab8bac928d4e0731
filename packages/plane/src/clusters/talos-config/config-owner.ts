import { findObject, type ReconcileContext } from '@bloomery/kube';
import {
  isJsonObject,
  type Json,
  type Machine,
  machine as machineKind,
  machinePool,
  type OwnerReference,
  type TalosConfig,
} from '@bloomery/model';

/** The Machine, or pool of machines, that a TalosConfig makes the machine config of. */
export interface ConfigOwner {
  readonly kind: 'Machine' | 'MachinePool';
  readonly name: string;
  readonly clusterName: string;
  /** Kubernetes, with or without `v`; '' when none is given. */
  readonly version: string;
  /** '' while nobody may have used any data. */
  readonly dataSecretName: string;
  readonly infrastructure: { readonly kind: string; readonly name: string };
  /** Its node has joined: it booted with its data. */
  readonly hasNode: boolean;
}

/** The reference to the owner; undefined when nobody owns the TalosConfig yet. */
export function ownerReferenceOf({ metadata }: TalosConfig): OwnerReference | undefined {
  return metadata.ownerReferences?.find(
    ({ apiVersion, kind }) =>
      (kind === 'Machine' || kind === 'MachinePool') && apiVersion.startsWith('cluster.x-k8s.io/'),
  );
}

/** Read the owner. undefined when it does not exist. */
export async function readOwner(
  { client }: Pick<ReconcileContext, 'client'>,
  config: TalosConfig,
  reference: OwnerReference | undefined,
): Promise<ConfigOwner | undefined> {
  if (reference === undefined) return undefined;
  const key = { name: reference.name, namespace: config.metadata.namespace ?? 'default' };
  if (reference.kind === 'MachinePool') return poolOwner(await findObject(client, machinePool, key));
  const found = await findObject(client, machineKind, key);
  if (found === undefined) return undefined;
  return machineOwner(found);
}

/** What a Machine says of the config that it owns. */
export function machineOwner({ metadata, spec, status }: Machine): ConfigOwner {
  return {
    kind: 'Machine',
    name: metadata.name,
    clusterName: spec?.clusterName ?? '',
    version: spec?.version ?? '',
    dataSecretName: spec?.bootstrap.dataSecretName ?? '',
    infrastructure: { kind: spec?.infrastructureRef.kind ?? '', name: spec?.infrastructureRef.name ?? '' },
    hasNode: status?.nodeRef !== undefined,
  };
}

function poolOwner(pool: { readonly metadata: { readonly name: string } } | undefined): ConfigOwner | undefined {
  if (pool === undefined) return undefined;
  const root: Json = JSON.parse(JSON.stringify(pool)) as Json;
  const text = (...path: readonly string[]): string => {
    const found = path.reduce<Json | undefined>((at, key) => (isJsonObject(at) ? at[key] : undefined), root);
    return typeof found === 'string' ? found : '';
  };
  const machine = ['spec', 'template', 'spec'];
  return {
    kind: 'MachinePool',
    name: pool.metadata.name,
    clusterName: text('spec', 'clusterName'),
    version: text(...machine, 'version'),
    dataSecretName: text(...machine, 'bootstrap', 'dataSecretName'),
    infrastructure: {
      kind: text(...machine, 'infrastructureRef', 'kind'),
      name: text(...machine, 'infrastructureRef', 'name'),
    },
    hasNode: false,
  };
}
