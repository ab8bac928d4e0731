import { UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { goQuote } from '../schema/go-text.ts';
import { EvaluationFailure } from './evaluation-failure.ts';
import { doubleText, timeText } from './library-conversions.ts';

const MAX_PRECISION = 64;

/** cel-go's `format`: `%s %d %f %e %x %X %o %b %%`, with a precision for `%f` and `%e`. @throws EvaluationFailure */
export function formatText(pattern: string, values: readonly unknown[]): string {
  let next = 0;
  const text = pattern.replace(
    /%(%|(?:\.(\d{1,3}))?([a-zA-Z]))|%/g,
    (_all, verb?: string, precision?: string, letter?: string) => {
      if (verb === '%') return '%';
      if (letter === undefined) throw new EvaluationFailure('unexpected end of string');
      if (next >= values.length) throw new EvaluationFailure(`index ${next} out of range`);
      return clause(letter, values[next++], Math.min(Number(precision ?? 6), MAX_PRECISION));
    },
  );
  return text;
}

function clause(letter: string, value: unknown, precision: number): string {
  switch (letter) {
    case 's':
      return plain(value);
    case 'd':
      return wholeNumber(value).toString();
    case 'f':
      return real(value).toFixed(precision);
    case 'e':
      return scientific(real(value), precision);
    case 'b':
      return typeof value === 'boolean' ? String(Number(value)) : wholeNumber(value).toString(2);
    case 'o':
      return wholeNumber(value).toString(8);
    case 'x':
      return hexadecimal(value);
    case 'X':
      return hexadecimal(value).toUpperCase();
    default:
      throw new EvaluationFailure(`unrecognized formatting clause "${letter}"`);
  }
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  return nested(value);
}

/** Inside lists and maps texts are quoted. */
function nested(value: unknown): string {
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number') return doubleText(value);
  if (Array.isArray(value)) return `[${value.map(nested).join(', ')}]`;
  if (value instanceof Date) return timeText(value);
  if (value === null) return 'null';
  if (!(value instanceof Map) && value?.constructor !== Object) return otherText(value);
  const entries = value instanceof Map ? [...value] : Object.entries(value as object);
  return `{${entries
    .map(([key, member]) => `${nested(key)}:${nested(member)}`)
    .sort()
    .join(', ')}}`;
}

/** Types print their name; the rest prints itself. */
function otherText(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string')
    return value.name;
  return String(value);
}

/** cel-go writes an exponent as people do, with narrow spaces: `1.234500 × 10⁰³`. */
function scientific(value: number, precision: number): string {
  const [mantissa = '', power = '+0'] = value.toExponential(precision).split('e');
  const raised = power
    .slice(1)
    .padStart(2, '0')
    .replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'.charAt(Number(digit)));
  return `${mantissa}\u202f×\u202f10${power.startsWith('-') ? '⁻' : ''}${raised}`;
}

function wholeNumber(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof UnsignedInt) return value.valueOf();
  throw new EvaluationFailure('decimal clause can only be used on integers');
}

function real(value: unknown): number {
  if (typeof value === 'number') return value;
  throw new EvaluationFailure('fixed-point clause can only be used on doubles');
}

function hexadecimal(value: unknown): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return wholeNumber(value).toString(16);
}
