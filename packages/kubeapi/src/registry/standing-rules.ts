import { type Admission, isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { listAt, objectAt, textAt, valueAt } from '../json-parts.ts';
import { invalid } from '../schema/index.ts';
import { withoutEmptyData } from './config-data.ts';

/** Defaults of a Secret: its type, and `stringData` folded into `data`. */
export function stringDataIntoData(secret: JsonObject): JsonObject {
  const { stringData, ...rest } = withoutEmptyData(secret);
  const type = rest['type'] || 'Opaque';
  if (!isJsonObject(stringData)) return { ...rest, type };
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  const data = { ...(isJsonObject(rest['data']) ? rest['data'] : {}), ...Object.fromEntries(encoded) };
  return { ...rest, type, data };
}

/** Defaults of a Namespace: its label, its finalizer and its phase. */
export function activeNamespace(namespace: JsonObject): JsonObject {
  const metadata = objectAt(namespace, 'metadata');
  const labels = objectAt(metadata, 'labels');
  const spec = objectAt(namespace, 'spec');
  // Without its finalizer a namespace would go before what is in it.
  const finalizers = listAt(spec, 'finalizers');
  const isOpen = metadata['deletionTimestamp'] === undefined && !finalizers.includes('kubernetes');
  return {
    ...namespace,
    metadata: { ...metadata, labels: { ...labels, 'kubernetes.io/metadata.name': metadata['name'] } },
    spec: isOpen ? { ...spec, finalizers: [...finalizers, 'kubernetes'] } : spec,
    status: { phase: 'Active', ...objectAt(namespace, 'status') },
  };
}

const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** Defaults of a binding: users, groups and roles are of the RBAC group, service accounts of the core one. */
export function withRbacGroups(binding: JsonObject): JsonObject {
  const { roleRef, subjects } = binding;
  const grouped = (part: JsonObject): JsonObject =>
    textAt(part, 'apiGroup') === '' ? { ...part, apiGroup: RBAC_GROUP } : part;
  const named = (subject: Json): Json => {
    if (!isJsonObject(subject)) return subject;
    const kind = textAt(subject, 'kind');
    if (kind === 'User' || kind === 'Group') return grouped(subject);
    if (textAt(subject, 'apiGroup') !== '') return subject;
    const { apiGroup: _, ...rest } = subject;
    return rest;
  };
  return {
    ...binding,
    ...(isJsonObject(roleRef) ? { roleRef: grouped(roleRef) } : {}),
    ...(Array.isArray(subjects) ? { subjects: subjects.map(named) } : {}),
  };
}

/** Checks of a Lease. */
export function admitLease(lease: JsonObject): Admission {
  const duration = valueAt(lease, 'spec', 'leaseDurationSeconds');
  const transitions = valueAt(lease, 'spec', 'leaseTransitions');
  return {
    problems: [
      ...(typeof duration === 'number' && duration <= 0
        ? [invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0')]
        : []),
      ...(typeof transitions === 'number' && transitions < 0
        ? [invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0')]
        : []),
    ],
  };
}
