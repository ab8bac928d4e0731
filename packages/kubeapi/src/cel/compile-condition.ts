import type { Json } from '@bloomery/model';
import { compileIn } from './compile-cel.ts';
import { kubernetesEnvironment } from './environment.ts';
import { dynamicValue } from './typed-value.ts';
import { WorkBudget } from './work-budget.ts';

/** A compiled condition of an admission webhook. */
export type Condition =
  | {
      readonly ok: true;
      /** Never throws; `ok: false` is a failure at run time, which `failurePolicy` decides about. */
      readonly evaluate: (
        variables: Readonly<Record<string, Json | undefined>>,
      ) => { readonly ok: true; readonly value: boolean } | { readonly ok: false; readonly message: string };
    }
  | { readonly ok: false; readonly message: string };

/** The work that one condition may do: some tenth of a second. */
const CONDITION_BUDGET = 100_000;

/**
 * Compile a CEL expression over JSON variables, such as a webhook's `matchConditions` with `object`, `oldObject` and `request`.
 * Variables are dynamic: a missing field is a failure at run time. Absent variables are null. There is no `authorizer`.
 */
export function compileCel(expression: string, variableNames: readonly string[]): Condition {
  const env = kubernetesEnvironment();
  for (const name of variableNames) env.registerVariable(name, 'dyn');
  const compiled = compileIn(env, expression);
  if (!compiled.ok) return compiled;
  const { program } = compiled;
  if (program.type !== 'bool' && program.type !== 'dyn') {
    return { ok: false, message: `must evaluate to bool but got ${program.type}` };
  }
  const read = variableNames.filter((name) => program.reads.has(name));
  return {
    ok: true,
    evaluate(variables) {
      const values = Object.fromEntries(read.map((name) => [name, dynamicValue(variables[name] ?? null)]));
      const result = program.evaluate(values, new WorkBudget(CONDITION_BUDGET));
      if (!result.ok) return result;
      if (typeof result.value !== 'boolean') return { ok: false, message: 'the condition gave no bool' };
      return { ok: true, value: result.value };
    },
  };
}
