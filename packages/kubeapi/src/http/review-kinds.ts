import { defineKind, type KindDefinition, schema } from '@bloomery/model';
import type { ApiResource } from '../discovery/index.ts';
import { CUSTOM_RULES, type Resource, type ResourceRules, resourceOf } from '../registry/resource.ts';

const { boolean, integer, list, map, object, string } = schema;

const access = { group: 'authorization.k8s.io', version: 'v1' } as const;
const identity = { group: 'authentication.k8s.io', version: 'v1' } as const;

const names = (description: string) => list(string(), { description, 'x-kubernetes-list-type': 'atomic' });
const extra = map(list(string()), { description: 'What the credential of the user says beyond name and groups.' });
const userInfo = object(
  {},
  { username: string(), uid: string(), groups: names('The groups of the user.'), extra },
  { description: 'Who somebody is.' },
);

const selector = (what: string) =>
  object(
    {},
    {
      rawSelector: string({ description: 'The selector as text; or requirements, not both.' }),
      requirements: list(
        object({}, { key: string(), operator: string(), values: names('Values of the requirement.') }),
        { 'x-kubernetes-list-type': 'atomic' },
      ),
    },
    { description: `Which ${what} the request is limited to.` },
  );

const resourceAttributes = object(
  {},
  {
    namespace: string({ description: 'Empty for all namespaces, or for kinds without one.' }),
    verb: string({ description: 'get, list, watch, create, update, patch, delete, deletecollection, or *.' }),
    group: string({ description: 'The API group; * for all.' }),
    version: string({ description: 'The version of the group; * for all. Rules do not look at it.' }),
    resource: string({ description: 'The resource in its plural; * for all.' }),
    subresource: string({ description: 'The subresource, or empty.' }),
    name: string({ description: 'The name of one object, or empty for all.' }),
    fieldSelector: selector('fields'),
    labelSelector: selector('labels'),
  },
  { description: 'A request for a resource.' },
);
const nonResourceAttributes = object({}, { path: string(), verb: string() }, { description: 'A request for a path.' });
const asked = { resourceAttributes, nonResourceAttributes };
const askedFor = {
  ...asked,
  user: string({ description: 'Whose permission is asked.' }),
  groups: names('The groups of that user.'),
  extra,
  uid: string(),
};
const decided = object(
  {},
  { allowed: boolean(), denied: boolean(), reason: string(), evaluationError: string() },
  { description: 'Whether it is allowed, and why.' },
);

const accessKinds: readonly KindDefinition[] = [
  defineKind({
    ...access,
    kind: 'LocalSubjectAccessReview',
    plural: 'localsubjectaccessreviews',
    scope: 'Namespaced',
    description: 'Whether somebody may do something in a namespace.',
    properties: { spec: object({}, askedFor), status: decided },
  }),
  defineKind({
    ...access,
    kind: 'SelfSubjectAccessReview',
    plural: 'selfsubjectaccessreviews',
    scope: 'Cluster',
    description: 'Whether the caller may do something.',
    properties: { spec: object({}, asked), status: decided },
  }),
  defineKind({
    ...access,
    kind: 'SelfSubjectRulesReview',
    plural: 'selfsubjectrulesreviews',
    scope: 'Cluster',
    description: 'All that the caller may do in a namespace.',
    properties: { spec: object({}, { namespace: string() }), status: schema.openObject() },
  }),
  defineKind({
    ...access,
    kind: 'SubjectAccessReview',
    plural: 'subjectaccessreviews',
    scope: 'Cluster',
    description: 'Whether somebody may do something.',
    properties: { spec: object({}, askedFor), status: decided },
  }),
];

const identityKinds: readonly KindDefinition[] = [
  defineKind({
    ...identity,
    kind: 'SelfSubjectReview',
    plural: 'selfsubjectreviews',
    scope: 'Cluster',
    description: 'Who the caller is.',
    properties: { status: object({}, { userInfo }) },
  }),
  defineKind({
    ...identity,
    kind: 'TokenReview',
    plural: 'tokenreviews',
    scope: 'Cluster',
    description: 'Whose bearer token it is.',
    properties: {
      spec: object({}, { token: string(), audiences: names('For whom the token must be; empty: for this API.') }),
      status: object(
        {},
        { authenticated: boolean(), user: userInfo, audiences: names('Which of the asked.'), error: string() },
      ),
    },
  }),
];

const tokenRequestKind = defineKind({
  ...identity,
  kind: 'TokenRequest',
  plural: 'serviceaccounts',
  scope: 'Namespaced',
  description: 'A token for a service account.',
  properties: {
    spec: object(
      {},
      {
        audiences: names('For whom the token is; this API unless given.'),
        expirationSeconds: integer({ format: 'int64', description: 'From 600 to 2^32; an hour unless given.' }),
        boundObjectRef: object(
          {},
          { kind: string(), apiVersion: string(), name: string(), uid: string() },
          { nullable: true, description: 'A Pod, Secret or Node: the token ends with it.' },
        ),
      },
    ),
    status: object({}, { token: string(), expirationTimestamp: string({ format: 'date-time' }) }),
  },
});

const RULES: ResourceRules = { ...CUSTOM_RULES, builtin: true, generation: false };

const reviews: readonly Resource[] = [...identityKinds, ...accessKinds].map((kind) =>
  resourceOf([{ ...kind, statusSubresource: false }], RULES),
);

/** The body of `serviceaccounts/NAME/token`. */
export const TOKEN_REQUEST: Resource = resourceOf([{ ...tokenRequestKind, statusSubresource: false }], RULES);

/** Questions that are answered and not stored, for discovery and OpenAPI. */
export const REVIEWS: readonly ApiResource[] = reviews.map(({ storage }) => ({ ...storage, verbs: ['create'] }));

/** The review of an address, or undefined when it is none. */
export function reviewAt(group: string, version: string, plural: string): Resource | undefined {
  return reviews.find((r) => r.group === group && r.plural === plural && r.storage.version === version);
}
