import { EvaluationFailure } from './evaluation-failure.ts';
import type { Library } from './library.ts';

const NANO = 1_000_000_000n;
const MAX_INT64 = 2n ** 63n - 1n;
const FORM = /^([+-]?)(\d{0,40})(?:\.(\d{0,40}))?(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?\d{1,2}))?$/;
const BINARY: Readonly<Record<string, bigint>> = {
  Ki: 2n ** 10n,
  Mi: 2n ** 20n,
  Gi: 2n ** 30n,
  Ti: 2n ** 40n,
  Pi: 2n ** 50n,
  Ei: 2n ** 60n,
};
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** A resource quantity, kept in billionths as kube keeps it. */
class Quantity {
  readonly nano: bigint;
  /** A fraction of a binary unit counts as no integer, even where it is one. */
  readonly isFraction: boolean;

  constructor(nano: bigint, isFraction = false) {
    this.nano = nano;
    this.isFraction = isFraction;
  }

  valueOf(): bigint {
    return this.nano;
  }
}

/** Kubernetes' `quantity` and `isQuantity`. */
export const quantityLibrary: Library = (define, env) => {
  const Q = 'kubernetes.Quantity';
  env.registerType(Q, Quantity);
  define('isQuantity(string): bool', (text: string) => parseQuantity(text) !== undefined);
  define(`quantity(string): ${Q}`, (text: string) => {
    const quantity = parseQuantity(text);
    if (quantity !== undefined) return quantity;
    throw new EvaluationFailure(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  });
  env.registerOperator(`${Q} == ${Q}`, (a: Quantity, b: Quantity) => a.nano === b.nano);
  define(`${Q}.sign(): int`, (q: Quantity) => order(q.nano, 0n));
  define(`${Q}.isInteger(): bool`, (q: Quantity) => isInt64(q));
  define(`${Q}.asInteger(): int`, (q: Quantity) => {
    if (isInt64(q)) return q.nano / NANO;
    throw new EvaluationFailure('cannot convert value to integer');
  });
  define(`${Q}.asApproximateFloat(): double`, (q: Quantity) => Number(q.nano) / 1e9);
  define(`${Q}.isGreaterThan(${Q}): bool`, (a: Quantity, b: Quantity) => a.nano > b.nano);
  define(`${Q}.isLessThan(${Q}): bool`, (a: Quantity, b: Quantity) => a.nano < b.nano);
  define(`${Q}.compareTo(${Q}): int`, (a: Quantity, b: Quantity) => order(a.nano, b.nano));
  define(`${Q}.add(${Q}): ${Q}`, (a: Quantity, b: Quantity) => new Quantity(a.nano + b.nano));
  define(`${Q}.add(int): ${Q}`, (a: Quantity, b: bigint) => new Quantity(a.nano + b * NANO));
  define(`${Q}.sub(${Q}): ${Q}`, (a: Quantity, b: Quantity) => new Quantity(a.nano - b.nano));
  define(`${Q}.sub(int): ${Q}`, (a: Quantity, b: bigint) => new Quantity(a.nano - b * NANO));
};

function isInt64({ nano, isFraction }: Quantity): boolean {
  if (isFraction) return false;
  const whole = nano / NANO;
  return nano % NANO === 0n && whole <= MAX_INT64 && whole >= -MAX_INT64 - 1n;
}

function order(a: bigint, b: bigint): bigint {
  return a < b ? -1n : a > b ? 1n : 0n;
}

function parseQuantity(text: string): Quantity | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', suffix = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const scale = (DECIMAL[suffix] ?? Number(exponent)) - fraction.length + 9;
  const digits = BigInt(`${whole}${fraction}`) * (BINARY[suffix] ?? 1n);
  const power = 10n ** BigInt(Math.abs(scale));
  // Finer than a billionth is rounded up.
  const nano = scale >= 0 ? digits * power : (digits + power - 1n) / power;
  return new Quantity(sign === '-' ? -nano : nano, fraction !== '' && Object.hasOwn(BINARY, suffix));
}
