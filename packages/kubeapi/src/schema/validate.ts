import type { FieldProblem, Json, JsonObject, schema } from '@bloomery/model';
import { isJsonObject, jsonEqual } from '@bloomery/model';
import { isAllowed } from './allowed-values.ts';
import { correlateItems } from './correlate-items.ts';
import { invalid, NO_FIELD, notSupported, required, tooLong, tooMany, typeInvalid } from './field-causes.ts';
import { itemPath, memberPath, ownMember } from './field-path.ts';
import { isKnownFormat, matchesFormat } from './formats.ts';
import { goJson, goNumber, goQuote } from './go-text.ts';
import { matchesPattern } from './pattern.ts';

type Schema = schema.Schema;

/**
 * Check a value against a schema, with kube-apiserver's texts. Nothing is changed: defaults must be filled in before.
 *
 * @param path path of the value, '' for the whole object.
 * @param old the stored value, for an update: parts that equal theirs in it are not judged again.
 */
export function validate(schema: Schema, value: Json, path: string, old?: Json): readonly FieldProblem[] {
  return new Judge(schema, path).judge(value, old).problems;
}

/** The JSON type of a value as the API names it. */
export function jsonType(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'bigint') return 'integer';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

/** The format that kube-apiserver infers for a number, and names in a refusal when the schema has a format. */
const NUMBER_FORMATS: Readonly<Record<string, string>> = { integer: 'int64', number: 'float64' };

/** Judges one value by one schema. */
class Judge {
  readonly problems: FieldProblem[] = [];
  /** How many parts of the schema looked at the value: of several failing alternatives the one that got furthest is told. */
  matched = 1;
  readonly #schema: Schema;
  readonly #path: string;

  constructor(schema: Schema, path: string) {
    this.#schema = schema;
    this.#path = path;
  }

