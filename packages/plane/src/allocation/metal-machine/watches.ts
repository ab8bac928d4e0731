import type { ObjectCache, WatchSource } from '@bloomery/kube';
import { watchSource } from '@bloomery/kube';
import type { MetalMachine, ObjectKey, ServerBinding } from '@bloomery/model';
import { cluster, keyOf, LABELS, machine, metalMachine, server, serverBinding, serverClass } from '@bloomery/model';
import { unfitness } from './candidates.ts';

/** What concerns MetalMachines beside themselves: a change anywhere in the chain is acted on at once. */
export const METAL_MACHINE_WATCHES: readonly WatchSource[] = [
  watchSource(machine, ({ metadata, spec }) => {
    const ref = spec?.infrastructureRef;
    const namespace = metadata.namespace ?? 'default';
    return ref?.kind === 'MetalMachine' && ref.name ? [{ name: ref.name, namespace }] : [];
  }),
  watchSource(cluster, ({ metadata }, cache) =>
    keysOf(cache.list(metalMachine, metadata.namespace), (m) => clusterOf(m, cache) === metadata.name),
  ),
  watchSource(serverBinding, boundKey),
  watchSource(serverClass, ({ metadata }, cache) =>
    keysOf(
      cache.list(metalMachine),
      ({ spec }) => !spec?.serverRef?.name && spec?.serverClassRef?.name === metadata.name,
    ),
  ),
  watchSource(server, (changed, cache) => {
    const { name } = changed.metadata;
    const binding = cache.get(serverBinding, { name });
    if (binding !== undefined) return boundKey(binding);
    const isFit = unfitness(changed) === undefined;
    return keysOf(cache.list(metalMachine), ({ spec }) =>
      spec?.serverRef?.name ? spec.serverRef.name === name : isFit,
    );
  }),
];

function boundKey(binding: ServerBinding): readonly ObjectKey[] {
  const { name, namespace } = binding.spec?.metalMachineRef ?? {};
  return name !== undefined && namespace !== undefined ? [{ name, namespace }] : [];
}

function clusterOf(object: MetalMachine, cache: ObjectCache): string | undefined {
  const label = object.metadata.labels?.[LABELS.clusterName];
  if (label !== undefined) return label;
  const owner = object.metadata.ownerReferences?.find(({ kind }) => kind === 'Machine');
  const { namespace = 'default' } = object.metadata;
  return owner && cache.get(machine, { name: owner.name, namespace })?.spec?.clusterName;
}

function keysOf(
  objects: readonly MetalMachine[],
  isConcerned: (object: MetalMachine) => boolean,
): readonly ObjectKey[] {
  return objects.filter(isConcerned).map(keyOf);
}
