import { apiError } from '@bloomery/kube';
import { type FieldProblem, isJsonObject, type JsonObject } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { type Attributes, type Authorizer, errorsText } from '../auth/authorize.ts';
import { type PolicyRule, ruleJson } from '../auth/rbac/policy-rule.ts';
import type { User } from '../auth/user.ts';
import { record, text } from '../json-parts.ts';
import { badRequest } from '../pipeline/api-status.ts';
import { invalid, problemsText } from '../schema/index.ts';

const GROUP = 'authorization.k8s.io';

/**
 * Answer a review of authorization.k8s.io: the object with its status.
 *
 * @throws 422 for a question that is not one, 400 for a rules review without a namespace.
 */
export function answerAccessReview(authorizer: Authorizer, user: User, review: ApiObject): JsonObject {
  const spec = record(review['spec']);
  switch (review.kind) {
    case 'SelfSubjectRulesReview': {
      const namespace = text(spec['namespace']);
      if (namespace === '') throw badRequest('no namespace on request');
      return { ...review, spec: {}, status: rulesStatus(authorizer, user, namespace) };
    }
    case 'SelfSubjectAccessReview':
      refuse([...attributeProblems(spec), ...metadataProblems(review)]);
      return { ...review, status: accessStatus(authorizer, user, spec) };
    default: {
      const local = review.kind === 'LocalSubjectAccessReview' ? localProblems(review, spec) : metadataProblems(review);
      refuse([...attributeProblems(spec), ...subjectProblems(spec), ...local]);
      return { ...review, status: accessStatus(authorizer, subjectOf(spec), spec) };
    }
  }
}

function subjectOf(spec: JsonObject): User {
  const uid = text(spec['uid']);
  const groups = Array.isArray(spec['groups']) ? spec['groups'].map(text) : [];
  return { name: text(spec['user']), groups, ...(uid === '' ? {} : { uid }) };
}

function accessStatus(authorizer: Authorizer, user: User, spec: JsonObject): JsonObject {
  const { allowed, reason } = authorizer.decide(user, attributesOf(spec));
  return reason === '' ? { allowed } : { allowed, reason };
}

function attributesOf(spec: JsonObject): Attributes {
  const path = spec['nonResourceAttributes'];
  if (isJsonObject(path)) return { verb: text(path['verb']), path: text(path['path']) };
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

function rulesStatus(authorizer: Authorizer, user: User, namespace: string): JsonObject {
  const { rules, errors } = authorizer.rulesFor(user, namespace);
  const shown = (wanted: (rule: PolicyRule) => boolean): JsonObject[] => rules.filter(wanted).map(ruleJson);
  return {
    resourceRules: shown((rule) => rule.resources.length > 0),
    nonResourceRules: shown((rule) => rule.nonResourceURLs.length > 0),
    incomplete: false,
    ...(errors.length === 0 ? {} : { evaluationError: errorsText(errors) }),
  };
}

function attributeProblems(spec: JsonObject): readonly FieldProblem[] {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (isJsonObject(resource) && isJsonObject(path)) {
    return [
      invalid(
        'spec.nonResourceAttributes',
        printed(path),
        'cannot be specified in combination with resourceAttributes',
      ),
    ];
  }
  if (isJsonObject(path)) return [];
  if (!isJsonObject(resource)) {
    const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    return [invalid('spec.resourceAttributes', null, why)];
  }
  return (['fieldSelector', 'labelSelector'] as const).flatMap((name) => selectorProblems(resource, name));
}

function selectorProblems(resource: JsonObject, name: 'fieldSelector' | 'labelSelector'): readonly FieldProblem[] {
  const selector = resource[name];
  if (!isJsonObject(selector)) return [];
  const raw = text(selector['rawSelector']);
  const isBoth = raw !== '' && Array.isArray(selector['requirements']) && selector['requirements'].length > 0;
  const field = `spec.resourceAttributes.${name}.rawSelector`;
  return isBoth ? [invalid(field, raw, 'may not specified at the same time as requirements')] : [];
}

function subjectProblems(spec: JsonObject): readonly FieldProblem[] {
  const { name, groups } = subjectOf(spec);
  if (name !== '' || groups.length > 0) return [];
  return [invalid('spec.user', '', 'at least one of user or group must be specified')];
}

function metadataProblems({ metadata }: ApiObject): readonly FieldProblem[] {
  return Object.keys(metadata).length === 0 ? [] : [invalid('metadata', metadata, 'must be empty')];
}

function localProblems({ metadata }: ApiObject, spec: JsonObject): readonly FieldProblem[] {
  const { namespace = '', ...rest } = metadata;
  const problems =
    Object.keys(rest).length === 0 ? [] : [invalid('metadata', metadata, 'must be empty except for namespace')];
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (isJsonObject(resource) && text(resource['namespace']) !== namespace) {
    const field = 'spec.resourceAttributes.namespace';
    return [...problems, invalid(field, text(resource['namespace']), 'must match metadata.namespace')];
  }
  if (!isJsonObject(path)) return problems;
  return [...problems, invalid('spec.nonResourceAttributes', printed(path), 'disallowed on this kind of request')];
}

/** As Go prints the inner type, whose fields have no JSON names. */
function printed(path: JsonObject): JsonObject {
  return { Path: text(path['path']), Verb: text(path['verb']) };
}

/** kube-apiserver does not know the kind here: the message begins with the dot of the group. */
function refuse(problems: readonly FieldProblem[]): void {
  if (problems.length === 0) return;
  throw apiError({
    code: 422,
    reason: 'Invalid',
    message: `.${GROUP} "" is invalid: ${problemsText(problems)}`,
    details: { group: GROUP, causes: problems.map(({ reason, message, field }) => ({ reason, message, field })) },
  });
}
