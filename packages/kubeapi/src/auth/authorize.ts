import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import type { Store } from '../store/store.ts';
import { MASTERS, type User } from './user.ts';

/** What somebody wants to do with a resource, or with a path that is none. */
export type Attributes =
  | {
      readonly verb: string;
      readonly group: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly verb: string; readonly path: string };

const ROLES = 'clusterroles.rbac.authorization.k8s.io';
const BINDINGS = 'clusterrolebindings.rbac.authorization.k8s.io';
const LOCAL_ROLES = 'roles.rbac.authorization.k8s.io';
const LOCAL_BINDINGS = 'rolebindings.rbac.authorization.k8s.io';

/** Paths that anybody may read. */
const PUBLIC_PATHS: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz', '/version']);
/** Paths that every authenticated caller may read, as system:discovery gives them upstream. */
const DISCOVERY_PATH = /^\/(?:api|apis|openapi|version|healthz|livez|readyz)(?:\/|$)/;
/** Questions about oneself. */
const SELF_REVIEWS: ReadonlySet<string> = new Set([
  'selfsubjectaccessreviews',
  'selfsubjectrulesreviews',
  'selfsubjectreviews',
]);

/** Whether RBAC lets the user do it. Pure over the store's present state. */
export function isAllowed(store: Store, user: User, attributes: Attributes): boolean {
  if (user.groups.includes(MASTERS)) return true;
  const signedIn = user.groups.includes('system:authenticated');
  if ('path' in attributes) {
    if (attributes.verb === 'get' && PUBLIC_PATHS.has(`/${attributes.path.split('/')[1] ?? ''}`)) return true;
    if (signedIn && attributes.verb === 'get' && DISCOVERY_PATH.test(attributes.path)) return true;
  } else if (signedIn && attributes.verb === 'create' && SELF_REVIEWS.has(attributes.resource)) {
    return true;
  }
  return rulesFor(store, user, 'namespace' in attributes ? attributes.namespace : '').some((rule) =>
    ruleAllows(rule, attributes),
  );
}

/** The rules that hold for a user, in the whole API and in one namespace ('' for none). */
export function rulesFor(store: Store, user: User, namespace: string): readonly JsonObject[] {
  const wide = store
    .list(BINDINGS)
    .filter((b) => bindsUser(b, user))
    .flatMap((b) => roleRules(store, b, ''));
  if (namespace === '') return wide;
  const local = store
    .list(LOCAL_BINDINGS, namespace)
    .filter((b) => bindsUser(b, user))
    .flatMap((b) => roleRules(store, b, namespace));
  return [...wide, ...local];
}

function bindsUser(binding: JsonObject, user: User): boolean {
  return objects(binding['subjects']).some((subject) => {
    switch (subject['kind']) {
      case 'User':
        return subject['name'] === user.name;
      case 'Group':
        return user.groups.includes(String(subject['name']));
      case 'ServiceAccount':
        return `system:serviceaccount:${String(subject['namespace'])}:${String(subject['name'])}` === user.name;
      default:
        return false;
    }
  });
}

function roleRules(store: Store, binding: JsonObject, namespace: string): readonly JsonObject[] {
  const ref = isJsonObject(binding['roleRef']) ? binding['roleRef'] : {};
  const name = String(ref['name'] ?? '');
  const role =
    ref['kind'] === 'Role'
      ? store.get({ resource: LOCAL_ROLES, namespace, name })
      : store.get({ resource: ROLES, namespace: '', name });
  return objects(role?.['rules']);
}

function ruleAllows(rule: JsonObject, attributes: Attributes): boolean {
  if (!lists(rule['verbs'], attributes.verb)) return false;
  if ('path' in attributes) {
    return texts(rule['nonResourceURLs']).some((url) =>
      url.endsWith('*') ? attributes.path.startsWith(url.slice(0, -1)) : url === attributes.path,
    );
  }
  const { group, resource, subresource, name } = attributes;
  const wanted = subresource === '' ? resource : `${resource}/${subresource}`;
  const resources = texts(rule['resources']);
  const named = texts(rule['resourceNames']);
  return (
    lists(rule['apiGroups'], group) &&
    (resources.includes('*') ||
      resources.includes(wanted) ||
      (subresource !== '' && resources.includes(`*/${subresource}`))) &&
    (named.length === 0 || (name !== '' && named.includes(name)))
  );
}

function lists(value: Json | undefined, wanted: string): boolean {
  const all = texts(value);
  return all.includes('*') || all.includes(wanted);
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((v) => typeof v === 'string') : [];
}

function objects(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
