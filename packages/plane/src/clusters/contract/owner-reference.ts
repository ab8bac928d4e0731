import type { KubeObject, OwnerReference } from '@bloomery/model';

/** The reference that makes `owner` an owner of an object, beside others. */
export function ownerReference({ apiVersion, kind, metadata }: KubeObject): OwnerReference {
  const { name, uid = '' } = metadata;
  return { apiVersion, kind, name, uid };
}

/** The reference that makes `owner` the controller of an object; an object has one at the most. */
export function controllerReference(owner: KubeObject): OwnerReference {
  return { ...ownerReference(owner), controller: true, blockOwnerDeletion: true };
}

/** The owner that controls an object. */
export function controllerOf({ metadata }: Pick<KubeObject, 'metadata'>): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** Is this object the controller of the other? By uid: one of the same name that came later is another one. */
export function isControlledBy(object: Pick<KubeObject, 'metadata'>, owner: Pick<KubeObject, 'metadata'>): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}
