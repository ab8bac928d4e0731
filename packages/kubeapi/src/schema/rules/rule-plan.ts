import type { schema } from '@bloomery/model';
import { compiledRules, isBroken, type RuleCompilation } from './compile-rules.ts';

type Schema = schema.Schema;

/** Where in a schema rules stand. Parts without rules have no plan. */
export interface RulePlan {
  readonly schema: Schema;
  /** Compiled when they are first run. */
  readonly rules: () => readonly RuleCompilation[];
  readonly properties: ReadonlyMap<string, RulePlan>;
  readonly values: RulePlan | undefined;
  readonly items: RulePlan | undefined;
  /** Some rule here or below compares with old values. */
  readonly hasTransitions: () => boolean;
}

const plans = new WeakMap<Schema, RulePlan | null>();

/** The plan of a schema, made once; undefined when it has no rules anywhere. */
export function rulePlan(schema: Schema, isResource: boolean): RulePlan | undefined {
  const known = plans.get(schema);
  if (known !== undefined) return known ?? undefined;
  const made = makePlan(schema, isResource);
  plans.set(schema, made ?? null);
  return made;
}

function makePlan(schema: Schema, isResource: boolean): RulePlan | undefined {
  const properties = new Map<string, RulePlan>();
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const plan = rulePlan(child, false);
    if (plan !== undefined) properties.set(name, plan);
  }
  const { additionalProperties } = schema;
  const values = typeof additionalProperties === 'object' ? rulePlan(additionalProperties, false) : undefined;
  const items = schema.items === undefined ? undefined : rulePlan(schema.items, false);
  const own = (schema['x-kubernetes-validations'] ?? []).length > 0;
  if (!own && properties.size === 0 && values === undefined && items === undefined) return undefined;
  const rules = (): readonly RuleCompilation[] => (own ? compiledRules(schema, isResource) : []);
  let transitions: boolean | undefined;
  const hasTransitions = (): boolean => {
    transitions ??=
      rules().some((rule) => !isBroken(rule) && rule.isTransition) ||
      [...properties.values(), values, items].some((plan) => plan?.hasTransitions() === true);
    return transitions;
  };
  return { schema, rules, properties, values, items, hasTransitions };
}
