import { Optional } from '@marcbachmann/cel-js';
import { Duration } from '@marcbachmann/cel-js/evaluator';
import { EvaluationFailure } from './evaluation-failure.ts';
import type { Library } from './library.ts';
import { celEqual, TypedObject } from './typed-value.ts';
import { spend } from './work-budget.ts';

class SetsNamespace {}

const BYTE_ORDERS: readonly (readonly [string, (order: number) => boolean])[] = [
  ['<', (order) => order < 0],
  ['<=', (order) => order <= 0],
  ['>', (order) => order > 0],
  ['>=', (order) => order >= 0],
];

function isZero(value: unknown): boolean {
  if (value === '' || value === 0 || value === 0n || value === false || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return value instanceof Map && !(value instanceof TypedObject) && value.size === 0;
}

/** Kubernetes' functions of lists, and cel-go's `sets`. */
export const listLibrary: Library = (define, env) => {
  define('list.isSorted(): bool', (list: readonly unknown[]) => {
    spend(list.length);
    return list.every((item, i) => i === 0 || compare(list[i - 1], item) <= 0);
  });
  define('list.min(): dyn', (list: readonly unknown[]) => extreme(list, 'min', -1));
  define('list.max(): dyn', (list: readonly unknown[]) => extreme(list, 'max', 1));
  define('list<int>.sum(): int', (list: readonly bigint[]) => {
    spend(list.length);
    return list.reduce((sum, item) => sum + item, 0n);
  });
  define('list<double>.sum(): double', (list: readonly number[]) => list.reduce((sum, item) => sum + item, 0));
  define('list.k_indexOf(dyn): int', (list: readonly unknown[], wanted: unknown) => {
    spend(list.length);
    return BigInt(list.findIndex((item) => celEqual(item, wanted)));
  });
  define('list.k_lastIndexOf(dyn): int', (list: readonly unknown[], wanted: unknown) => {
    spend(list.length);
    return BigInt(list.findLastIndex((item) => celEqual(item, wanted)));
  });
  define('list<google.protobuf.Duration>.sum(): google.protobuf.Duration', (list: readonly Duration[]) => {
    spend(list.length);
    return list.reduce((sum, item) => sum.addDuration(item), new Duration(0n, 0));
  });
  define('list<A>.first(): optional<A>', (list: readonly unknown[]) => Optional.of(list[0]));
  define('list<A>.last(): optional<A>', (list: readonly unknown[]) => Optional.of(list.at(-1)));
  define('OptionalNamespace.ofNonZeroValue(A): optional<A>', (_: unknown, value: unknown) =>
    isZero(value) ? Optional.none() : Optional.of(value),
  );
  for (const [operator, holds] of BYTE_ORDERS) {
    env.registerOperator(`bytes ${operator} bytes`, (a: Uint8Array, b: Uint8Array) => holds(Buffer.compare(a, b)));
  }
  env.registerType('SetsNamespace', SetsNamespace);
  env.registerConstant('sets', 'SetsNamespace', new SetsNamespace());
  define('SetsNamespace.contains(list, list): bool', (_: unknown, all: readonly unknown[], some: readonly unknown[]) =>
    some.every((item) => contains(all, item)),
  );
  define('SetsNamespace.intersects(list, list): bool', (_: unknown, a: readonly unknown[], b: readonly unknown[]) =>
    b.some((item) => contains(a, item)),
  );
  define('SetsNamespace.equivalent(list, list): bool', (_: unknown, a: readonly unknown[], b: readonly unknown[]) => {
    return a.every((item) => contains(b, item)) && b.every((item) => contains(a, item));
  });
};

function contains(list: readonly unknown[], wanted: unknown): boolean {
  spend(1 + list.length / 8);
  return list.some((item) => celEqual(item, wanted));
}

function extreme(list: readonly unknown[], name: string, sign: number): unknown {
  spend(list.length);
  if (list.length === 0) throw new EvaluationFailure(`${name} called on empty list`);
  return list.reduce((best, item) => (compare(item, best) * sign > 0 ? item : best));
}

function compare(a: unknown, b: unknown): number {
  const [left, right] = [ordered(a), ordered(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function ordered(value: unknown): string | number | bigint {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return Number(value);
  if (value instanceof Date) return value.getTime();
  const primitive: unknown = value?.valueOf();
  if (typeof primitive === 'number' || typeof primitive === 'bigint') return primitive;
  throw new EvaluationFailure('no such overload');
}
