import { type FieldProblem, isJsonObject, type Json } from '@bloomery/model';
import { forbidden, invalid, required } from '../schema/index.ts';

const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const PREFIX = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** How a qualified name must look, as kube-apiserver says it. */
export const KEY_RULE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/** Whether a text is a qualified name: `name` or `prefix/name`. */
export function isLabelKey(key: string): boolean {
  const slash = key.lastIndexOf('/');
  const name = key.slice(slash + 1);
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  if (name.length > 63 || !NAME.test(name)) return false;
  return prefix === undefined || (prefix.length <= 253 && PREFIX.test(prefix));
}

/** What is wrong with a metav1.LabelSelector. */
export function selectorProblems(value: Json | undefined, field: string): readonly FieldProblem[] {
  if (!isJsonObject(value)) return [];
  const { matchLabels, matchExpressions } = value;
  const pairs = isJsonObject(matchLabels) ? Object.entries(matchLabels) : [];
  const expressions = Array.isArray(matchExpressions) ? matchExpressions : [];
  return [
    ...pairs.flatMap(([key, label]) => [
      ...keyProblems(key, `${field}.matchLabels`),
      ...valueProblems(label, `${field}.matchLabels`),
    ]),
    ...expressions.flatMap((expression: Json, i) => expressionProblems(expression, `${field}.matchExpressions[${i}]`)),
  ];
}

function expressionProblems(expression: Json, field: string): readonly FieldProblem[] {
  const { key = '', operator = '', values } = isJsonObject(expression) ? expression : {};
  const list = Array.isArray(values) ? values : [];
  const problems = [...keyProblems(String(key), `${field}.key`)];
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (list.length === 0)
        problems.unshift(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (list.length > 0)
        problems.unshift(
          forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      break;
    default:
      problems.unshift(invalid(`${field}.operator`, operator, 'not a valid selector operator'));
  }
  return [...problems, ...list.flatMap((label: Json, i) => valueProblems(label, `${field}.values[${i}]`))];
}

function keyProblems(key: string, field: string): FieldProblem[] {
  return isLabelKey(key) ? [] : [invalid(field, key, KEY_RULE)];
}

function valueProblems(label: Json | undefined, field: string): readonly FieldProblem[] {
  const isValue = typeof label === 'string' && label.length <= 63 && VALUE.test(label);
  return isValue ? [] : [invalid(field, label ?? null, VALUE_RULE)];
}
