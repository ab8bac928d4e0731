import { type FieldProblem, isJsonObject, type Json, type JsonObject, jsonEqual, type schema } from '@bloomery/model';
import { Optional } from '@marcbachmann/cel-js';
import { type CelProgram, OUT_OF_BUDGET, WorkBudget } from '../../cel/index.ts';
import { correlateItems } from '../correlate-items.ts';
import { duplicate, forbidden, invalid, NO_FIELD, required } from '../field-causes.ts';
import { itemPath, memberPath, ownMember } from '../field-path.ts';
import { type CompiledRule, isBroken, type RuleCompilation } from './compile-rules.ts';
import { ruleFieldPath } from './field-path-of-rule.ts';
import { type RulePlan, rulePlan } from './rule-plan.ts';

/** The work that all rules of one object may do: some tenths of a second on a slow machine. */
const OBJECT_BUDGET = 1_000_000;
/** Longer messages of expressions are not shown. */
const MAX_MESSAGE = 5 * 1024;

/**
 * Check an object by the rules of its schema. The structure must be valid.
 *
 * @param old the stored object, for an update: rules with `oldSelf` compare with it, and rules without are not asked about
 *   parts that have not changed.
 */
export function checkRules(
  schema: schema.Schema,
  object: JsonObject,
  old: JsonObject | undefined,
): readonly FieldProblem[] {
  const plan = rulePlan(schema, true);
  if (plan === undefined) return [];
  const check = new Check();
  check.walk(plan, object, old, '', false);
  return check.problems;
}

class Check {
  readonly problems: FieldProblem[] = [];
  readonly #budget = new WorkBudget(OBJECT_BUDGET);

  walk(plan: RulePlan, value: Json, old: Json | undefined, path: string, unchangedAbove: boolean): void {
    if (value === null) return;
    const unchanged = unchangedAbove || (old !== undefined && jsonEqual(value, old));
    if ((unchanged && !plan.hasTransitions()) || this.#budget.isSpent) return;
    for (const rule of plan.rules()) {
      this.#run(plan, rule, value, old, path, unchanged);
      if (this.#budget.isSpent) return;
    }
    if (Array.isArray(value)) this.#items(plan, value, old, path, unchanged);
    else if (isJsonObject(value)) this.#members(plan, value, isJsonObject(old) ? old : undefined, path, unchanged);
  }

  #members(plan: RulePlan, value: JsonObject, old: JsonObject | undefined, path: string, unchanged: boolean): void {
    for (const [name, child] of plan.properties) {
      const member = ownMember(value, name);
      if (member !== undefined) this.walk(child, member, ownMember(old, name), memberPath(path, name), unchanged);
    }
    if (plan.values === undefined) return;
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined || plan.schema.properties?.[name] !== undefined) continue;
      this.walk(plan.values, member, ownMember(old, name), `${path}[${name}]`, unchanged);
    }
  }

  #items(
    { items, schema }: RulePlan,
    value: readonly Json[],
    old: Json | undefined,
    path: string,
    unchanged: boolean,
  ): void {
    if (items === undefined) return;
    const before = correlateItems(schema, old);
    for (const [i, item] of value.entries()) this.walk(items, item, before(item), itemPath(path, i), unchanged);
  }

  #run(
    { schema }: RulePlan,
    rule: RuleCompilation,
    value: Json,
    old: Json | undefined,
    path: string,
    unchanged: boolean,
  ): void {
    const type = schema.type ?? 'object';
    if (isBroken(rule)) {
      if (!unchanged)
        this.problems.push(invalid(path === '' ? NO_FIELD : path, type, `rule compile error: ${rule.message}`));
      return;
    }
    const { rule: source, isTransition, self, program } = rule;
    const optional = source.optionalOldSelf === true;
    if (isTransition ? old === undefined && !optional : unchanged) return;
    const before = old === undefined ? undefined : self.convert(old);
    const oldSelf = optional ? (before === undefined ? Optional.none() : Optional.of(before)) : (before ?? null);
    const variables = { self: self.convert(value), oldSelf };
    const result = program.evaluate(variables, this.#budget);
    const at = path === '' ? NO_FIELD : path;
    if (result.ok && result.value === true) return;
    if (result.ok) {
      const message = messageOf(rule, variables, this.#budget);
      const field = (source.fieldPath === '' ? undefined : ruleFieldPath(schema, source.fieldPath, path)) ?? at;
      this.problems.push(problem(source.reason, field, type, message));
    } else if (this.#budget.isSpent) {
      this.problems.push(invalid(at, type, `${OUT_OF_BUDGET.message}: no further validation rules will be run`));
    } else {
      this.problems.push(invalid(at, type, `${result.message} evaluating rule: ${fixedMessage(rule) ?? source.rule}`));
    }
  }
}

function fixedMessage({ rule }: CompiledRule): string | undefined {
  const message = rule.message.trim();
  return message === '' ? undefined : message;
}

function messageOf(rule: CompiledRule, variables: Readonly<Record<string, unknown>>, budget: WorkBudget): string {
  const computed =
    rule.messageProgram === undefined ? undefined : computedMessage(rule.messageProgram, variables, budget);
  return computed ?? fixedMessage(rule) ?? `failed rule: ${rule.rule.rule.trim()}`;
}

/** An expression that fails, or gives an empty, long or multi-line text, counts as absent. */
function computedMessage(
  program: CelProgram,
  variables: Readonly<Record<string, unknown>>,
  budget: WorkBudget,
): string | undefined {
  const result = program.evaluate(variables, budget);
  if (!result.ok || typeof result.value !== 'string') return undefined;
  const text = result.value.trim();
  return text === '' || text.length > MAX_MESSAGE || text.includes('\n') ? undefined : text;
}

function problem(reason: string | undefined, field: string, type: string, message: string): FieldProblem {
  switch (reason) {
    case 'FieldValueRequired':
      return required(field, message);
    case 'FieldValueForbidden':
      return forbidden(field, message);
    case 'FieldValueDuplicate':
      return duplicate(field, type);
    default:
      return invalid(field, type, message);
  }
}
