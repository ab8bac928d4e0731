import type { schema } from '@bloomery/model';
import { type CelProgram, compileIn, kubernetesEnvironment } from '../../cel/index.ts';
import { type Rule, rulesOf } from './rule.ts';
import { declareType, type SelfType } from './self-type.ts';

type Schema = schema.Schema;

/** A rule that can be run. */
export interface CompiledRule {
  readonly rule: Rule;
  readonly self: SelfType;
  readonly program: CelProgram;
  readonly messageProgram: CelProgram | undefined;
  /** It compares with the old value: it runs only where there is one, or `optionalOldSelf` is set. */
  readonly isTransition: boolean;
}

/** A rule that cannot. */
export interface BrokenRule {
  readonly rule: Rule;
  /** Which member is wrong. */
  readonly at: 'rule' | 'messageExpression' | 'optionalOldSelf';
  readonly message: string;
}

export type RuleCompilation = CompiledRule | BrokenRule;

export function isBroken(rule: RuleCompilation): rule is BrokenRule {
  return 'at' in rule;
}

const compiled = new WeakMap<Schema, readonly RuleCompilation[]>();

/** Compile the rules that stand at a schema itself; once for each schema. */
export function compiledRules(schema: Schema, isResource: boolean): readonly RuleCompilation[] {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const rules = rulesOf(schema);
  const used = new Set(rules.flatMap(({ rule, messageExpression }) => [...words(rule), ...words(messageExpression)]));
  const scopes = new Map<boolean, Scope | undefined>();
  const made = rules.map((rule) => {
    const optional = rule.optionalOldSelf === true;
    if (!scopes.has(optional)) scopes.set(optional, scopeOf(schema, isResource, used, optional));
    return compileRule(rule, scopes.get(optional));
  });
  compiled.set(schema, made);
  return made;
}

/** What rules of a schema can name: `self` and `oldSelf`. */
interface Scope {
  readonly env: ReturnType<typeof kubernetesEnvironment>;
  readonly self: SelfType;
}

function scopeOf(
  schema: Schema,
  isResource: boolean,
  used: ReadonlySet<string>,
  optionalOldSelf: boolean,
): Scope | undefined {
  const env = kubernetesEnvironment();
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const self = declareType(env, schema, 'selfType', used, isResource || isEmbedded);
  if (self === undefined) return undefined;
  env.registerVariable('self', self.name);
  env.registerVariable('oldSelf', optionalOldSelf ? `optional<${self.name}>` : self.name);
  return { env, self };
}

function words(text: string): readonly string[] {
  return text.match(/[A-Za-z_][A-Za-z0-9_]*/g) ?? [];
}

function compileRule(rule: Rule, scope: Scope | undefined): RuleCompilation {
  if (scope === undefined) {
    return { rule, at: 'rule', message: 'compilation failed: the schema has no type that rules can see' };
  }
  const { env, self } = scope;
  const result = compileIn(env, rule.rule);
  if (!result.ok) return { rule, at: 'rule', message: `compilation failed: ${result.message}` };
  const { program } = result;
  if (program.type !== 'bool' && program.type !== 'dyn')
    return { rule, at: 'rule', message: 'cel expression must evaluate to a bool' };
  const isTransition = program.reads.has('oldSelf');
  if (rule.optionalOldSelf !== undefined && !isTransition) {
    return { rule, at: 'optionalOldSelf', message: 'may not be set if oldSelf is not used in rule' };
  }
  if (rule.messageExpression === '') return { rule, self, program, messageProgram: undefined, isTransition };
  const message = compileIn(env, rule.messageExpression);
  if (!message.ok)
    return { rule, at: 'messageExpression', message: `messageExpression compilation failed: ${message.message}` };
  if (message.program.type !== 'string' && message.program.type !== 'dyn') {
    return { rule, at: 'messageExpression', message: 'messageExpression must evaluate to a string' };
  }
  return { rule, self, program, messageProgram: message.program, isTransition };
}
