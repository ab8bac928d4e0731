import {
  type Admission,
  compileLabelSelector,
  type FieldProblem,
  isJsonObject,
  type Json,
  type JsonObject,
  jsonEqual,
  type LabelSelector,
} from '@bloomery/model';
import { records, text } from '../json-parts.ts';
import { invalid, notSupported, pathSegmentProblems, required } from '../schema/index.ts';

const RBAC_GROUP = 'rbac.authorization.k8s.io';
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/** What a Role must hold to: its rules are for resources. */
export function admitRole(role: JsonObject): Admission {
  return { problems: ruleProblems(role, true) };
}

/** What a ClusterRole must hold to: its rules are for resources or for paths, and what it aggregates can be selected. */
export function admitClusterRole(role: JsonObject): Admission {
  const aggregation = role['aggregationRule'];
  return {
    problems: [...ruleProblems(role, false), ...(isJsonObject(aggregation) ? aggregationProblems(aggregation) : [])],
  };
}

/** What a RoleBinding must hold to. Its role cannot be changed. */
export function admitRoleBinding(binding: JsonObject, old: JsonObject | undefined): Admission {
  return { problems: bindingProblems(binding, old, ['Role', 'ClusterRole']) };
}

/** What a ClusterRoleBinding must hold to: only ClusterRoles, and service accounts with their namespace. */
export function admitClusterRoleBinding(binding: JsonObject, old: JsonObject | undefined): Admission {
  return { problems: bindingProblems(binding, old, ['ClusterRole']) };
}

function ruleProblems(role: JsonObject, namespaced: boolean): readonly FieldProblem[] {
  return records(role['rules']).flatMap((rule, i) => {
    const at = `rules[${i}]`;
    const count = (name: string): number => (Array.isArray(rule[name]) ? rule[name].length : 0);
    const verbs = count('verbs') > 0 ? [] : [required(`${at}.verbs`, 'verbs must contain at least one value')];
    if (count('nonResourceURLs') > 0) {
      const urls = (why: string): FieldProblem => invalid(`${at}.nonResourceURLs`, rule['nonResourceURLs'] ?? [], why);
      const both = count('apiGroups') + count('resources') + count('resourceNames') > 0;
      return [
        ...verbs,
        ...(namespaced ? [urls('namespaced rules cannot apply to non-resource URLs')] : []),
        ...(both ? [urls('rules cannot apply to both regular resources and non-resource URLs')] : []),
      ];
    }
    const need = (name: string, what: string): FieldProblem[] =>
      count(name) > 0 ? [] : [required(`${at}.${name}`, `resource rules must supply at least one ${what}`)];
    return [...verbs, ...need('apiGroups', 'api group'), ...need('resources', 'resource')];
  });
}

function aggregationProblems(aggregation: JsonObject): readonly FieldProblem[] {
  const field = 'aggregationRule.clusterRoleSelectors';
  const selectors = records(aggregation['clusterRoleSelectors']);
  if (selectors.length === 0)
    return [required(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil')];
  return selectors.flatMap((selector, i) => {
    const compiled = isSelector(selector) ? compileLabelSelector(selector) : { ok: false };
    if (compiled.ok) return [];
    return [
      ...operatorProblems(selector, `${field}[${i}]`),
      invalid(`${field}[${i}]`, null, 'invalid label selector.'),
    ];
  });
}

function isSelector(selector: JsonObject): selector is JsonObject & LabelSelector {
  const { matchLabels: labels, matchExpressions: expressions } = selector;
  const areLabels = labels === undefined || (isJsonObject(labels) && Object.values(labels).every(isText));
  if (expressions === undefined || !areLabels) return areLabels;
  return (
    Array.isArray(expressions) &&
    expressions.filter(isJsonObject).length === expressions.length &&
    records(expressions).every(({ key, operator, values }) => {
      const areValues = values === undefined || (Array.isArray(values) && values.every(isText));
      return isText(key) && isText(operator) && areValues;
    })
  );
}

function isText(value: Json | undefined): boolean {
  return typeof value === 'string';
}

const OPERATORS: ReadonlySet<Json | undefined> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

function operatorProblems(selector: JsonObject, at: string): readonly FieldProblem[] {
  return records(selector['matchExpressions']).flatMap(({ operator = '' }, i) =>
    OPERATORS.has(operator)
      ? []
      : [invalid(`${at}.matchExpressions[${i}].operator`, operator, 'not a valid selector operator')],
  );
}

function bindingProblems(
  binding: JsonObject,
  old: JsonObject | undefined,
  kinds: readonly string[],
): readonly FieldProblem[] {
  const ref = isJsonObject(binding['roleRef']) ? binding['roleRef'] : {};
  const [apiGroup, kind, name] = [text(ref['apiGroup']), text(ref['kind']), text(ref['name'])];
  const isChanged = old !== undefined && !jsonEqual(old['roleRef'], binding['roleRef']);
  return [
    ...(apiGroup === RBAC_GROUP || apiGroup === '' ? [] : [notSupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP])]),
    ...(kinds.includes(kind) ? [] : [notSupported('roleRef.kind', kind, kinds)]),
    ...(name === '' ? [required('roleRef.name')] : pathSegmentProblems('roleRef.name', name)),
    ...records(binding['subjects']).flatMap((subject, i) =>
      subjectProblems(subject, `subjects[${i}]`, kinds.length > 1),
    ),
    ...(isChanged ? [invalid('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef')] : []),
  ];
}

function subjectProblems(subject: JsonObject, at: string, namespaced: boolean): readonly FieldProblem[] {
  const [apiGroup, kind, name] = [text(subject['apiGroup']), text(subject['kind']), text(subject['name'])];
  const unnamed = name === '' ? [required(`${at}.name`)] : [];
  const inGroup = (wanted: string): FieldProblem[] =>
    apiGroup === wanted ? [] : [notSupported(`${at}.apiGroup`, apiGroup, [wanted])];
  switch (kind) {
    case 'ServiceAccount':
      return [
        ...unnamed,
        ...(name === '' || SUBDOMAIN.test(name) ? [] : [invalid(`${at}.name`, name, SUBDOMAIN_RULE)]),
        ...inGroup(''),
        ...(namespaced || text(subject['namespace']) !== '' ? [] : [required(`${at}.namespace`)]),
      ];
    case 'User':
    case 'Group':
      return [...unnamed, ...inGroup(RBAC_GROUP)];
    default:
      return [...unnamed, notSupported(`${at}.kind`, kind, ['ServiceAccount', 'User', 'Group'])];
  }
}
