import { Optional } from '@marcbachmann/cel-js';
import { searchWeight, textWeight, wholeWeight } from './value-weight.ts';
import { spend, spendText } from './work-budget.ts';

/** What we touch of a node of cel-js's syntax tree. */
export interface TreeNode {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
  readonly end: number;
  readonly meta: Readonly<Record<string, unknown>>;
  setMeta(key: string, value: unknown): unknown;
}

type Evaluate = (evaluator: unknown, node: TreeNode, context: unknown) => unknown;

/** Functions that cel-js has in a form that differs from cel-go's; ours are registered under `k_NAME`. */
const REPLACED_METHODS = new Set([
  'matches',
  'lowerAscii',
  'upperAscii',
  'substring',
  'indexOf',
  'lastIndexOf',
  'split',
]);
const REPLACED_FUNCTIONS = new Set(['int', 'string']);
const PREFIX = 'k_';

/** Take the prefix of replaced functions out of a message. */
export function plainNames(text: string): string {
  return text.replaceAll(PREFIX, '');
}

export function isTreeNode(value: unknown): value is TreeNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'meta' in value && 'setMeta' in value;
}

/** All nodes of a tree with their expansions, each once; parents first. */
export function allNodes(root: TreeNode): readonly TreeNode[] {
  const found = new Set<TreeNode>();
  const waiting: unknown[] = [root];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (Array.isArray(next)) waiting.push(...next.filter((item) => item !== undefined));
    else if (isTreeNode(next)) {
      if (found.has(next)) continue;
      found.add(next);
      waiting.push(...partsOf(next));
    }
  }
  return [...found];
}

function partsOf(node: TreeNode): unknown[] {
  const { alternate, macro } = node.meta;
  const parts: unknown[] = [];
  if (node.op === 'comprehension' && isRecord(node.args))
    parts.push(node.args['iterable'], node.args['init'], node.args['step']);
  else parts.push(node.args);
  if (alternate !== undefined) parts.push(alternate);
  if (isRecord(macro)) parts.push(...Object.values(macro).filter((part) => Array.isArray(part) || isTreeNode(part)));
  return parts.filter((part) => part !== undefined && part !== null);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Before the type check: send calls of replaced functions to ours, `has` too. */
export function redirectCalls(nodes: readonly TreeNode[]): void {
  for (const node of nodes) {
    const replaced = node.op === 'rcall' ? REPLACED_METHODS : node.op === 'call' ? REPLACED_FUNCTIONS : undefined;
    if (replaced === undefined || !Array.isArray(node.args)) continue;
    const name: unknown = node.args[0];
    if (typeof name === 'string' && replaced.has(name)) node.args[0] = `${PREFIX}${name}`;
    if (node.op === 'call' && name === 'has') replaceHas(node);
  }
}

interface Checker {
  check(node: TreeNode, context: unknown): unknown;
  getType(name: string): unknown;
  createError(code: string, message: string, node: TreeNode): Error;
}

interface Evaluator {
  run(node: TreeNode, context: unknown): unknown;
  debugType(value: unknown): {
    fieldLazy(value: unknown, name: unknown, node: TreeNode, evaluator: Evaluator): unknown;
  };
}

interface HasMacro {
  args: readonly TreeNode[];
  typeCheck(checker: Checker, macro: HasMacro, context: unknown): unknown;
  evaluate(evaluator: Evaluator, macro: HasMacro, context: unknown): unknown;
}

/** `has` of cel-js takes plain paths only and does not look whether the field is one; ours takes a field of anything. */
function replaceHas(node: TreeNode): void {
  const macro = node.meta['macro'] as HasMacro | undefined;
  if (macro === undefined) return;
  const [field] = macro.args;
  const parts: readonly unknown[] = Array.isArray(field?.args) ? field.args : [];
  const [operand, name] = parts;
  const isField = field !== undefined && (field.op === '.' || field.op === '.?');
  macro.typeCheck = (checker, _macro, context) => {
    if (!isField) throw checker.createError('invalid_macro_argument', 'invalid argument to has() macro', node);
    checker.check(field, context);
    return checker.getType('bool');
  };
  macro.evaluate = (evaluator, _macro, context) => {
    if (!isField || !isTreeNode(operand)) return false;
    const object = evaluator.run(operand, context);
    const value = evaluator.debugType(object).fieldLazy(object, name, field, evaluator);
    return value instanceof Optional ? value.hasValue() : value !== undefined;
  };
}

/** They look at both of their operands to the leaves. */
const COMPARING = new Set(['==', '!=', '<', '<=', '>', '>=']);

/**
 * After the type check: loops, sums, comparisons and what functions are given are charged to the budget of the evaluation, which
 * stops when it is spent.
 */
export function meterWork(nodes: readonly TreeNode[]): void {
  for (const node of nodes) {
    if (COMPARING.has(node.op)) for (const operand of operandsOf(node)) wrap(operand, chargedBy(wholeWeight));
    else if (node.op === 'in') for (const operand of operandsOf(node)) wrap(operand, chargedBy(searchWeight));
    else if (node.op === 'call' || node.op === 'rcall')
      for (const given of operandsOf(node)) wrap(given, chargedBy(textWeight));
    if (node.op === 'comprehension' && isRecord(node.args)) {
      wrap(node, (inner) => (evaluator, self, context) => {
        spend(1);
        return inner(evaluator, self, context);
      });
      const { step } = node.args;
      if (isTreeNode(step)) wrap(step, charged);
    } else if (node.op === '+' || node.op === 'list' || node.op === 'map' || node.op === '==' || node.op === 'in') {
      wrap(node, chargedByResult);
    }
  }
}

/** Operands of an operator; receiver and arguments of a function. */
function operandsOf({ args }: TreeNode): readonly TreeNode[] {
  return Array.isArray(args) ? args.flat().filter(isTreeNode) : [];
}

function chargedBy(weight: (value: unknown) => number): (inner: Evaluate) => Evaluate {
  return (inner) => (evaluator, node, context) => {
    const value = inner(evaluator, node, context);
    const units = weight(value);
    if (units > 0) spend(units);
    return value;
  };
}

function wrap(node: TreeNode, by: (inner: Evaluate) => Evaluate): void {
  const inner = node.meta['evaluate'];
  if (typeof inner === 'function') node.setMeta('evaluate', by(inner as Evaluate));
}

function charged(inner: Evaluate): Evaluate {
  return (evaluator, node, context) => {
    spend(1);
    return inner(evaluator, node, context);
  };
}

function chargedByResult(inner: Evaluate): Evaluate {
  return (evaluator, node, context) => {
    spend(1);
    const result = inner(evaluator, node, context);
    if (Array.isArray(result)) spend(result.length);
    else if (typeof result === 'string') spendText(result.length);
    return result;
  };
}
