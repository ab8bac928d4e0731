import type { FieldProblem, Json, JsonObject, schema } from '@bloomery/model';
import { isJsonObject } from '@bloomery/model';
import { invalid, NO_FIELD, notSupported, required, tooLong, tooMany, typeInvalid } from './field-causes.ts';
import { itemPath, memberPath, ownMember } from './field-path.ts';
import { isKnownFormat, matchesFormat } from './formats.ts';
import { goNumber, goQuote } from './go-text.ts';
import { jsonEqual } from './json-equal.ts';
import { matchesPattern } from './pattern.ts';

type Schema = schema.Schema;

/** Problems of a value, and how many of the schema's parts looked at it: the best of several failing alternatives wins. */
interface Verdict {
  readonly problems: FieldProblem[];
  matched: number;
}

/**
 * Check a value against a schema, with kube-apiserver's texts. Nothing is changed: defaults must be filled in before.
 *
 * @param path path of the value, '' for the whole object.
 */
export function validate(schema: Schema, value: Json, path: string): readonly FieldProblem[] {
  return judge(schema, value, path).problems;
}

function judge(schema: Schema, value: Json, path: string): Verdict {
  const verdict: Verdict = { problems: [], matched: 1 };
  checkType(schema, value, path, verdict);
  if (value !== null) {
    checkAlternatives(schema, value, path, verdict);
    if (typeof value === 'string') checkString(schema, value, path, verdict);
    else if (typeof value === 'number' || typeof value === 'bigint') checkNumber(schema, value, path, verdict);
    else if (Array.isArray(value)) checkList(schema, value, path, verdict);
  }
  if (schema.enum !== undefined && !schema.enum.some((allowed) => jsonEqual(allowed, value))) {
    verdict.problems.push(notSupported(path, value, schema.enum));
  }
  if (isJsonObject(value)) checkMembers(schema, value, path, verdict);
  return verdict;
}

function merge(into: Verdict, other: Verdict): void {
  into.problems.push(...other.problems);
  into.matched += other.matched;
}

/** The JSON type of a value as the API names it. */
export function jsonType(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'bigint') return 'integer';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function typesOf(schema: Schema): readonly string[] {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string'];
  return schema.type === undefined ? [] : [schema.type];
}

function checkType(schema: Schema, value: Json, path: string, verdict: Verdict): void {
  const types = typesOf(schema);
  if (types.length === 0) return;
  const actual = jsonType(value);
  if (actual === 'null' ? schema.nullable === true : admits(types, actual)) {
    verdict.matched++;
    return;
  }
  const textual = actual === 'string' || actual === 'array' || actual === 'null';
  if (schema.format !== undefined && !textual) {
    const format = NUMBER_FORMATS[actual] ?? '';
    if (format !== schema.format) verdict.problems.push(wrongType(path, schema.format, format));
    return;
  }
  const numeric = types.includes('integer') || types.includes('number');
  if (schema.format !== undefined && actual !== 'null' && !numeric) return;
  verdict.problems.push(wrongType(path, types.join(','), actual));
}

/** The format that kube-apiserver infers for a number, and names in a refusal when the schema has a format. */
const NUMBER_FORMATS: Readonly<Record<string, string>> = { integer: 'int64', number: 'float64' };

function admits(types: readonly string[], actual: string): boolean {
  return types.includes(actual) || (actual === 'integer' && types.includes('number'));
}

function wrongType(path: string, wanted: string, actual: string): FieldProblem {
  return typeInvalid(path, actual, `${path} in body must be of type ${wanted}: "${actual}"`);
}

function checkString(schema: Schema, value: string, path: string, { problems }: Verdict): void {
  const wrong = lengthOrPattern(schema, value, path);
  if (wrong !== undefined) problems.push(wrong);
  const { format } = schema;
  if (format !== undefined && isKnownFormat(format) && !matchesFormat(format, value)) {
    problems.push(typeInvalid(path, value, `${path} in body must be of type ${format}: ${goQuote(value)}`));
  }
}

