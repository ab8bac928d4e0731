import { PlainScalar, type YamlTree } from './yaml-tree.ts';

/** What a plain scalar means to a reader. */
export type ScalarValue = null | boolean | number | bigint | string;

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL']);
const TRUE = new Set(['true', 'True', 'TRUE']);
const FALSE = new Set(['false', 'False', 'FALSE']);
const OLD_TRUE = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON']);
const OLD_FALSE = new Set(['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF']);
const INFINITE = /^[-+]?\.(inf|Inf|INF)$/;
const NOT_A_NUMBER = new Set(['.nan', '.NaN', '.NAN']);
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const INTEGER = /^[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const UINT64_MAX = 2n ** 64n - 1n;
const INT64_MIN = -(2n ** 63n);
const MAX_NUMBER_CHARACTERS = 400;

/** An integer as Go's base 0 reads it (`0644` and `0o644` are octal, `1_000` is 1000); undefined when it is none of 64 bits. */
export function goInteger(text: string): bigint | undefined {
  if (text.length > MAX_NUMBER_CHARACTERS) return undefined;
  const digits = text.replaceAll('_', '');
  if (!INTEGER.test(digits)) return undefined;
  const negative = digits.startsWith('-');
  const unsigned = digits.replace(/^[-+]/, '');
  const value = BigInt(/^0[0-7]/.test(unsigned) ? `0o${unsigned.slice(1)}` : unsigned.toLowerCase());
  const signed = negative ? -value : value;
  return signed > UINT64_MAX || signed < INT64_MIN ? undefined : signed;
}

/** A floating point number as Go reads it, with `.inf` and `.nan`; undefined when it is none. */
export function goFloat(text: string): number | undefined {
  if (INFINITE.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (NOT_A_NUMBER.has(text)) return Number.NaN;
  if (text.length > MAX_NUMBER_CHARACTERS) return undefined;
  const digits = text.replaceAll('_', '');
  return FLOAT.test(digits) ? Number(digits) : undefined;
}

/** A boolean as Go reads it where a boolean is expected: also yes, on, y and their opposites. */
export function goBoolean(text: string): boolean | undefined {
  if (TRUE.has(text) || OLD_TRUE.has(text)) return true;
  return FALSE.has(text) || OLD_FALSE.has(text) ? false : undefined;
}

/** An integer as number where that is exact, else as bigint. */
export function exactInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The value of a plain scalar where nothing says what is expected, as Talos reads its free-form parts. */
export function talosScalar(text: string): ScalarValue {
  if (NULLS.has(text)) return null;
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  const integer = goInteger(text);
  return integer !== undefined ? exactInteger(integer) : (goFloat(text) ?? text);
}

/** The value of a plain scalar as kubectl and Kubernetes read manifests: also `yes`, `on` and `y` are booleans. */
export function kubeScalar(text: string): ScalarValue {
  return OLD_TRUE.has(text) ? true : OLD_FALSE.has(text) ? false : talosScalar(text);
}

/** The tree value of a plain scalar: the value itself where every dialect agrees and would write it the same, else its text. */
export function plainScalar(text: string): YamlTree {
  if (NULLS.has(text)) return null;
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (/^(0|-?[1-9][0-9]{0,30})$/.test(text)) return exactInteger(BigInt(text));
  return isAmbiguous(text) ? new PlainScalar(text) : text;
}

const WORDS = new Set(
  ['true', 'false', 'y', 'n', 'yes', 'no', 'on', 'off', 'null', '.inf', '.nan', '-.inf', '+.inf'].map((w) => w),
);
/** Numbers in any dialect, dates, times, sexagesimals. Generous: a false alarm only costs quotes. */
const NUMBER_LIKE = /^[-+.]?[0-9][0-9a-fA-FxXoO_.,:eETtZz+ -]*$/;

/** Whether some YAML reader takes this plain text for something else than a string. */
export function isAmbiguous(text: string): boolean {
  const lower = text.slice(0, 8).toLowerCase();
  if (text.length <= 6 && (NULLS.has(text) || WORDS.has(lower) || text === '~' || text === '=' || text === '<<'))
    return true;
  return text.length <= MAX_NUMBER_CHARACTERS ? NUMBER_LIKE.test(text) : /^[-+.0-9]/.test(text);
}
