import type { KindRef } from '@bloomery/model';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** Names of the shared metadata schemas, the same in both OpenAPI versions. */
export const META_SCHEMAS = {
  objectMeta: `${META}.ObjectMeta`,
  listMeta: `${META}.ListMeta`,
  ownerReference: `${META}.OwnerReference`,
  managedFieldsEntry: `${META}.ManagedFieldsEntry`,
  status: `${META}.Status`,
  deleteOptions: `${META}.DeleteOptions`,
  patch: `${META}.Patch`,
  scale: 'io.k8s.api.autoscaling.v1.Scale',
} as const;

/** The name of a kind's schema: `dev.sidero.metal.v1alpha2.Server`, `io.k8s.api.core.v1.ConfigMap`. */
export function schemaName({ group, version, kind }: Pick<KindRef, 'group' | 'version' | 'kind'>): string {
  if (group === '') return `io.k8s.api.core.${version}.${kind}`;
  const labels = group.split('.');
  if (!group.includes('.') || group.endsWith('.k8s.io')) return `io.k8s.api.${labels[0] ?? ''}.${version}.${kind}`;
  return `${labels.reverse().join('.')}.${version}.${kind}`;
}