  judge(value: Json, old?: Json): this {
    if (old !== undefined && jsonEqual(value, old)) return this;
    const allowed = this.#schema.enum;
    this.#type(value);
    if (value !== null) this.#alternatives(value);
    if (typeof value === 'string') this.#string(value);
    else if (typeof value === 'number' || typeof value === 'bigint') this.#number(value);
    else if (Array.isArray(value)) this.#list(value, old);
    if (allowed !== undefined && !isAllowed(allowed, value)) {
      this.problems.push(notSupported(this.#path, value, allowed));
    }
    if (isJsonObject(value)) this.#members(value, isJsonObject(old) ? old : undefined);
    return this;
  }

  #take(other: Judge): void {
    // A long list of problems is too much for one call.
    for (const problem of other.problems) this.problems.push(problem);
    this.matched += other.matched;
  }

  #invalid(value: Json, rule: string): void {
    this.problems.push(invalid(this.#path, value, `${this.#path} in body ${rule}`));
  }

  #type(value: Json): void {
    const { format, nullable } = this.#schema;
    const types = typesOf(this.#schema);
    if (types.length === 0) return;
    const actual = jsonType(value);
    if (actual === 'null' ? nullable === true : admits(types, actual)) {
      this.matched++;
      return;
    }
    if (format !== undefined && actual !== 'string' && actual !== 'array' && actual !== 'null') {
      const inferred = NUMBER_FORMATS[actual] ?? '';
      if (inferred !== format) this.#wrongType(format, inferred);
      return;
    }
    const numeric = types.includes('integer') || types.includes('number');
    if (format === undefined || actual === 'null' || numeric) this.#wrongType(types.join(','), actual);
  }

  #wrongType(wanted: string, actual: string): void {
    const detail = `${this.#path} in body must be of type ${wanted}: ${goQuote(actual)}`;
    this.problems.push(typeInvalid(this.#path, actual, detail));
  }

  #string(value: string): void {
    const { format, minLength } = this.#schema;
    this.#lengthAndPattern(value);
    // Kubernetes' own kinds say of bytes that there may be none.
    if (value === '' && minLength === 0) return;
    if (format !== undefined && isKnownFormat(format) && !matchesFormat(format, value)) this.#wrongType(format, value);
  }

  /** Only the first of length and pattern that a text fails is told. */
  #lengthAndPattern(value: string): void {
    const { minLength, maxLength, pattern } = this.#schema;
    const length = minLength === undefined && maxLength === undefined ? 0 : characters(value);
    if (maxLength !== undefined && length > maxLength) this.problems.push(tooLong(this.#path, maxLength));
    else if (minLength !== undefined && length < minLength) {
      this.#invalid(value, `should be at least ${minLength} chars long`);
    } else if (pattern !== undefined && !matchesPattern(pattern, value)) {
      this.#invalid(value, `should match '${pattern}'`);
    }
  }

  #number(value: number | bigint): void {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = this.#schema;
    // kube-apiserver compares whole numbers with whole limits.
    const whole = typeof value === 'bigint' || Number.isInteger(value);
    const limit = (bound: number): number => (whole ? Math.trunc(bound) : bound);
    if (multipleOf !== undefined) this.#multiple(value, limit(multipleOf));
    if (maximum !== undefined) {
      const bound = limit(maximum);
      const rule = exclusiveMaximum === true ? 'less than' : 'less than or equal to';
      if (exclusiveMaximum === true ? value >= bound : value > bound)
        this.#invalid(value, `should be ${rule} ${goNumber(bound)}`);
    }
    if (minimum !== undefined) {
      const bound = limit(minimum);
      const rule = exclusiveMinimum === true ? 'greater than' : 'greater than or equal to';
      if (exclusiveMinimum === true ? value <= bound : value < bound)
        this.#invalid(value, `should be ${rule} ${goNumber(bound)}`);
    }
  }

  #multiple(value: number | bigint, factor: number): void {
    if (factor <= 0) {
      const why = `factor MultipleOf declared for ${this.#path} must be positive: ${goNumber(factor)}`;
      this.problems.push(invalid(this.#path, factor, why));
    } else if (!isMultiple(value, factor)) {
      this.#invalid(value, `should be a multiple of ${goNumber(factor)}`);
    }
  }

  #list(value: readonly Json[], old: Json | undefined): void {
    const { items, minItems, maxItems, uniqueItems } = this.#schema;
    if (items !== undefined) {
      const before = correlateItems(this.#schema, old);
      for (const [i, item] of value.entries()) {
        this.#take(new Judge(items, itemPath(this.#path, i)).judge(item, before(item)));
      }
    }
    if (minItems !== undefined && value.length < minItems) {
      this.#invalid(value.length, `should have at least ${minItems} items`);
    }
    if (maxItems !== undefined && value.length > maxItems) {
      this.problems.push(tooMany(this.#path, value.length, maxItems));
    }
    if (uniqueItems === true && new Set(value.map(goJson)).size < value.length) {
      this.#invalid('', "shouldn't contain duplicates");
    }
  }

  #members(value: JsonObject, old: JsonObject | undefined): void {
    const { minProperties, maxProperties, properties, additionalProperties } = this.#schema;
    const count = Object.keys(value).length;
    if (minProperties !== undefined && count < minProperties) {
      this.#invalid(count, `should have at least ${minProperties} properties`);
      return;
    }
    if (maxProperties !== undefined && count > maxProperties) {
      this.problems.push(tooMany(this.#path, count, maxProperties));
      return;
    }
    for (const [name, member] of Object.entries(value)) {
      const values = typeof additionalProperties === 'object' ? additionalProperties : undefined;
      const child = ownMember(properties, name) ?? values;
      if (child === undefined || member === undefined) continue;
      this.#take(new Judge(child, memberPath(this.#path, name)).judge(member, ownMember(old, name)));
    }
    for (const name of this.#schema.required ?? []) {
      if (!Object.hasOwn(value, name)) this.problems.push(required(memberPath(this.#path, name)));
    }
  }

  #alternatives(value: Json): void {
    const { anyOf, oneOf, allOf, not } = this.#schema;
    if (anyOf !== undefined) this.#anyOf(anyOf, value);
    if (oneOf !== undefined) this.#oneOf(oneOf, value);
    if (allOf !== undefined) this.#allOf(allOf, value);
    if (not !== undefined && this.#byOther(not, value).problems.length === 0) {
      this.#composite('must not validate the schema (not)');
    }
  }

  #byOther(schema: Schema, value: Json): Judge {
    return new Judge(schema, this.#path).judge(value);
  }

  #composite(text: string): void {
    this.problems.push(invalid(NO_FIELD, '', `"${this.#path}" ${text}`));
  }

  #anyOf(schemas: readonly Schema[], value: Json): void {
    const judges = schemas.map((schema) => this.#byOther(schema, value));
    const passed = judges.find(({ problems }) => problems.length === 0);
    if (passed !== undefined) {
      this.matched += passed.matched;
      return;
    }
    this.#composite('must validate at least one schema (anyOf)');
    this.#takeBest(judges);
  }

  #oneOf(schemas: readonly Schema[], value: Json): void {
    const judges = schemas.map((schema) => this.#byOther(schema, value));
    const passed = judges.filter(({ problems }) => problems.length === 0);
    if (passed.length === 1) {
      this.matched += passed[0]?.matched ?? 0;
      return;
    }
    const found = passed.length === 0 ? 'Found none valid' : `Found ${passed.length} valid alternatives`;
    this.#composite(`must validate one and only one schema (oneOf). ${found}`);
    if (passed.length === 0) this.#takeBest(judges);
  }

  #allOf(schemas: readonly Schema[], value: Json): void {
    const judges = schemas.map((schema) => this.#byOther(schema, value));
    for (const judge of judges) this.#take(judge);
    const passed = judges.filter(({ problems }) => problems.length === 0).length;
    if (passed < judges.length) {
      this.#composite(`must validate all the schemas (allOf)${passed === 0 ? '. None validated' : ''}`);
    }
  }

  /** Tell the problems of the alternative that got furthest; the first of equals. */
  #takeBest(judges: readonly Judge[]): void {
    let best: Judge | undefined;
    for (const judge of judges) if (best === undefined || judge.matched > best.matched) best = judge;
    if (best !== undefined) this.#take(best);
  }
}

function typesOf(schema: Schema): readonly string[] {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string'];
  return schema.type === undefined ? [] : [schema.type];
}

function admits(types: readonly string[], actual: string): boolean {
  return types.includes(actual) || (actual === 'integer' && types.includes('number'));
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function isMultiple(value: number | bigint, factor: number): boolean {
  if (typeof value === 'bigint') return !Number.isInteger(factor) || value % BigInt(factor) === 0n;
  const quotient = factor < 1 ? (1 / factor) * value : value / factor;
  const nearest = Math.round(quotient);
  return quotient === nearest || Math.abs(quotient - nearest) < 1e-9 * Math.abs(quotient);
}
