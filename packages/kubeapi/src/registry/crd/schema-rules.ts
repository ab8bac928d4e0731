import type { FieldProblem, JsonObject, schema } from '@bloomery/model';
import {
  compiledRules,
  forbidden,
  invalid,
  isBroken,
  notSupported,
  type Rule,
  required,
  ruleFieldPath,
  rulesOf,
} from '../../schema/index.ts';

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const MAX_MESSAGE = 2048;

/**
 * What is wrong with the rules at one schema. Rules are compiled only when their other members are in order.
 *
 * @param uncorrelated path of the list above whose items have no old counterparts; undefined when all have.
 */
export function ruleProblems(
  node: JsonObject,
  path: string,
  isRoot: boolean,
  uncorrelated: string | undefined,
): readonly FieldProblem[] {
  const typed = node as schema.Schema;
  const rules = rulesOf(typed);
  if (rules.length === 0) return [];
  const at = (i: number): string => `${path}.x-kubernetes-validations[${i}]`;
  if (typed.type === undefined && typed['x-kubernetes-int-or-string'] !== true) {
    return [forbidden(`${path}.x-kubernetes-validations`, 'must not be set where there is no type')];
  }
  const plain = rules.flatMap((rule, i) => memberProblems(typed, rule, at(i)));
  if (plain.length > 0) return plain;
  return compiledRules(typed, isRoot).flatMap((compiled, i) => {
    const { rule } = compiled;
    if (isBroken(compiled)) {
      const field = `${at(i)}.${compiled.at}`;
      if (compiled.at === 'optionalOldSelf') return [invalid(field, rule.optionalOldSelf ?? false, compiled.message)];
      return [{ field, reason: 'FieldValueInvalid', message: `Invalid value: ${goRule(rule)}: ${compiled.message}` }];
    }
    if (uncorrelated === undefined || !compiled.isTransition) return [];
    const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`;
    return [invalid(`${at(i)}.rule`, rule.rule, why)];
  });
}

function memberProblems(schema: schema.Schema, rule: Rule, path: string): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const { message, reason, fieldPath } = rule;
  if (rule.rule.trim() === '') problems.push(required(`${path}.rule`, 'rule is not specified'));
  if (message !== '' && message.trim() === '')
    problems.push(invalid(`${path}.message`, message, 'must be non-empty if specified'));
  else if (/[\n\r]/.test(message)) problems.push(invalid(`${path}.message`, message, 'must not contain line breaks'));
  else if (message.length > MAX_MESSAGE) {
    problems.push(
      invalid(
        `${path}.message`,
        `${message.slice(0, 10)}...`,
        `must have a maximum length of ${MAX_MESSAGE} characters`,
      ),
    );
  } else if (message === '' && /[\n\r]/.test(rule.rule)) {
    problems.push(required(`${path}.message`, 'message must be specified if rule contains line breaks'));
  }
  if (reason !== undefined && !REASONS.includes(reason)) problems.push(notSupported(`${path}.reason`, reason, REASONS));
  if (fieldPath !== '' && ruleFieldPath(schema, fieldPath, '') === undefined) {
    problems.push(invalid(`${path}.fieldPath`, fieldPath, 'must be a valid path'));
  }
  return problems;
}

/** A rule as kube-apiserver prints its structure. */
function goRule(rule: Rule): string {
  const printed = {
    Rule: rule.rule,
    Message: rule.message,
    MessageExpression: rule.messageExpression,
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath,
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
  return JSON.stringify(printed).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
