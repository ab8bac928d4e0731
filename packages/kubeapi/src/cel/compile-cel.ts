import type { Environment } from '@marcbachmann/cel-js';
import { compileText, isCelFailure } from './compile-text.ts';
import { EvaluationFailure } from './evaluation-failure.ts';
import { linearPattern } from './linear-pattern.ts';
import { allNodes, isTreeNode, meterWork, plainNames, redirectCalls, type TreeNode } from './syntax-tree.ts';
import { OUT_OF_BUDGET, type WorkBudget, withBudget } from './work-budget.ts';

/** What an evaluation gave: a value, or why there is none. */
export type CelResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };

/** A compiled expression. It can be evaluated any number of times, one at a time. */
export interface CelProgram {
  /** The static type of its value: `bool`, `string`, `dyn` … */
  readonly type: string;
  /** Names of the variables that it reads. */
  readonly reads: ReadonlySet<string>;
  /** Never throws. A spent budget is a failure. */
  evaluate(variables: Readonly<Record<string, unknown>>, budget: WorkBudget): CelResult;
}

export type CelCompilation =
  | { readonly ok: true; readonly program: CelProgram }
  | {
      readonly ok: false;
      /** As cel-go prints it, with the place in the source. */
      readonly message: string;
    };

/** Expressions longer than this are refused. */
const MAX_SOURCE = 64 * 1024;

/** Compile an expression in an environment that declares its variables. */
export function compileIn(env: Environment, source: string): CelCompilation {
  if (source.length > MAX_SOURCE)
    return {
      ok: false,
      message: `expression code point size exceeds limit: size: ${source.length}, limit ${MAX_SOURCE}`,
    };
  try {
    const parsed = env.parse(source);
    const root: unknown = parsed.ast;
    if (!isTreeNode(root)) throw new TypeError('no syntax tree');
    const nodes = allNodes(root);
    redirectCalls(nodes);
    const checked = parsed.check();
    if (!checked.valid) return { ok: false, message: compileText(env, source, checked.error) };
    const wrong = brokenPattern(nodes);
    if (wrong !== undefined) {
      const at = wrong.start;
      return { ok: false, message: compileText(env, source, invalidMatches(at)) };
    }
    // The check has expanded nothing new, but it has chosen how nodes are evaluated.
    meterWork(nodes);
    const reads = new Set(
      nodes.flatMap((node) => (node.op === 'id' && typeof node.args === 'string' ? [node.args] : [])),
    );
    const type = checked.type ?? 'dyn';
    return {
      ok: true,
      program: { type, reads, evaluate: (variables, budget) => evaluated(parsed, variables, budget) },
    };
  } catch (error) {
    return { ok: false, message: compileText(env, source, error) };
  }
}

function invalidMatches(start: number): Error {
  const summary = 'invalid matches argument';
  return Object.assign(new Error(summary), { code: 'invalid_pattern', summary, range: { start, end: start } });
}

/** The argument of a `matches` that is a literal and no RE2 pattern. */
function brokenPattern(nodes: readonly TreeNode[]): TreeNode | undefined {
  for (const node of nodes) {
    if (node.op !== 'rcall' || !Array.isArray(node.args) || node.args[0] !== 'k_matches') continue;
    const list: unknown = node.args[2];
    const argument: unknown = Array.isArray(list) ? list[0] : undefined;
    if (!isTreeNode(argument) || argument.op !== 'value' || typeof argument.args !== 'string') continue;
    if (linearPattern(argument.args) === undefined) return argument;
  }
  return undefined;
}

function evaluated(
  run: (variables: Record<string, unknown>) => unknown,
  variables: Readonly<Record<string, unknown>>,
  budget: WorkBudget,
): CelResult {
  if (budget.isSpent) return { ok: false, message: OUT_OF_BUDGET.message };
  try {
    const value = withBudget(budget, () => run({ ...variables }));
    if (budget.isSpent) return { ok: false, message: OUT_OF_BUDGET.message };
    return { ok: true, value };
  } catch (error) {
    return { ok: false, message: budget.isSpent ? OUT_OF_BUDGET.message : failureText(error) };
  }
}

function failureText(error: unknown): string {
  if (error instanceof EvaluationFailure) return error.message;
  if (!isCelFailure(error)) return error instanceof Error ? error.message : String(error);
  const { code, summary } = error;
  switch (code) {
    case 'no_such_key':
      return summary.replace('No such key: ', 'no such key: ');
    case 'index_out_of_bounds':
      return `index out of bounds: ${/index (-?\d+)/.exec(summary)?.[1] ?? ''}`;
    case 'modulo_by_zero':
      return 'modulus by zero';
    case 'numeric_overflow':
      return 'integer overflow';
    case 'int_conversion_error':
    case 'uint_conversion_error':
    case 'double_conversion_error':
    case 'bool_conversion_error': {
      const type = code.replace('_conversion_error', '');
      return `type conversion error from 'string' to '${type}'`;
    }
    case 'no_such_overload':
    case 'no_matching_overload':
      return 'no such overload';
    case 'optional_value_missing':
      return 'optional.none() dereference';
    default:
      return plainNames(summary);
  }
}
