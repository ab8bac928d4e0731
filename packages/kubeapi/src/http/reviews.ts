import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { authenticate, type StaticToken } from '../auth/authenticate.ts';
import { type Attributes, isAllowed, rulesFor } from '../auth/authorize.ts';
import type { User } from '../auth/user.ts';
import type { ApiResource } from '../discovery/index.ts';
import type { Store } from '../store/store.ts';

const OPEN: ApiResource['schema'] = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

function review(group: string, kind: string, plural: string, scope: 'Cluster' | 'Namespaced' = 'Cluster'): ApiResource {
  return {
    group,
    version: 'v1',
    kind,
    plural,
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    scope,
    shortNames: [],
    categories: [],
    statusSubresource: false,
    schema: OPEN,
    verbs: ['create'],
  };
}

/** Questions that are answered and not stored. */
export const REVIEWS: readonly ApiResource[] = [
  review('authentication.k8s.io', 'SelfSubjectReview', 'selfsubjectreviews'),
  review('authentication.k8s.io', 'TokenReview', 'tokenreviews'),
  review('authorization.k8s.io', 'LocalSubjectAccessReview', 'localsubjectaccessreviews', 'Namespaced'),
  review('authorization.k8s.io', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews'),
  review('authorization.k8s.io', 'SelfSubjectRulesReview', 'selfsubjectrulesreviews'),
  review('authorization.k8s.io', 'SubjectAccessReview', 'subjectaccessreviews'),
];

/** Answer a review: its body with `status` filled in. */
export function answerReview(
  plural: string,
  body: JsonObject,
  context: { readonly store: Store; readonly user: User; readonly tokens: readonly StaticToken[] },
): JsonObject {
  const spec = record(body['spec']);
  const { store, user } = context;
  const answer = (status: JsonObject): JsonObject => ({ ...body, metadata: record(body['metadata']), status });
  switch (plural) {
    case 'selfsubjectreviews':
      return answer({ userInfo: userInfo(user) });
    case 'tokenreviews': {
      const token = text(spec['token']);
      const found = token === '' ? undefined : authenticate(undefined, `Bearer ${token}`, context.tokens);
      return answer(found === undefined ? { authenticated: false } : { authenticated: true, user: userInfo(found) });
    }
    case 'selfsubjectrulesreviews':
      return answer(rulesStatus(store, user, text(spec['namespace'])));
    case 'selfsubjectaccessreviews':
      return answer(accessStatus(store, user, spec));
    default: {
      const groups = Array.isArray(spec['groups']) ? spec['groups'].map(String) : [];
      return answer(accessStatus(store, { name: text(spec['user']), groups }, spec));
    }
  }
}

function accessStatus(store: Store, user: User, spec: JsonObject): JsonObject {
  const allowed = isAllowed(store, user, attributesOf(spec));
  return allowed ? { allowed } : { allowed, reason: 'no RBAC rule allows it' };
}

function attributesOf(spec: JsonObject): Attributes {
  const path = record(spec['nonResourceAttributes']);
  if (text(path['path']) !== '') return { verb: text(path['verb']), path: text(path['path']) };
  const resource = record(spec['resourceAttributes']);
  return {
    verb: text(resource['verb']),
    group: text(resource['group']),
    resource: text(resource['resource']),
    subresource: text(resource['subresource']),
    namespace: text(resource['namespace']),
    name: text(resource['name']),
  };
}

function rulesStatus(store: Store, user: User, namespace: string): JsonObject {
  const everything = user.groups.includes('system:masters');
  const all: JsonObject = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
  const rules = everything ? [all] : rulesFor(store, user, namespace).filter((r) => r['resources'] !== undefined);
  return {
    resourceRules: rules,
    nonResourceRules: everything ? [{ verbs: ['*'], nonResourceURLs: ['*'] }] : [],
    incomplete: false,
  };
}

function userInfo(user: User): JsonObject {
  return { username: user.name, ...(user.uid === undefined ? {} : { uid: user.uid }), groups: [...user.groups] };
}

function record(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
