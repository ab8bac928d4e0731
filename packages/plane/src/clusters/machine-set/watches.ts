import type { WakeSource, WatchSource } from '@bloomery/kube';
import { followedSource, watchSource } from '@bloomery/kube';
import type { Machine, MachineSet, ObjectKey } from '@bloomery/model';
import { cluster, compileLabelSelector, keyOf, LABELS, machine, machineDeployment, machineSet } from '@bloomery/model';
import { type ClusterIndex, clusterKeyOf } from '../contract/cluster-index.ts';
import { controllerOf } from '../contract/owner-reference.ts';
import type { ProviderKinds } from '../contract/provider-object.ts';
import { providerWakes } from '../contract/provider-wakes.ts';

/** What changes of other kinds concern MachineSets. */
export function machineSetWatches(
  machines: ClusterIndex<Machine>,
  sets: ClusterIndex<MachineSet>,
): readonly WatchSource[] {
  return [
    watchSource(machineSet, (object) => {
      sets.note(object);
      return [];
    }),
    watchSource(machine, (object, cache) => {
      machines.note(object);
      const owner = controllerOf(object);
      if (owner?.kind === machineSet.kind)
        return [{ name: owner.name, namespace: object.metadata.namespace ?? 'default' }];
      if (owner !== undefined) return [];
      return sets
        .of(cache, clusterKeyOf(object))
        .filter((set) => selects(set, object))
        .map(keyOf);
    }),
    watchSource(machineDeployment, (object, cache) =>
      sets
        .of(cache, clusterKeyOf(object))
        .filter((set) => controllerOf(set)?.uid === object.metadata.uid)
        .map(keyOf),
    ),
    watchSource(cluster, (object, cache) => sets.of(cache, keyOf(object)).map(keyOf)),
  ];
}

/** Templates that come, and control planes that change. */
export function machineSetWakes(kinds: ProviderKinds, sets: ClusterIndex<MachineSet>): readonly WakeSource[] {
  const ofControlPlane = followedSource(kinds.followed, ({ kind, metadata }): readonly ObjectKey[] => {
    const { name, namespace = 'default', labels, ownerReferences } = metadata;
    const owner = labels?.[LABELS.clusterName] ?? ownerReferences?.find((o) => o.kind === cluster.kind)?.name;
    const of = owner === undefined ? undefined : kinds.cache.get(cluster, { name: owner, namespace });
    const ref = of?.spec?.controlPlaneRef;
    if (of === undefined || ref?.kind !== kind || ref.name !== name) return [];
    return sets.of(kinds.cache, keyOf(of)).map(keyOf);
  });
  const ofTemplates = providerWakes(kinds, machineSet, ({ spec }) => [
    spec?.template?.spec?.infrastructureRef,
    spec?.template?.spec?.bootstrap.configRef,
  ]);
  return [ofControlPlane, ...ofTemplates];
}

function selects({ spec }: MachineSet, { metadata }: Machine): boolean {
  const selector = compileLabelSelector(spec?.selector);
  return selector.ok && selector.matches(metadata.labels);
}