/** The first of length and pattern that a text fails; kube-apiserver tells only that one. */
function lengthOrPattern(schema: Schema, value: string, path: string): FieldProblem | undefined {
  const { minLength, maxLength, pattern } = schema;
  const length = minLength === undefined && maxLength === undefined ? 0 : characters(value);
  if (maxLength !== undefined && length > maxLength) return tooLong(path, maxLength);
  if (minLength !== undefined && length < minLength) {
    return invalid(path, value, `${path} in body should be at least ${minLength} chars long`);
  }
  if (pattern === undefined || matchesPattern(pattern, value)) return undefined;
  return invalid(path, value, `${path} in body should match '${pattern}'`);
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function checkNumber(schema: Schema, value: number | bigint, path: string, { problems }: Verdict): void {
  const { minimum, maximum, multipleOf } = schema;
  const whole = typeof value === 'bigint' || Number.isInteger(value);
  const limit = (bound: number): number => (whole ? Math.trunc(bound) : bound);
  const refuse = (rule: string, bound: number): void => {
    problems.push(invalid(path, value, `${path} in body should be ${rule} ${goNumber(bound)}`));
  };
  if (multipleOf !== undefined && multipleOf > 0 && !isMultiple(value, multipleOf)) {
    refuse('a multiple of', multipleOf);
  }
  if (maximum !== undefined) {
    const bound = limit(maximum);
    if (schema.exclusiveMaximum === true ? value >= bound : value > bound) {
      refuse(schema.exclusiveMaximum === true ? 'less than' : 'less than or equal to', bound);
    }
  }
  if (minimum !== undefined) {
    const bound = limit(minimum);
    if (schema.exclusiveMinimum === true ? value <= bound : value < bound) {
      refuse(schema.exclusiveMinimum === true ? 'greater than' : 'greater than or equal to', bound);
    }
  }
}

function isMultiple(value: number | bigint, factor: number): boolean {
  if (typeof value === 'bigint') return !Number.isInteger(factor) || value % BigInt(factor) === 0n;
  const quotient = factor < 1 ? (1 / factor) * value : value / factor;
  const nearest = Math.round(quotient);
  return quotient === nearest || Math.abs(quotient - nearest) < 1e-9 * Math.abs(quotient);
}

function checkList(schema: Schema, value: readonly Json[], path: string, verdict: Verdict): void {
  const { items, minItems, maxItems } = schema;
  if (items !== undefined) {
    for (const [i, item] of value.entries()) merge(verdict, judge(items, item, itemPath(path, i)));
  }
  if (minItems !== undefined && value.length < minItems) {
    verdict.problems.push(invalid(path, value.length, `${path} in body should have at least ${minItems} items`));
  }
  if (maxItems !== undefined && value.length > maxItems) verdict.problems.push(tooMany(path, value.length, maxItems));
  if (
    schema.uniqueItems === true &&
    value.some((item, i) => value.slice(0, i).some((other) => jsonEqual(item, other)))
  ) {
    verdict.problems.push(invalid(path, '', `${path} in body shouldn't contain duplicates`));
  }
}

function checkMembers(schema: Schema, value: JsonObject, path: string, verdict: Verdict): void {
  const { minProperties, maxProperties, properties, additionalProperties } = schema;
  const names = Object.keys(value);
  if (minProperties !== undefined && names.length < minProperties) {
    const detail = `${path} in body should have at least ${minProperties} properties`;
    verdict.problems.push(invalid(path, names.length, detail));
    return;
  }
  if (maxProperties !== undefined && names.length > maxProperties) {
    verdict.problems.push(tooMany(path, names.length, maxProperties));
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    const declared = ownMember(properties, name);
    const child = declared ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    if (child !== undefined && member !== undefined) merge(verdict, judge(child, member, memberPath(path, name)));
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name)) verdict.problems.push(required(memberPath(path, name)));
  }
}

function checkAlternatives(schema: Schema, value: Json, path: string, verdict: Verdict): void {
  if (schema.anyOf !== undefined) checkAnyOf(schema.anyOf, value, path, verdict);
  if (schema.oneOf !== undefined) checkOneOf(schema.oneOf, value, path, verdict);
  if (schema.allOf !== undefined) checkAllOf(schema.allOf, value, path, verdict);
  if (schema.not !== undefined && judge(schema.not, value, path).problems.length === 0) {
    verdict.problems.push(composite(`"${path}" must not validate the schema (not)`));
  }
}

function composite(text: string): FieldProblem {
  return invalid(NO_FIELD, '', text);
}

/** The failing alternative that got furthest; the first of equals. */
function bestOf(verdicts: readonly Verdict[]): Verdict | undefined {
  let best: Verdict | undefined;
  for (const verdict of verdicts) if (best === undefined || verdict.matched > best.matched) best = verdict;
  return best;
}

function checkAnyOf(alternatives: readonly Schema[], value: Json, path: string, verdict: Verdict): void {
  const verdicts: Verdict[] = [];
  for (const alternative of alternatives) {
    const judged = judge(alternative, value, path);
    if (judged.problems.length === 0) {
      verdict.matched += judged.matched;
      return;
    }
    verdicts.push(judged);
  }
  verdict.problems.push(composite(`"${path}" must validate at least one schema (anyOf)`));
  const best = bestOf(verdicts);
  if (best !== undefined) merge(verdict, best);
}

function checkOneOf(alternatives: readonly Schema[], value: Json, path: string, verdict: Verdict): void {
  const verdicts = alternatives.map((alternative) => judge(alternative, value, path));
  const valid = verdicts.filter(({ problems }) => problems.length === 0);
  if (valid.length === 1) {
    verdict.matched += valid[0]?.matched ?? 0;
    return;
  }
  const found = valid.length === 0 ? 'Found none valid' : `Found ${valid.length} valid alternatives`;
  verdict.problems.push(composite(`"${path}" must validate one and only one schema (oneOf). ${found}`));
  const best = valid.length === 0 ? bestOf(verdicts) : undefined;
  if (best !== undefined) merge(verdict, best);
}

function checkAllOf(schemas: readonly Schema[], value: Json, path: string, verdict: Verdict): void {
  const verdicts = schemas.map((schema) => judge(schema, value, path));
  for (const judged of verdicts) merge(verdict, judged);
  const valid = verdicts.filter(({ problems }) => problems.length === 0).length;
  if (valid === verdicts.length) return;
  const none = valid === 0 ? '. None validated' : '';
  verdict.problems.push(composite(`"${path}" must validate all the schemas (allOf)${none}`));
}
