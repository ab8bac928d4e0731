import { patchObject, type ReconcileContext } from '@bloomery/kube';
import {
  type Cluster,
  keyOf,
  LABELS,
  type Machine,
  machine as machineKind,
  type ObjectKey,
  type TalosControlPlane,
  talosControlPlane,
} from '@bloomery/model';

/** The control plane that controls an object, whatever labels that has. */
export function controllingControlPlane({ metadata }: Pick<Machine, 'metadata'>): ObjectKey | undefined {
  const { namespace, ownerReferences = [] } = metadata;
  const owner = ownerReferences.find(({ kind, controller }) => controller === true && kind === talosControlPlane.kind);
  return owner && (namespace === undefined ? { name: owner.name } : { name: owner.name, namespace });
}

/**
 * Give Machines of the control plane the labels back that somebody took away. Without them a living machine would count as
 * gone: another would be made, and its member removed from etcd.
 */
export async function restoreLabels(
  { client, cache }: Pick<ReconcileContext, 'client' | 'cache'>,
  { metadata }: TalosControlPlane,
  cluster: Cluster,
): Promise<void> {
  const wanted = { [LABELS.clusterName]: cluster.metadata.name, [LABELS.controlPlane]: '' };
  const isOurs = (machine: Machine): boolean =>
    controllingControlPlane(machine)?.name === metadata.name && machine.spec?.clusterName === cluster.metadata.name;
  const lacks = ({ metadata: { labels = {} } }: Machine): boolean =>
    Object.entries(wanted).some(([name, value]) => labels[name] !== value);
  for (const seen of cache.list(machineKind, metadata.namespace ?? 'default')) {
    if (!isOurs(seen) || !lacks(seen)) continue;
    await patchObject(client, machineKind, keyOf(seen), (current) =>
      isOurs(current) && lacks(current) ? { metadata: { labels: wanted } } : undefined,
    );
  }
}
