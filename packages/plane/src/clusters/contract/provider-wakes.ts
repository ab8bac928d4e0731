import { followedSource, groupOf, type WakeSource } from '@bloomery/kube';
import type { KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { keyOf } from '@bloomery/model';
import type { ProviderKinds, ProviderReference } from './provider-object.ts';

/**
 * Wakes the objects of a kind whose references lead to objects of kinds that are only known at run time: when such an object
 * changes or goes, and when its type is installed, changes or goes.
 */
export function providerWakes<T extends KubeObject>(
  { cache, followed, resolver }: ProviderKinds,
  kind: KindRef<T>,
  refsOf: (object: T) => readonly (ProviderReference | undefined)[],
): readonly WakeSource[] {
  const naming = (namespace: string | undefined, matches: (ref: ProviderReference) => boolean): readonly ObjectKey[] =>
    cache
      .list(kind, namespace)
      .filter((object) => refsOf(object).some((ref) => ref !== undefined && matches(ref)))
      .map(keyOf);
  const ofObject = (object: KubeObject): readonly ObjectKey[] => {
    const { name, namespace, ownerReferences = [] } = object.metadata;
    const owners = ownerReferences.filter((owner) => owner.kind === kind.kind && groupOf(owner) === kind.group);
    if (owners.length > 0) {
      return owners.map((owner) => (namespace === undefined ? { name: owner.name } : { name: owner.name, namespace }));
    }
    return naming(namespace, (ref) => ref.name === name && ref.kind === object.kind);
  };
  const ofTypes: WakeSource = {
    listen: (wake) =>
      resolver.listen((type) => {
        const names = (ref: ProviderReference): boolean => ref.kind === type.kind && groupOf(ref) === type.group;
        for (const key of naming(undefined, names)) wake(key);
      }),
  };
  return [followedSource(followed, ofObject), ofTypes];
}
