import type { Admission, FieldProblem, Json, JsonObject } from '@bloomery/model';
import { compileCel } from '../cel/index.ts';
import { records, text } from '../json-parts.ts';
import { duplicate, invalid, notSupported, required, tooMany } from '../schema/index.ts';
import { clientConfigProblems } from './client-config-problems.ts';
import { CONDITION_VARIABLES } from './match-conditions.ts';
import { ruleProblems } from './rule-problems.ts';
import { isLabelKey, KEY_RULE, selectorProblems } from './selector-problems.ts';

const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const DNS_1035 = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;
const DNS_1035_RULE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const MAX_CONDITIONS = 64;

/** Checks of a MutatingWebhookConfiguration or ValidatingWebhookConfiguration, in the words of kube-apiserver. */
export function admitConfiguration(object: JsonObject): Admission {
  const webhooks = records(object['webhooks']);
  const names = webhooks.map((webhook) => text(webhook['name']));
  return {
    problems: webhooks.flatMap((webhook, i) => {
      const field = `webhooks[${i}]`;
      const name = names[i] ?? '';
      const twice = name !== '' && names.indexOf(name) < i ? [duplicate(`${field}.name`, name)] : [];
      return [...webhookProblems(webhook, field), ...twice];
    }),
  };
}

function webhookProblems(webhook: JsonObject, field: string): readonly FieldProblem[] {
  const timeout = webhook['timeoutSeconds'];
  const late = typeof timeout === 'number' && (timeout < 1 || timeout > 30);
  return [
    ...nameProblems(text(webhook['name']), `${field}.name`),
    ...records(webhook['rules']).flatMap((rule, i) => ruleProblems(rule, `${field}.rules[${i}]`)),
    ...choiceProblems(webhook['failurePolicy'], `${field}.failurePolicy`, ['Fail', 'Ignore']),
    ...choiceProblems(webhook['matchPolicy'], `${field}.matchPolicy`, ['Equivalent', 'Exact']),
    ...sideEffectProblems(webhook['sideEffects'], `${field}.sideEffects`),
    ...(late
      ? [invalid(`${field}.timeoutSeconds`, timeout, 'the timeout value must be between 1 and 30 seconds')]
      : []),
    ...selectorProblems(webhook['namespaceSelector'], `${field}.namespaceSelector`),
    ...selectorProblems(webhook['objectSelector'], `${field}.objectSelector`),
    ...clientConfigProblems(`${field}.clientConfig`, webhook['clientConfig']),
    ...versionProblems(webhook['admissionReviewVersions'], `${field}.admissionReviewVersions`),
    ...choiceProblems(webhook['reinvocationPolicy'], `${field}.reinvocationPolicy`, ['IfNeeded', 'Never']),
    ...conditionProblems(records(webhook['matchConditions']), `${field}.matchConditions`),
  ];
}

function nameProblems(name: string, field: string): readonly FieldProblem[] {
  if (name === '') return [required(field)];
  if (name.length > 253 || !SUBDOMAIN.test(name)) return [invalid(field, name, SUBDOMAIN_RULE)];
  if (name.split('.').length >= 3) return [];
  return [invalid(field, name, 'should be a domain with at least three segments separated by dots')];
}

function choiceProblems(value: Json | undefined, field: string, choices: readonly string[]): readonly FieldProblem[] {
  const isChosen = value === undefined || (typeof value === 'string' && choices.includes(value));
  return isChosen ? [] : [notSupported(field, value, choices)];
}

function sideEffectProblems(value: Json | undefined, field: string): readonly FieldProblem[] {
  const choices = ['None', 'NoneOnDryRun'];
  if (value === undefined) return [required(field, `must specify one of ${choices.join(', ')}`)];
  return choiceProblems(value, field, choices);
}

function versionProblems(value: Json | undefined, field: string): readonly FieldProblem[] {
  const versions = Array.isArray(value) ? value.map((version: Json) => text(version)) : [];
  if (versions.length === 0) return [required(field, 'must specify one of v1, v1beta1')];
  const problems = versions.flatMap((version, i) => {
    if (versions.indexOf(version) < i) return [invalid(`${field}[${i}]`, version, 'duplicate version')];
    return DNS_1035.test(version) ? [] : [invalid(`${field}[${i}]`, version, DNS_1035_RULE)];
  });
  if (versions.includes('v1') || versions.includes('v1beta1')) return problems;
  return [...problems, invalid(field, versions, 'must include at least one of v1, v1beta1')];
}

function conditionProblems(conditions: readonly JsonObject[], field: string): readonly FieldProblem[] {
  if (conditions.length > MAX_CONDITIONS) return [tooMany(field, conditions.length, MAX_CONDITIONS)];
  const names = conditions.map((condition) => text(condition['name']));
  return conditions.flatMap((condition, i) => {
    const place = `${field}[${i}]`;
    const name = names[i] ?? '';
    const known = names.indexOf(name) < i ? [duplicate(`${place}.name`, name)] : [];
    const named =
      name === '' ? [required(`${place}.name`)] : isLabelKey(name) ? [] : [invalid(`${place}.name`, name, KEY_RULE)];
    return [...expressionProblems(text(condition['expression']), `${place}.expression`), ...named, ...known];
  });
}

function expressionProblems(expression: string, field: string): readonly FieldProblem[] {
  if (expression.trim() === '') return [required(field)];
  const compiled = compileCel(expression, CONDITION_VARIABLES);
  return compiled.ok ? [] : [invalid(field, expression, compiled.message)];
}
