import { isJsonObject, type JsonObject, jsonEqual } from '@bloomery/model';
import type { ApiObject } from '../../api-object.ts';
import { forbiddenBecause, notFound } from '../../pipeline/api-status.ts';
import type { ShapedWrite } from '../../pipeline/write-context.ts';
import type { WriteRequest } from '../../pipeline/write-request.ts';
import type { Authorizer } from '../authorize.ts';
import { MASTERS, type User } from '../user.ts';
import { type PolicyRule, readRules } from './policy-rule.ts';
import { RBAC_RESOURCES } from './rbac-index.ts';
import { ruleText, uncoveredRules } from './rule-coverage.ts';

const GROUP = 'rbac.authorization.k8s.io';
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
];

/**
 * Nobody gives what he has not: a role may hold only rules that its writer holds himself or may `escalate`, a binding only
 * name a role whose rules its writer holds or that he may `bind`. Writes without a user are the server's own.
 *
 * @throws 403 with the rules that are missing, 404 when a binding names a role that is not there.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
export function preventEscalation(authorizer: Authorizer, { request, before, after }: ShapedWrite): void {
  const { user, resource, namespace } = request;
  if (user === undefined || resource.group !== GROUP || user.groups.includes(MASTERS)) return;
  if (before !== undefined && isGarbageOnly(before, after)) return;
  const { name } = after.metadata;
  switch (resource.id) {
    case RBAC_RESOURCES.roles:
    case RBAC_RESOURCES.clusterRoles: {
      const asked = { verb: 'escalate', group: GROUP, resource: resource.plural, subresource: '', namespace, name };
      if (authorizer.decide(user, asked).allowed) return;
      requireHeld(authorizer, user, request, name, readRules(after));
      if (isAggregated(after) || isAggregated(before)) requireEverything(authorizer, user, request, name);
      return;
    }
    default: {
      const ref = isJsonObject(after['roleRef']) ? after['roleRef'] : {};
      const role = { kind: String(ref['kind'] ?? ''), name: String(ref['name'] ?? '') };
      const plural = role.kind === 'Role' ? 'roles' : 'clusterroles';
      const asked = { verb: 'bind', group: GROUP, resource: plural, subresource: '', namespace, name: role.name };
      if (authorizer.decide(user, asked).allowed) return;
      const rules = authorizer.rulesOf(role.kind, namespace, role.name);
      if (rules === undefined) throw notFound(resource, role.name);
      requireHeld(authorizer, user, request, name, rules);
    }
  }
}

function requireHeld(
  authorizer: Authorizer,
  user: User,
  request: WriteRequest,
  name: string,
  wanted: readonly PolicyRule[],
): void {
  const held = authorizer.rulesFor(user, request.namespace);
  const missing = uncoveredRules(held.rules, wanted);
  if (missing.length === 0) return;
  const groups = user.groups.map((group) => JSON.stringify(group)).join(' ');
  const rules = [...new Set(missing.map(ruleText))].sort().join('\n');
  const errors = held.errors.length === 0 ? '' : `; resolution errors: [${held.errors.join(' ')}]`;
  const why = `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${rules}${errors}`;
  throw forbiddenBecause(request.resource, name, why);
}

function requireEverything(authorizer: Authorizer, user: User, request: WriteRequest, name: string): void {
  if (uncoveredRules(authorizer.rulesFor(user, '').rules, EVERYTHING).length === 0) return;
  throw forbiddenBecause(request.resource, name, 'must have cluster-admin privileges to use the aggregationRule');
}

function isAggregated(role: JsonObject | undefined): boolean {
  return role?.['aggregationRule'] !== undefined && role['aggregationRule'] !== null;
}

/** Only finalizers and owners change: what garbage collection does. */
function isGarbageOnly(before: ApiObject, after: ApiObject): boolean {
  const rest = ({ metadata, ...object }: ApiObject): JsonObject => {
    const { finalizers: _, ownerReferences: __, managedFields: ___, resourceVersion: ____, ...meta } = metadata;
    return { ...object, metadata: meta as unknown as JsonObject };
  };
  return jsonEqual(rest(before), rest(after));
}
