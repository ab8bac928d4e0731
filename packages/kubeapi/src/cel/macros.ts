import { Optional } from '@marcbachmann/cel-js';
import { EvaluationFailure } from './evaluation-failure.ts';
import type { Library } from './library.ts';
import type { TreeNode } from './syntax-tree.ts';
import { spend } from './work-budget.ts';

/** The type of an expression, as cel-js declares it. */
interface CelType {
  readonly kind: string;
  readonly keyType?: CelType;
  readonly valueType?: CelType;
}

interface Context {
  forkWithVariable(name: string, type: CelType): Context;
  reuse(parent: Context): Context;
  setIterValue(value: unknown, evaluator: Evaluator): Context;
}

interface Checker {
  check(node: TreeNode, context: Context): CelType;
  getType(name: string): CelType;
  createError(code: string, message: string, node: TreeNode): Error;
  readonly registry: {
    getListType(type: CelType): CelType;
    getMapType(key: CelType, value: CelType): CelType;
    getOptionalType(type: CelType): CelType;
  };
}

interface Evaluator {
  run(node: TreeNode, context: Context): unknown;
  tryEval(node: TreeNode, context: Context): unknown;
}

interface Call {
  readonly ast: TreeNode;
  readonly args: readonly TreeNode[];
  readonly receiver: TreeNode;
}

/** A macro that binds variables: what it checks and computes. */
interface BindingMacro {
  readonly variables: number;
  /** Types of the bound variables, given the receiver's type. */
  readonly bind: (checker: Checker, receiver: CelType, node: TreeNode) => readonly CelType[];
  readonly result: (checker: Checker, bodies: readonly CelType[], receiver: CelType) => CelType;
  readonly evaluate: (
    receiver: unknown,
    /** Evaluates a body with the variables bound. */
    run: (body: number, ...values: readonly unknown[]) => unknown,
    bodies: number,
  ) => unknown;
}

function binding({ variables, bind, result, evaluate }: BindingMacro) {
  return ({ args, receiver }: Call) => {
    const names = args.slice(0, variables).map((arg) => {
      if (arg.op === 'id' && typeof arg.args === 'string') return arg.args;
      throw new EvaluationFailure('argument must be a simple name');
    });
    const bodies = args.slice(variables);
    let contexts: Context[] = [];
    return {
      async: false,
      receiver,
      bodies,
      typeCheck(checker: Checker, _self: unknown, context: Context): CelType {
        const type = checker.check(receiver, context);
        const types = bind(checker, type, receiver);
        contexts = [];
        let inner = context;
        for (const [i, name] of names.entries()) {
          inner = inner.forkWithVariable(name, types[i] ?? checker.getType('dyn'));
          contexts.push(inner);
        }
        return result(
          checker,
          bodies.map((body) => checker.check(body, inner)),
          type,
        );
      },
      evaluate(evaluator: Evaluator, _self: unknown, context: Context): unknown {
        const value = evaluator.run(receiver, context);
        return evaluate(
          value,
          (index, ...values) => {
            spend(1);
            const body = bodies[index];
            let inner = context;
            for (const [i, own] of contexts.entries()) inner = own.reuse(inner).setIterValue(values[i], evaluator);
            return body === undefined ? undefined : evaluator.run(body, inner);
          },
          bodies.length,
        );
      },
    };
  };
}

function keyAndValue(checker: Checker, type: CelType, node: TreeNode): readonly CelType[] {
  const dyn = checker.getType('dyn');
  if (type.kind === 'list') return [checker.getType('int'), type.valueType ?? dyn];
  if (type.kind === 'map') return [type.keyType ?? dyn, type.valueType ?? dyn];
  if (type.kind === 'dyn') return [dyn, dyn];
  throw checker.createError('invalid_comprehension_range', 'cannot be range of a comprehension', node);
}

function entriesOf(value: unknown): [unknown, unknown][] {
  if (Array.isArray(value)) return value.map((item, i) => [BigInt(i), item]);
  if (value instanceof Map) return [...value];
  return Object.entries(value ?? {});
}

const bool = (checker: Checker): CelType => checker.getType('bool');

