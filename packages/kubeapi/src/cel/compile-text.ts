import type { Environment } from '@marcbachmann/cel-js';
import { isKnownFunction } from './environment.ts';
import { isTreeNode, plainNames, type TreeNode } from './syntax-tree.ts';

/** A failure of cel-js: `code` is stable, `summary` the text without the source. */
interface CelFailure extends Error {
  readonly code: string;
  readonly summary: string;
  readonly range?: { readonly start: number; readonly end: number };
  readonly node?: unknown;
}

export function isCelFailure(error: unknown): error is CelFailure {
  return error instanceof Error && 'code' in error && 'summary' in error;
}

/** Why an expression does not compile, as cel-go prints it: `ERROR: <input>:1:5: undefined field 'foo'` and the source. */
export function compileText(env: Environment, source: string, error: unknown): string {
  if (!isCelFailure(error)) return located(source, 0, error instanceof Error ? error.message : String(error));
  const node = isTreeNode(error.node) ? error.node : undefined;
  const [text, at] = described(env, source, error, node);
  return located(source, at, plainNames(text));
}

function described(
  env: Environment,
  source: string,
  error: CelFailure,
  node: TreeNode | undefined,
): readonly [string, number] {
  const start = error.range?.start ?? 0;
  switch (error.code) {
    case 'no_such_key':
      return [`undefined field '${error.summary.replace('No such key: ', '')}'`, fieldPlace(source, start)];
    case 'unknown_variable':
      return [`undeclared reference to '${error.summary.replace('Unknown variable: ', '')}' (in container '')`, start];
    case 'no_such_overload':
      return operatorText(source, error.summary, node, start);
    case 'no_matching_overload':
      return functionText(env, source, error.summary, node, start);
    case 'invalid_comprehension_range':
      return [`${error.summary.charAt(0).toLowerCase()}${error.summary.slice(1).replace(/\.$/, '')}`, start];
    default:
      return error.name === 'ParseError' ? [`Syntax error: ${error.summary}`, start] : [error.summary, start];
  }
}

function operatorText(
  source: string,
  summary: string,
  node: TreeNode | undefined,
  start: number,
): readonly [string, number] {
  const text = summary.replace('no such overload: ', '');
  const [, left, operator = '', right = ''] = /^(.+) (\S+) (.+)$/.exec(text) ?? [];
  if (left === undefined) {
    return [`found no matching overload for '${text.charAt(0)}_' applied to '(${goType(text.slice(1))})'`, start];
  }
  const operands = Array.isArray(node?.args) ? node.args : [];
  const first: unknown = operands[0];
  const at = isTreeNode(first) ? source.indexOf(operator, first.end) : start;
  return [`found no matching overload for '_${operator}_' applied to '(${goType(left)}, ${goType(right)})'`, at];
}

function functionText(
  env: Environment,
  source: string,
  summary: string,
  node: TreeNode | undefined,
  start: number,
): readonly [string, number] {
  const [, called, name = '', types = ''] = /'(?:(.+)\.)?(\w+)\((.*)\)'$/s.exec(summary) ?? [];
  const plain = plainNames(name);
  const at = source.indexOf('(', source.indexOf(plain, start));
  if (!isKnownFunction(env, plain)) return [`undeclared reference to '${plain}' (in container '')`, at];
  if (called === undefined) return [`found no matching overload for '${plain}' applied to '(${goType(types)})'`, at];
  const receiver = goType(receiverType(node) ?? called);
  return [`found no matching overload for '${plain}' applied to '${receiver}.(${goType(types)})'`, at];
}

/** The message names only the kind of a receiver, without its items. */
function receiverType(node: TreeNode | undefined): string | undefined {
  const receiver: unknown = Array.isArray(node?.args) ? node.args[1] : undefined;
  if (!isTreeNode(receiver) || !('checkedType' in receiver)) return undefined;
  const type = receiver.checkedType;
  return typeof type === 'object' && type !== null && 'name' in type && typeof type.name === 'string'
    ? type.name
    : undefined;
}

/** A missing field is reported at its dot; inside `has` at the parenthesis. */
function fieldPlace(source: string, start: number): number {
  const call = /\bhas\(\s*[\w.]*$/.exec(source.slice(0, start));
  return call === null ? Math.max(0, source.lastIndexOf('.', start)) : call.index + 'has'.length;
}

/** cel-go writes `list(string)` where cel-js writes `list<string>`. */
function goType(type: string): string {
  return type.replaceAll('<', '(').replaceAll('>', ')');
}

function located(source: string, offset: number, text: string): string {
  const at = Math.max(0, Math.min(offset, source.length));
  const before = source.slice(0, at).split('\n');
  const column = before.at(-1)?.length ?? 0;
  const line = source.split('\n')[before.length - 1] ?? '';
  return `ERROR: <input>:${before.length}:${column + 1}: ${text}\n | ${line}\n | ${'.'.repeat(column)}^`;
}
