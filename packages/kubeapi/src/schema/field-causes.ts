import type { FieldProblem, Json } from '@bloomery/model';
import { allowedText } from './allowed-values.ts';
import { goQuote, goValue } from './go-text.ts';

/** The field name of causes that concern no single field. */
export const NO_FIELD = '<nil>';

/** `Required value`, with an optional explanation. */
export function required(field: string, detail = ''): FieldProblem {
  return { field, reason: 'FieldValueRequired', message: withDetail('Required value', detail) };
}

/** `Invalid value: V: detail`. */
export function invalid(field: string, value: Json, detail: string): FieldProblem {
  return { field, reason: 'FieldValueInvalid', message: withDetail(`Invalid value: ${goValue(value)}`, detail) };
}

/** Like `invalid`, for a value of the wrong type or format; `value` is the name of the type, or the text. */
export function typeInvalid(field: string, value: string, detail: string): FieldProblem {
  return { field, reason: 'FieldValueTypeInvalid', message: withDetail(`Invalid value: ${goQuote(value)}`, detail) };
}

/** `Unsupported value: "warp": supported values: "fast", "slow"`. */
export function notSupported(field: string, value: Json, supported: readonly Json[]): FieldProblem {
  const message = `Unsupported value: ${goValue(value)}: supported values: ${allowedText(supported)}`;
  return { field, reason: 'FieldValueNotSupported', message };
}

/** `Duplicate value: V`. */
export function duplicate(field: string, value: Json): FieldProblem {
  return { field, reason: 'FieldValueDuplicate', message: `Duplicate value: ${goValue(value)}` };
}

/** `Forbidden: detail`. */
export function forbidden(field: string, detail: string): FieldProblem {
  return { field, reason: 'FieldValueForbidden', message: `Forbidden: ${detail}` };
}

/** `Too long: may not be more than N bytes`. */
export function tooLong(field: string, max: number): FieldProblem {
  return { field, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${max} bytes` };
}

/** `Too many: 4: must have at most 3 items`. */
export function tooMany(field: string, actual: number, max: number): FieldProblem {
  return { field, reason: 'FieldValueTooMany', message: `Too many: ${actual}: must have at most ${max} items` };
}

/** The message of an Invalid Status: one cause plainly, several in brackets, the same text once. */
export function problemsText(problems: readonly FieldProblem[]): string {
  const texts = new Set(problems.map(({ field, message }) => `${field}: ${message}`));
  const list = [...texts].join(', ');
  return texts.size === 1 ? list : `[${list}]`;
}

function withDetail(text: string, detail: string): string {
  return detail === '' ? text : `${text}: ${detail}`;
}
