import { findObject, type ObjectClient } from '@bloomery/kube';
import {
  type Cluster,
  machineDeployment,
  machine as machineKind,
  type TalosConfig,
  talosConfig,
  talosConfigTemplate,
  talosControlPlane,
} from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import { isAtLeast, NEWEST_CONTRACT, parseVersionContract, type VersionContract } from '@bloomery/talos';

/** The contract of a talosVersion; the newest for an empty one. @throws BloomeryError BLM_TALOS_VERSION_INVALID */
export function contractOf(talosVersion: string | undefined): VersionContract {
  return talosVersion === undefined || talosVersion === '' ? NEWEST_CONTRACT : parseVersionContract(talosVersion);
}

/**
 * The oldest Talos of a cluster: it decides what the cluster's secrets hold, not the TalosConfig that happens to come first.
 * Asked once per cluster, so it reads what there is: TalosConfigs of Machines, the control plane, templates of workers.
 */
export async function lowestContract(
  client: ObjectClient,
  config: TalosConfig,
  cluster: Cluster,
): Promise<VersionContract> {
  const { name, namespace = 'default' } = cluster.metadata;
  const versions = [
    ...(await machineVersions(client, name, namespace)),
    ...(await controlPlaneVersions(client, cluster, namespace)),
    ...(await workerVersions(client, name, namespace)),
  ];
  return versions.reduce((low, text) => {
    const contract = readable(text);
    return contract === undefined || isAtLeast(contract, low.minor) ? low : contract;
  }, contractOf(config.spec?.talosVersion));
}

/** undefined for what its own object is told about. */
function readable(talosVersion: string | undefined): VersionContract | undefined {
  try {
    return contractOf(talosVersion);
  } catch {
    return undefined;
  }
}

type Versions = readonly (string | undefined)[];

async function machineVersions(client: ObjectClient, clusterName: string, namespace: string): Promise<Versions> {
  const { items: machines } = await client.list(machineKind, { namespace });
  const names = machines
    .filter(({ spec }) => spec?.clusterName === clusterName)
    .map(({ spec }) => spec?.bootstrap.configRef?.name);
  const { items } = await client.list(talosConfig, { namespace });
  return items
    .filter(({ metadata, spec }) => names.includes(metadata.name) && spec?.generateType !== 'none')
    .map(({ spec }) => spec?.talosVersion);
}

async function controlPlaneVersions(client: ObjectClient, cluster: Cluster, namespace: string): Promise<Versions> {
  const { kind, name = '' } = cluster.spec?.controlPlaneRef ?? {};
  if (kind !== talosControlPlane.kind || name === '') return [];
  const found = await served(() => findObject(client, talosControlPlane, { name, namespace }));
  const { controlplane, init } = found?.spec?.controlPlaneConfig ?? {};
  return [controlplane, init].flatMap((spec) =>
    spec === undefined || spec.generateType === 'none' ? [] : [spec.talosVersion],
  );
}

async function workerVersions(client: ObjectClient, clusterName: string, namespace: string): Promise<Versions> {
  const deployments = await served(async () => (await client.list(machineDeployment, { namespace })).items);
  const names = (deployments ?? [])
    .filter(({ spec }) => spec?.clusterName === clusterName)
    .flatMap(({ spec }) => {
      const ref = spec?.template?.spec?.bootstrap?.configRef;
      return ref?.kind === talosConfigTemplate.kind && ref.name !== undefined ? [ref.name] : [];
    });
  const templates = await Promise.all(
    [...new Set(names)].map((name) => findObject(client, talosConfigTemplate, { name, namespace })),
  );
  return templates.flatMap((template) => {
    const spec = template?.spec?.template.spec;
    return spec === undefined || spec.generateType === 'none' ? [] : [spec.talosVersion];
  });
}

/** undefined where the kind is not installed, or not ours to read: beside another Cluster API core. */
async function served<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_NOT_FOUND') || isBloomeryError(error, 'BLM_API_FORBIDDEN')) return undefined;
    throw error;
  }
}
