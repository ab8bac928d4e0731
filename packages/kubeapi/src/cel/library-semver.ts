import { EvaluationFailure } from './evaluation-failure.ts';
import type { Library } from './library.ts';

const FORM =
  /^(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

class Semver {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly pre: readonly string[];

  constructor(numbers: readonly [bigint, bigint, bigint], pre: readonly string[]) {
    this.numbers = numbers;
    this.pre = pre;
  }
}

/** Kubernetes' `semver` and `isSemver`. */
export const semverLibrary: Library = (define, env) => {
  const S = 'kubernetes.Semver';
  env.registerType(S, Semver);
  define('isSemver(string): bool', (text: string) => parse(text) !== undefined);
  define(
    'isSemver(string, bool): bool',
    (text: string, loose: boolean) => parse(loose ? normal(text) : text) !== undefined,
  );
  define(`semver(string): ${S}`, (text: string) => semverOf(text));
  define(`semver(string, bool): ${S}`, (text: string, loose: boolean) => semverOf(loose ? normal(text) : text));
  env.registerOperator(`${S} == ${S}`, (a: Semver, b: Semver) => compare(a, b) === 0);
  define(`${S}.major(): int`, (v: Semver) => v.numbers[0]);
  define(`${S}.minor(): int`, (v: Semver) => v.numbers[1]);
  define(`${S}.patch(): int`, (v: Semver) => v.numbers[2]);
  define(`${S}.isLessThan(${S}): bool`, (a: Semver, b: Semver) => compare(a, b) < 0);
  define(`${S}.isGreaterThan(${S}): bool`, (a: Semver, b: Semver) => compare(a, b) > 0);
  define(`${S}.compareTo(${S}): int`, (a: Semver, b: Semver) => BigInt(compare(a, b)));
};

function semverOf(text: string): Semver {
  const version = parse(text);
  if (version !== undefined) return version;
  throw new EvaluationFailure('No Major.Minor.Patch elements found');
}

function parse(text: string): Semver | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, major = '0', minor = '0', patch = '0', pre] = match;
  return new Semver([BigInt(major), BigInt(minor), BigInt(patch)], pre?.split('.') ?? []);
}

/** Forgives a leading v, missing parts and leading zeros. */
function normal(text: string): string {
  const [, numbers = '', rest = ''] = /^v?([\d.]*)(.*)$/s.exec(text) ?? [];
  const parts = numbers.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  while (parts.length < 3) parts.push('0');
  return `${parts.join('.')}${rest}`;
}

function compare(a: Semver, b: Semver): number {
  for (const i of [0, 1, 2] as const) {
    if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] < b.numbers[i] ? -1 : 1;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const order = compareIdentifiers(a.pre[i], b.pre[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function compareIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (x && y) return BigInt(a) < BigInt(b) ? -1 : 1;
  if (x !== y) return x ? -1 : 1;
  return a < b ? -1 : 1;
}
