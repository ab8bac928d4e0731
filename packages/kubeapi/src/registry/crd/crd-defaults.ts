import type { JsonObject } from '@bloomery/model';
import { items, record, text } from '../../json-parts.ts';

/** Holds a CustomResourceDefinition until its objects are gone. */
export const CRD_CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

/** What kube-apiserver fills in: names, the conversion strategy, and on creation the finalizer. */
export function crdDefaults(object: JsonObject): JsonObject {
  const spec = record(object['spec']);
  const names = record(spec['names']);
  const kind = text(names['kind']);
  const named = {
    ...names,
    ...(text(names['singular']) === '' && kind !== '' ? { singular: kind.toLowerCase() } : {}),
    ...(text(names['listKind']) === '' && kind !== '' ? { listKind: `${kind}List` } : {}),
  };
  const conversion = spec['conversion'] ?? { strategy: 'None' };
  const { preserveUnknownFields, ...rest } = spec;
  const kept = preserveUnknownFields === undefined || preserveUnknownFields === false ? rest : spec;
  return withCleanupFinalizer({ ...object, spec: { ...kept, names: named, conversion } });
}

function withCleanupFinalizer(object: JsonObject): JsonObject {
  const metadata = record(object['metadata']);
  if (metadata['deletionTimestamp'] !== undefined || metadata['resourceVersion'] !== undefined) return object;
  const finalizers = items(metadata['finalizers']);
  if (finalizers.includes(CRD_CLEANUP_FINALIZER)) return object;
  return { ...object, metadata: { ...metadata, finalizers: [...finalizers, CRD_CLEANUP_FINALIZER] } };
}
