import { apiVersionOf, builtinKinds, defineKind, type KindDefinition, type Schema, schema } from '@bloomery/model';
import { dataKinds, eventsV1 } from '../builtin/builtin-kinds.ts';
import { admitCoreEvent } from '../builtin/event-rules.ts';
import { messageOfKind } from '../builtin/message-of-kind.ts';
import { kindSchema } from '../builtin/message-schema.ts';
import { admitConfigMap, admitSecret, withoutEmptyData } from './config-data.ts';
import { crdDefinition } from './crd-resource.ts';
import { admitClusterRole, admitClusterRoleBinding, admitRole, admitRoleBinding } from './rbac-admission.ts';
import { CUSTOM_RULES, type Resource, type ResourceRules, resourceOf } from './resource.ts';
import { activeNamespace, admitLease, stringDataIntoData, withRbacGroups } from './standing-rules.ts';

const { list, object, openObject, string } = schema;

/** Events are kept for a week: an hour, as upstream does it, loses the night. */
const EVENT_TTL_MS = 7 * 24 * 3_600_000;

const BUILTIN_RULES: ResourceRules = { ...CUSTOM_RULES, builtin: true, generation: false };

const policyRule = object(
  {},
  {
    verbs: list(string()),
    apiGroups: list(string()),
    resources: list(string()),
    resourceNames: list(string()),
    nonResourceURLs: list(string()),
  },
);
const subject = object({}, { kind: string(), name: string(), apiGroup: string(), namespace: string() });
const roleRef = object(
  {},
  { apiGroup: string(), kind: string(), name: string() },
  { 'x-kubernetes-map-type': 'atomic' },
);
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

const SPECIAL: Readonly<
  Record<
    string,
    { readonly rules?: Partial<ResourceRules>; readonly kind?: Pick<KindDefinition, 'defaults' | 'admit'> }
  >
> = {
  ConfigMap: { kind: { defaults: withoutEmptyData, admit: admitConfigMap } },
  Secret: { kind: { defaults: stringDataIntoData, admit: admitSecret } },
  Namespace: { rules: { labelNames: true }, kind: { defaults: activeNamespace } },
  Event: { rules: { timeToLiveMs: EVENT_TTL_MS }, kind: { admit: admitCoreEvent } },
  Lease: { rules: { createOnUpdate: true }, kind: { admit: admitLease } },
  ClusterRole: { rules: { pathSegmentNames: true }, kind: { admit: admitClusterRole } },
  ClusterRoleBinding: {
    rules: { pathSegmentNames: true },
    kind: { defaults: withRbacGroups, admit: admitClusterRoleBinding },
  },
  Role: { rules: { pathSegmentNames: true }, kind: { admit: admitRole } },
  RoleBinding: { rules: { pathSegmentNames: true }, kind: { defaults: withRbacGroups, admit: admitRoleBinding } },
};

/** The kind with the schema that Kubernetes publishes for it, made when it is first asked for, and with its own rules. */
function asPublished(kind: KindDefinition): KindDefinition {
  const message = messageOfKind(apiVersionOf(kind), kind.kind) ?? '';
  let made: Schema | undefined;
  return {
    ...kind,
    ...SPECIAL[kind.kind]?.kind,
    get schema() {
      made ??= kindSchema(message, kind.schema.description ?? '');
      return made;
    },
  };
}

/** Kubernetes' own resources, as far as this server offers them, with CustomResourceDefinitions among them. */
export function builtinResources(): readonly Resource[] {
  const kinds = [
    ...builtinKinds.map(asPublished),
    ...rbacKinds.map((kind) => ({ ...kind, ...SPECIAL[kind.kind]?.kind })),
  ];
  const standing = kinds.map((kind) => resourceOf([kind], { ...BUILTIN_RULES, ...SPECIAL[kind.kind]?.rules }));
  const data = dataKinds.map(({ kind, generation }) => resourceOf([kind], { ...BUILTIN_RULES, generation }));
  const crds = resourceOf([crdDefinition], { ...BUILTIN_RULES, generation: true });
  return [...standing, ...standing.filter((r) => r.id === 'events').map(eventsOf), ...data, crds];
}

/** The stored Events as the group events.k8s.io shows them. */
function eventsOf(core: Resource): Resource {
  const { group, plural } = eventsV1;
  return { ...core, group, plural, versions: [eventsV1] };
}
