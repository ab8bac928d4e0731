import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import type { ApiObject } from '../../api-object.ts';
import { keyOfId, type ObjectId, type Store } from '../../store/store.ts';
import type { User } from '../user.ts';
import { type PolicyRule, readRules } from './policy-rule.ts';

/** Store keys of the kinds that decide who may do what. */
export const RBAC_RESOURCES = {
  clusterRoles: 'clusterroles.rbac.authorization.k8s.io',
  clusterRoleBindings: 'clusterrolebindings.rbac.authorization.k8s.io',
  roles: 'roles.rbac.authorization.k8s.io',
  roleBindings: 'rolebindings.rbac.authorization.k8s.io',
} as const;

/** A binding that holds for a user, through one of its subjects. */
export interface Grant {
  readonly binding: { readonly kind: string; readonly name: string; readonly namespace: string };
  readonly role: { readonly kind: string; readonly name: string };
  /** Undefined: the role does not exist. */
  readonly rules: readonly PolicyRule[] | undefined;
  /** `Group "readers"`, as reasons name it. */
  readonly subject: string;
}

/** Bindings by subject and rules by role, kept up with the store: a decision looks at nothing that is not its user's. */
export interface RbacIndex {
  /** What a user was granted in the whole API and, unless '' is given, in a namespace; until `visit` returns true. */
  visit(user: User, namespace: string, visit: (grant: Grant) => boolean): void;
  /** Rules of a role, or undefined when there is none. `namespace` is '' for a ClusterRole. */
  rulesOf(kind: string, namespace: string, name: string): readonly PolicyRule[] | undefined;
  stop(): void;
}

interface Entry {
  readonly binding: Grant['binding'];
  readonly role: Grant['role'];
  readonly subject: string;
}

/** Of one namespace, or of the cluster: entries by subject and binding. */
type Scope = Map<string, Map<string, Entry>>;

const RESOURCES: ReadonlySet<string> = new Set(Object.values(RBAC_RESOURCES));
const ROLES: ReadonlySet<string> = new Set([RBAC_RESOURCES.clusterRoles, RBAC_RESOURCES.roles]);

/** Index the roles and bindings of a store, now and as they change. */
export function createRbacIndex(store: Store): RbacIndex {
  const rules = new Map<string, readonly PolicyRule[]>();
  const scopes = new Map<string, Scope>();

  function put(id: ObjectId, object: ApiObject, before: ApiObject | undefined): void {
    if (ROLES.has(id.resource)) {
      rules.set(keyOfId(id), readRules(object));
      return;
    }
    if (before !== undefined) removeBinding(id, before);
    const entries = scopes.get(id.namespace) ?? new Map<string, Map<string, Entry>>();
    scopes.set(id.namespace, entries);
    for (const [key, entry] of entriesOf(id, object)) {
      const bucket = entries.get(key) ?? new Map<string, Entry>();
      entries.set(key, bucket);
      if (!bucket.has(id.name)) bucket.set(id.name, entry);
    }
  }

  function remove(id: ObjectId, before: ApiObject | undefined): void {
    if (ROLES.has(id.resource)) rules.delete(keyOfId(id));
    else if (before !== undefined) removeBinding(id, before);
  }

  function removeBinding(id: ObjectId, before: ApiObject): void {
    const entries = scopes.get(id.namespace);
    if (entries === undefined) return;
    for (const [key] of entriesOf(id, before)) {
      const bucket = entries.get(key);
      bucket?.delete(id.name);
      if (bucket?.size === 0) entries.delete(key);
    }
    if (entries.size === 0) scopes.delete(id.namespace);
  }

  function rulesOf(kind: string, namespace: string, name: string): readonly PolicyRule[] | undefined {
    return rules.get(keyOfId({ namespace: kind === 'Role' ? namespace : '', name }));
  }

  function visitScope(user: User, namespace: string, visit: (grant: Grant) => boolean): boolean {
    const entries = scopes.get(namespace);
    if (entries === undefined) return false;
    const seen = new Set<string>();
    for (const key of keysOf(user)) {
      for (const entry of entries.get(key)?.values() ?? []) {
        if (seen.has(entry.binding.name)) continue;
        seen.add(entry.binding.name);
        const { kind, name } = entry.role;
        if (visit({ ...entry, rules: rulesOf(kind, entry.binding.namespace, name) })) return true;
      }
    }
    return false;
  }

  for (const resource of RESOURCES) {
    for (const object of store.list(resource)) {
      const { name, namespace = '' } = object.metadata;
      put({ resource, namespace, name }, object, undefined);
    }
  }
  const stop = store.subscribe((changes) => {
    for (const { id, type, object, before } of changes) {
      if (!RESOURCES.has(id.resource)) continue;
      if (type === 'put') put(id, object, before);
      else remove(id, before ?? object);
    }
  });
  return {
    visit(user, namespace, visit) {
      if (visitScope(user, '', visit) || namespace === '') return;
      visitScope(user, namespace, visit);
    },
    rulesOf,
    stop,
  };
}

function keysOf(user: User): readonly string[] {
  return [`User ${user.name}`, ...user.groups.map((group) => `Group ${group}`)];
}

/** Service accounts are users of a certain name. */
function entriesOf(id: ObjectId, binding: JsonObject): readonly (readonly [key: string, entry: Entry])[] {
  const isLocal = id.resource === RBAC_RESOURCES.roleBindings;
  const shared = {
    binding: { kind: isLocal ? 'RoleBinding' : 'ClusterRoleBinding', name: id.name, namespace: id.namespace },
    role: refOf(binding['roleRef']),
  };
  const subjects = Array.isArray(binding['subjects']) ? binding['subjects'].filter(isJsonObject) : [];
  return subjects.flatMap((subject) => {
    const name = String(subject['name'] ?? '');
    switch (subject['kind']) {
      case 'User':
      case 'Group':
        return [[`${subject['kind']} ${name}`, { ...shared, subject: `${subject['kind']} ${JSON.stringify(name)}` }]];
      case 'ServiceAccount': {
        const namespace = String(subject['namespace'] || id.namespace);
        const key = `User system:serviceaccount:${namespace}:${name}`;
        return [[key, { ...shared, subject: `ServiceAccount ${JSON.stringify(`${name}/${namespace}`)}` }]];
      }
      default:
        return [];
    }
  });
}

function refOf(ref: Json | undefined): Grant['role'] {
  const { kind, name } = isJsonObject(ref) ? ref : {};
  return { kind: String(kind ?? ''), name: String(name ?? '') };
}
