import { builtinKinds, defineKind, isJsonObject, type JsonObject, type KindDefinition, schema } from '@bloomery/model';
import { admitConfigMap, admitSecret, withoutEmptyData } from './config-data.ts';
import { crdDefinition } from './crd-resource.ts';
import { CUSTOM_RULES, type Resource, type ResourceRules, resourceOf } from './resource.ts';

const { list, object, openObject, string } = schema;

/** Events are kept for a week: an hour, as upstream does it, loses the night. */
const EVENT_TTL_MS = 7 * 24 * 3_600_000;

const BUILTIN_RULES: ResourceRules = { ...CUSTOM_RULES, builtin: true, generation: false };

const policyRule = object(
  { verbs: list(string()) },
  {
    apiGroups: list(string()),
    resources: list(string()),
    resourceNames: list(string()),
    nonResourceURLs: list(string()),
  },
);
const subject = object({ kind: string(), name: string() }, { apiGroup: string(), namespace: string() });
const roleRef = object({ apiGroup: string(), kind: string(), name: string() }, {});
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const;

const rbacKinds: readonly KindDefinition[] = [
  defineKind({
    ...rbac,
    kind: 'ClusterRole',
    plural: 'clusterroles',
    scope: 'Cluster',
    description: 'Permissions in the whole API.',
    properties: { rules: list(policyRule), aggregationRule: openObject() },
  }),
  defineKind({
    ...rbac,
    kind: 'ClusterRoleBinding',
    plural: 'clusterrolebindings',
    scope: 'Cluster',
    description: 'Who has the permissions of a ClusterRole, in the whole API.',
    properties: { subjects: list(subject), roleRef },
  }),
  defineKind({
    ...rbac,
    kind: 'Role',
    plural: 'roles',
    scope: 'Namespaced',
    description: 'Permissions in one namespace.',
    properties: { rules: list(policyRule) },
  }),
  defineKind({
    ...rbac,
    kind: 'RoleBinding',
    plural: 'rolebindings',
    scope: 'Namespaced',
    description: 'Who has the permissions of a Role, in one namespace.',
    properties: { subjects: list(subject), roleRef },
  }),
];

/** Kinds that some clients list; nothing of ours makes them. Stored as they are. */
const storeOnly: readonly KindDefinition[] = [
  defineKind({
    group: '',
    version: 'v1',
    kind: 'Pod',
    plural: 'pods',
    scope: 'Namespaced',
    shortNames: ['po'],
    categories: ['all'],
    description: 'Kept as data; nothing runs pods here.',
    properties: { spec: openObject(), status: openObject() },
  }),
  defineKind({
    group: '',
    version: 'v1',
    kind: 'Service',
    plural: 'services',
    scope: 'Namespaced',
    shortNames: ['svc'],
    categories: ['all'],
    description: 'Kept as data; nothing serves it here.',
    properties: { spec: openObject(), status: openObject() },
  }),
];

function stringDataIntoData(secret: JsonObject): JsonObject {
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

function activeNamespace(namespace: JsonObject): JsonObject {
  const metadata = isJsonObject(namespace['metadata']) ? namespace['metadata'] : {};
  const labels = isJsonObject(metadata['labels']) ? metadata['labels'] : {};
  const spec = isJsonObject(namespace['spec']) ? namespace['spec'] : {};
  const status = isJsonObject(namespace['status']) ? namespace['status'] : {};
  // Clients send an empty spec. Without its finalizer a namespace would go before what is in it.
  const finalizers = Array.isArray(spec['finalizers']) ? spec['finalizers'] : [];
  const held = finalizers.length === 0 && metadata['deletionTimestamp'] === undefined;
  return {
    ...namespace,
    metadata: { ...metadata, labels: { 'kubernetes.io/metadata.name': metadata['name'], ...labels } },
    spec: held ? { ...spec, finalizers: ['kubernetes'] } : spec,
    status: { phase: 'Active', ...status },
  };
}

const SPECIAL: Readonly<
  Record<
    string,
    { readonly rules?: Partial<ResourceRules>; readonly kind?: Pick<KindDefinition, 'defaults' | 'admit'> }
  >
> = {
  ConfigMap: { kind: { defaults: withoutEmptyData, admit: admitConfigMap } },
  Secret: { kind: { defaults: stringDataIntoData, admit: admitSecret } },
  Namespace: { rules: { labelNames: true }, kind: { defaults: activeNamespace } },
  Event: { rules: { timeToLiveMs: EVENT_TTL_MS } },
  Lease: { rules: { createOnUpdate: true } },
  ClusterRole: { rules: { pathSegmentNames: true } },
  ClusterRoleBinding: { rules: { pathSegmentNames: true } },
  Role: { rules: { pathSegmentNames: true } },
  RoleBinding: { rules: { pathSegmentNames: true } },
};

/** Kubernetes' own resources, as far as this server offers them, with CustomResourceDefinitions among them. */
export function builtinResources(): readonly Resource[] {
  const plain = [...builtinKinds, ...rbacKinds, ...storeOnly].map((kind) => {
    const special = SPECIAL[kind.kind];
    return resourceOf([{ ...kind, ...special?.kind }], { ...BUILTIN_RULES, ...special?.rules });
  });
  return [...plain, resourceOf([crdDefinition], { ...BUILTIN_RULES, generation: true })];
}
