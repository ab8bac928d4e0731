import { followedSource, groupOf, type ObjectCache, type WakeSource } from '@bloomery/kube';
import {
  type KubeObject,
  keyOf,
  LABELS,
  type ObjectKey,
  type TalosControlPlane,
  talosControlPlane,
} from '@bloomery/model';
import type { ProviderKinds } from '../contract/provider-object.ts';
import type { WorkloadClusters } from '../workload/workload-clusters.ts';
import { controllingControlPlane } from './restore-labels.ts';

/** Control planes that a Cluster of this name owns. */
export function ownedBy(cache: ObjectCache, cluster: string, namespace: string | undefined): readonly ObjectKey[] {
  return cache
    .list(talosControlPlane, namespace)
    .filter(({ metadata }) =>
      (metadata.ownerReferences ?? []).some(({ kind, name }) => kind === 'Cluster' && name === cluster),
    )
    .map(keyOf);
}

/** Control planes of the cluster that an object belongs to, if it is of a control plane. */
export function controlPlanesOfPart({ metadata }: KubeObject, cache: ObjectCache): readonly ObjectKey[] {
  const controller = controllingControlPlane({ metadata });
  if (controller !== undefined) return [controller];
  const { labels = {}, namespace } = metadata;
  if (labels[LABELS.controlPlane] === undefined) return [];
  return ownedBy(cache, labels[LABELS.clusterName] ?? '', namespace);
}

/** Infrastructure of the machines, the template, and types that are installed or go. */
export function providerWakesOf({ followed, resolver, cache }: ProviderKinds): readonly WakeSource[] {
  const naming = (matches: (controlPlane: TalosControlPlane) => boolean): readonly ObjectKey[] =>
    cache.list(talosControlPlane).filter(matches).map(keyOf);
  const ofObject = (object: KubeObject): readonly ObjectKey[] => {
    if (!object.kind.endsWith('Template')) return controlPlanesOfPart(object, cache);
    const { name, namespace } = object.metadata;
    return naming(({ spec, metadata }) => {
      const ref = spec?.infrastructureTemplate;
      return ref?.kind === object.kind && ref.name === name && (ref.namespace ?? metadata.namespace) === namespace;
    });
  };
  const ofTypes: WakeSource = {
    listen: (wake) =>
      resolver.listen(({ group, kind }) => {
        const keys = naming(({ spec }) => {
          const ref = spec?.infrastructureTemplate;
          return ref !== undefined && ref.kind === kind && groupOf(ref) === group;
        });
        for (const key of keys) wake(key);
      }),
  };
  return [followedSource(followed, ofObject), ofTypes];
}

/** Nodes of the control plane, and the state of the workload API. */
export function workloadWake({
  workload,
  kinds,
}: {
  readonly workload: WorkloadClusters;
  readonly kinds: ProviderKinds;
}): WakeSource {
  return workload.wake((cluster, node) => {
    const isWorker =
      node !== undefined && node.metadata.labels?.['node-role.kubernetes.io/control-plane'] === undefined;
    return isWorker ? [] : ownedBy(kinds.cache, cluster.name, cluster.namespace);
  });
}