/** Whether a predicate holds; an error counts only when nothing else decides. */
function quantified(decisive: boolean): BindingMacro['evaluate'] {
  return (value, run) => {
    let failure: unknown;
    for (const [key, item] of entriesOf(value)) {
      try {
        if (run(0, key, item) === decisive) return decisive;
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return !decisive;
  };
}

const PAIRS = { variables: 2, bind: keyAndValue } as const;

const all: BindingMacro = { ...PAIRS, result: bool, evaluate: quantified(false) };
const exists: BindingMacro = { ...PAIRS, result: bool, evaluate: quantified(true) };
const existsOne: BindingMacro = {
  ...PAIRS,
  result: bool,
  evaluate: (value, run) => entriesOf(value).filter(([key, item]) => run(0, key, item) === true).length === 1,
};

const transformList: BindingMacro = {
  ...PAIRS,
  result: (checker, bodies) => checker.registry.getListType(bodies.at(-1) ?? checker.getType('dyn')),
  evaluate: (value, run, bodies) =>
    entriesOf(value).flatMap(([key, item]) =>
      bodies === 1 || run(0, key, item) === true ? [run(bodies - 1, key, item)] : [],
    ),
};

const transformMap: BindingMacro = {
  ...PAIRS,
  result: (checker, bodies, receiver) => {
    const key = receiver.kind === 'list' ? checker.getType('int') : (receiver.keyType ?? checker.getType('dyn'));
    return checker.registry.getMapType(key, bodies.at(-1) ?? checker.getType('dyn'));
  },
  evaluate: (value, run, bodies) =>
    new Map(
      entriesOf(value).flatMap(([key, item]): [unknown, unknown][] =>
        bodies === 1 || run(0, key, item) === true ? [[key, run(bodies - 1, key, item)]] : [],
      ),
    ),
};

const transformMapEntry: BindingMacro = {
  ...PAIRS,
  result: (checker) => checker.getType('map'),
  evaluate: (value, run, bodies) => {
    const made = new Map<unknown, unknown>();
    for (const [key, item] of entriesOf(value)) {
      if (bodies > 1 && run(0, key, item) !== true) continue;
      for (const [newKey, newItem] of entriesOf(run(bodies - 1, key, item))) {
        if (made.has(newKey)) throw new EvaluationFailure(`insert failed: key ${String(newKey)} already exists`);
        made.set(newKey, newItem);
      }
    }
    return made;
  },
};

function optionalValue(checker: Checker, type: CelType, node: TreeNode): readonly CelType[] {
  if (type.kind === 'optional') return [type.valueType ?? checker.getType('dyn')];
  if (type.kind === 'dyn') return [type];
  throw checker.createError('optional_expected', 'optional expected', node);
}

const optMap: BindingMacro = {
  variables: 1,
  bind: optionalValue,
  result: (checker, bodies) => checker.registry.getOptionalType(bodies[0] ?? checker.getType('dyn')),
  evaluate: (value, run) =>
    value instanceof Optional && value.hasValue() ? Optional.of(run(0, value.value())) : Optional.none(),
};

const optFlatMap: BindingMacro = {
  ...optMap,
  result: (checker, bodies) => bodies[0] ?? checker.getType('dyn'),
  evaluate: (value, run) => (value instanceof Optional && value.hasValue() ? run(0, value.value()) : Optional.none()),
};

/** Comprehensions over two variables (`all(i, v, …)`, `transformList(i, v, …)`), `optMap` and `optFlatMap`. */
export const macroLibrary: Library = (define) => {
  define('list.all(ast, ast, ast): bool', binding(all));
  define('list.exists(ast, ast, ast): bool', binding(exists));
  for (const name of ['existsOne', 'exists_one']) define(`list.${name}(ast, ast, ast): bool`, binding(existsOne));
  define('list.transformList(ast, ast, ast): dyn', binding(transformList));
  define('list.transformList(ast, ast, ast, ast): dyn', binding(transformList));
  define('list.transformMap(ast, ast, ast): dyn', binding(transformMap));
  define('list.transformMap(ast, ast, ast, ast): dyn', binding(transformMap));
  define('list.transformMapEntry(ast, ast, ast): dyn', binding(transformMapEntry));
  define('list.transformMapEntry(ast, ast, ast, ast): dyn', binding(transformMapEntry));
  define('optional.optMap(ast, ast): dyn', binding(optMap));
  define('optional.optFlatMap(ast, ast): dyn', binding(optFlatMap));
};
