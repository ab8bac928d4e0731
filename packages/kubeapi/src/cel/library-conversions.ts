import type { UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { EvaluationFailure } from './evaluation-failure.ts';
import type { Library } from './library.ts';
import { spendText } from './work-budget.ts';

const [MIN_INT, MAX_INT] = [-(2n ** 63n), 2n ** 63n - 1n];
const DURATION = 'google.protobuf.Duration';
const TIMESTAMP = 'google.protobuf.Timestamp';

/** `int(…)` and `string(…)` as cel-go converts; cel-js takes an empty text for zero and prints numbers as JavaScript does. */
export const conversionLibrary: Library = (define) => {
  define('k_int(int): int', (value: bigint) => value);
  define('k_int(uint): int', (value: UnsignedInt) => bounded(value.valueOf()));
  define('k_int(double): int', (value: number) => {
    if (!Number.isFinite(value)) throw new EvaluationFailure('integer overflow');
    return bounded(BigInt(Math.trunc(value)));
  });
  define('k_int(string): int', (text: string) => {
    const value = /^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace('+', '')) : undefined;
    if (value !== undefined && value >= MIN_INT && value <= MAX_INT) return value;
    throw new EvaluationFailure("type conversion error from 'string' to 'int'");
  });
  define(`k_int(${TIMESTAMP}): int`, (time: Date) => BigInt(Math.floor(time.getTime() / 1000)));
  define('k_string(string): string', (text: string) => text);
  define('k_string(bool): string', String);
  define('k_string(int): string', String);
  define('k_string(uint): string', String);
  define('k_string(double): string', doubleText);
  define('k_string(bytes): string', (bytes: Uint8Array) => {
    spendText(bytes.length);
    return Buffer.from(bytes).toString('utf8');
  });
  define(`k_string(${DURATION}): string`, (duration: { toString(): string }) => duration.toString());
  define(`k_string(${TIMESTAMP}): string`, timeText);
};

/** A double as Go's `%g` prints it: with an exponent below 1e-04 and from 1e+06 on. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? '-Inf' : '+Inf';
  if (value === 0) return '0';
  const [mantissa = '', power = '+0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(value);
  return `${mantissa}e${power.charAt(0)}${power.slice(1).padStart(2, '0')}`;
}

/** RFC 3339 in UTC, without zeros at the end of the fraction. */
export function timeText(time: Date): string {
  return time.toISOString().replace(/\.?0*Z$/, 'Z');
}

function bounded(value: bigint): bigint {
  if (value < MIN_INT || value > MAX_INT) throw new EvaluationFailure('integer overflow');
  return value;
}
