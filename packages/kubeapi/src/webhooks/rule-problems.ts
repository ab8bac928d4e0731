import type { FieldProblem, JsonObject } from '@bloomery/model';
import { texts } from '../json-parts.ts';
import { invalid, notSupported, required } from '../schema/index.ts';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SCOPES = ['*', 'Cluster', 'Namespaced'];

/** What is wrong with a rule of a webhook. */
export function ruleProblems(rule: JsonObject, field: string): readonly FieldProblem[] {
  const operations = texts(rule['operations']);
  const { scope } = rule;
  const isScope = scope === undefined || (typeof scope === 'string' && SCOPES.includes(scope));
  return [
    ...listProblems(operations, `${field}.operations`, 'operations', true),
    ...operations.flatMap((operation, i) =>
      OPERATIONS.includes(operation) ? [] : [notSupported(`${field}.operations[${i}]`, operation, OPERATIONS)],
    ),
    ...listProblems(texts(rule['apiGroups']), `${field}.apiGroups`, 'API groups', true),
    ...listProblems(texts(rule['apiVersions']), `${field}.apiVersions`, 'API versions', false),
    ...resourceProblems(texts(rule['resources']), `${field}.resources`),
    ...(isScope ? [] : [notSupported(`${field}.scope`, scope, SCOPES)]),
  ];
}

function listProblems(
  values: readonly string[],
  field: string,
  what: string,
  emptyAllowed: boolean,
): readonly FieldProblem[] {
  if (values.length === 0) return [required(field)];
  const mixed = values.length > 1 && values.includes('*');
  return [
    ...(emptyAllowed ? [] : values.flatMap((value, i) => (value === '' ? [required(`${field}[${i}]`)] : []))),
    ...(mixed ? [invalid(field, values, `if '*' is present, must not specify other ${what}`)] : []),
  ];
}

function resourceProblems(resources: readonly string[], field: string): readonly FieldProblem[] {
  if (resources.length === 0) return [required(field)];
  const wholes = new Set<string>();
  const subs = new Set<string>();
  const problems = resources.flatMap((resource, i) => {
    const place = `${field}[${i}]`;
    if (resource === '') return [required(place)];
    const slash = resource.indexOf('/');
    const [name, sub] = slash < 0 ? [resource, ''] : [resource.slice(0, slash), resource.slice(slash + 1)];
    if (sub === '*') wholes.add(name);
    if (name === '*') subs.add(sub);
    if (sub !== '*' && sub !== '' && wholes.has(name))
      return [invalid(place, resource, `if '${name}/*' is present, must not specify ${resource}`)];
    if (name !== '*' && sub !== '' && subs.has(sub))
      return [invalid(place, resource, `if '*/${sub}' is present, must not specify ${resource}`)];
    return [];
  });
  const plain = resources.filter((resource) => !resource.includes('/'));
  if (resources.length > 1 && resources.includes('*/*'))
    problems.push(invalid(field, resources, "if '*/*' is present, must not specify other resources"));
  if (plain.length > 1 && plain.includes('*'))
    problems.push(
      invalid(field, resources, "if '*' is present, must not specify other resources without subresources"),
    );
  return problems;
}
