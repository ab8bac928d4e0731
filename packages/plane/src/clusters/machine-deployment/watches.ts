import type { WakeSource, WatchSource } from '@bloomery/kube';
import { watchSource } from '@bloomery/kube';
import type { KubeObject, Machine, MachineDeployment, ObjectKey } from '@bloomery/model';
import { cluster, compileLabelSelector, keyOf, LABELS, machine, machineDeployment, machineSet } from '@bloomery/model';
import { type ClusterIndex, clusterKeyOf } from '../contract/cluster-index.ts';
import { controllerOf } from '../contract/owner-reference.ts';
import type { ProviderKinds } from '../contract/provider-object.ts';
import { providerWakes } from '../contract/provider-wakes.ts';

/** What changes of other kinds concern MachineDeployments. */
export function machineDeploymentWatches(
  machines: ClusterIndex<Machine>,
  deployments: ClusterIndex<MachineDeployment>,
): readonly WatchSource[] {
  return [
    watchSource(machineDeployment, (object) => {
      deployments.note(object);
      return [];
    }),
    watchSource(machineSet, (object, cache) => {
      const owner = controllerOf(object);
      if (owner?.kind === machineDeployment.kind) return [inNamespaceOf(object, owner.name)];
      if (owner !== undefined) return [];
      const selects = ({ spec }: MachineDeployment): boolean => {
        const selector = compileLabelSelector(spec?.selector);
        return selector.ok && selector.matches(object.metadata.labels);
      };
      return deployments.of(cache, clusterKeyOf(object)).filter(selects).map(keyOf);
    }),
    watchSource(machine, (object) => {
      machines.note(object);
      const name = object.metadata.labels?.[LABELS.machineDeployment];
      return name === undefined ? [] : [inNamespaceOf(object, name)];
    }),
    watchSource(cluster, (object, cache) => deployments.of(cache, keyOf(object)).map(keyOf)),
  ];
}

/** Templates that come. */
export function machineDeploymentWakes(kinds: ProviderKinds): readonly WakeSource[] {
  return providerWakes(kinds, machineDeployment, ({ spec }) => [
    spec?.template.spec?.infrastructureRef,
    spec?.template.spec?.bootstrap.configRef,
  ]);
}

function inNamespaceOf({ metadata: { namespace = 'default' } }: KubeObject, name: string): ObjectKey {
  return { name, namespace };
}
