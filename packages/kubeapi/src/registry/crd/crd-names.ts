import type { FieldProblem, Json, JsonObject } from '@bloomery/model';
import { items, record, text } from '../../json-parts.ts';
import { invalid, notSupported, required } from '../../schema/index.ts';

const LABEL = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** What kube says about a name that is no DNS-1035 label. */
export const LABEL_RULE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with " +
  "an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an " +
  "alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const APPROVAL = 'api-approved.kubernetes.io';

/** Whether a text is a DNS-1035 label. */
export function isLabel(name: string): boolean {
  return LABEL.test(name);
}

/** What is wrong with group, scope and names. */
export function nameProblems(object: JsonObject): readonly FieldProblem[] {
  const spec = record(object['spec']);
  const names = record(spec['names']);
  const group = text(spec['group']);
  const plural = text(names['plural']);
  const name = text(record(object['metadata'])['name']);
  const problems: FieldProblem[] = [];
  if (name !== `${plural}.${group}`)
    problems.push(invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group'));
  problems.push(...groupProblems(group), ...approvalProblems(object, group), ...scopeProblems(text(spec['scope'])));
  problems.push(...label('spec.names.plural', plural), ...label('spec.names.singular', text(names['singular'])));
  problems.push(...kindName('spec.names.kind', names['kind']), ...kindName('spec.names.listKind', names['listKind']));
  if (text(names['kind']) !== '' && names['kind'] === names['listKind']) {
    problems.push(invalid('spec.names.listKind', text(names['listKind']), 'kind and listKind may not be the same'));
  }
  for (const list of ['shortNames', 'categories']) {
    for (const [i, one] of items(names[list]).entries()) {
      if (!isLabel(text(one))) problems.push(invalid(`spec.names.${list}[${i}]`, one, LABEL_RULE));
    }
  }
  return problems;
}

function groupProblems(group: string): readonly FieldProblem[] {
  if (group === '') return [required('spec.group')];
  if (group.length > 253 || !SUBDOMAIN.test(group)) return [invalid('spec.group', group, SUBDOMAIN_RULE)];
  return group.includes('.') ? [] : [invalid('spec.group', group, 'should be a domain with at least one dot')];
}

/** Whether a group belongs to Kubernetes: definitions in it need an approval. */
export function isProtectedGroup(group: string): boolean {
  return /(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group);
}

/** What the approval annotation of a definition says. */
export function approvalOf(object: JsonObject): 'missing' | 'bypassed' | 'approved' | 'invalid' {
  const approval = text(record(record(object['metadata'])['annotations'])[APPROVAL]);
  if (approval === '') return 'missing';
  if (approval.startsWith('unapproved')) return 'bypassed';
  return URL.canParse(approval) && /^[a-z]+:\/\/./i.test(approval) ? 'approved' : 'invalid';
}

function approvalProblems(object: JsonObject, group: string): readonly FieldProblem[] {
  if (!isProtectedGroup(group)) return [];
  const field = `metadata.annotations[${APPROVAL}]`;
  const rule = `protected groups must have approval annotation "${APPROVAL}"`;
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  switch (approvalOf(object)) {
    case 'missing':
      return [required(field, `${rule}, ${see}`)];
    case 'invalid': {
      const value = text(record(record(object['metadata'])['annotations'])[APPROVAL]);
      return [invalid(field, value, `${rule} with either a URL or a reason starting with "unapproved", ${see}`)];
    }
    default:
      return [];
  }
}

function scopeProblems(scope: string): readonly FieldProblem[] {
  if (scope === '') return [required('spec.scope')];
  const scopes = ['Cluster', 'Namespaced'];
  return scopes.includes(scope) ? [] : [notSupported('spec.scope', scope, scopes)];
}

function label(field: string, name: string): readonly FieldProblem[] {
  if (name === '') return [required(field)];
  return isLabel(name) ? [] : [invalid(field, name, LABEL_RULE)];
}

function kindName(field: string, name: Json | undefined): readonly FieldProblem[] {
  const value = text(name);
  if (value === '') return [required(field)];
  return isLabel(value.toLowerCase())
    ? []
    : [invalid(field, value, `may have mixed case, but should otherwise match: ${LABEL_RULE}`)];
}
