import { type FieldProblem, isJsonObject, type Json, type JsonObject, type schema } from '@bloomery/model';
import { invalid, NO_FIELD } from './field-causes.ts';
import { memberPath, ownMember } from './field-path.ts';
import { validateListTypes } from './list-types.ts';
import { checkRules, rulePlan } from './rules/index.ts';
import { Shaper, type Shaping } from './shape.ts';
import { validate } from './validate.ts';

type Schema = schema.Schema;

/** What `processObject` shall do; everything unless switched off. */
export interface ProcessOptions extends Partial<Shaping> {
  readonly validate?: boolean;
  /** Refuse duplicates in lists that are sets or maps. Kubernetes' own kinds let most of them pass. */
  readonly lists?: boolean;
  /**
   * The stored object, in the same version, for an update: what was invalid before and has not changed is let pass, and rules
   * can compare with it.
   */
  readonly old?: JsonObject | undefined;
  /** Only this member was written: the texts of refusals name paths below it. */
  readonly part?: 'status' | undefined;
}

/** The object in the shape of its schema, and what was wrong with it. */
export interface ProcessedObject {
  /** The same reference when nothing had to change. */
  readonly object: JsonObject;
  /** Sorted paths of fields that the schema does not know (`spec.nested.zz`), whether or not they were dropped. */
  readonly unknownFields: readonly string[];
  /** Causes of an Invalid Status; empty when the object is valid. */
  readonly problems: readonly FieldProblem[];
  /** Defaults would add more than an object may have (`MAX_DEFAULT_BYTES`): the rest is missing, and nothing was validated. */
  readonly defaultsEnd: boolean;
}

/**
 * Take a whole object through its schema: drop unknown fields, fill in defaults, drop forbidden nulls, validate.
 * apiVersion, kind and metadata are not touched: see `shapeObjectMeta`. Pure; the input is never changed.
 *
 * On reading from storage use `{ validate: false }`. For the result of a server-side apply use `{ dropNulls: false }`:
 * kube-apiserver refuses nulls there instead of dropping them.
 */
export function processObject(schema: Schema, object: JsonObject, options: ProcessOptions = {}): ProcessedObject {
  const { prune = true, defaults = true, dropNulls = true } = options;
  const shaper = new Shaper({ prune, defaults, dropNulls });
  const shaped = shaper.shape(schema, object, '');
  const result = isJsonObject(shaped) ? shaped : object;
  const { defaultsEnd } = shaper;
  const problems = options.validate === false || defaultsEnd ? [] : problemsOf(schema, result, options);
  return { object: result, unknownFields: shaper.unknown.sort(), problems, defaultsEnd };
}

/** Prune, default and validate a value that is no whole object: a schema's default. */
export function processValue(
  schema: Schema,
  value: Json,
): { readonly unknownFields: readonly string[]; readonly problems: readonly FieldProblem[] } {
  const shaper = new Shaper({ prune: true, defaults: true, dropNulls: true });
  // Under the root's rules apiVersion, kind and metadata would be let through.
  const shaped = shaper.shape(schema, value, DEFAULT_PATH);
  return { unknownFields: shaper.unknown, problems: validate(schema, shaped, '') };
}

const DEFAULT_PATH = 'default';

function problemsOf(
  schema: Schema,
  object: JsonObject,
  { old, part, lists = true }: ProcessOptions,
): readonly FieldProblem[] {
  const structure =
    part === undefined ? structureProblems(schema, object, old) : partProblems(schema, object, old, part);
  const problems = [...structure, ...(lists ? listProblems(schema, object, old) : [])];
  if (rulePlan(schema, true) === undefined) return problems;
  if (problems.some(({ reason }) => BLOCKING.has(reason))) return [...problems, UNCHECKED_RULES];
  return [...problems, ...checkRules(schema, object, old)];
}

/** Judged without the old object first: nearly all objects are valid, and then nothing has to be compared. */
function structureProblems(schema: Schema, object: JsonObject, old: JsonObject | undefined): readonly FieldProblem[] {
  const problems = validate(schema, object, '');
  return problems.length === 0 || old === undefined ? problems : validate(schema, object, '', old);
}

function partProblems(
  schema: Schema,
  object: JsonObject,
  old: JsonObject | undefined,
  part: string,
): readonly FieldProblem[] {
  const [own, value] = [ownMember(schema.properties, part), ownMember(object, part)];
  if (own === undefined || value === undefined) return structureProblems(schema, object, old);
  const problems = validate(own, value, '');
  const judged = problems.length === 0 || old === undefined ? problems : validate(own, value, '', ownMember(old, part));
  return judged.map((problem) => ({
    ...problem,
    field: problem.field === NO_FIELD ? NO_FIELD : inPart(part, problem),
  }));
}

function inPart(part: string, { field }: FieldProblem): string {
  return field === '' ? part : field.startsWith('[') ? `${part}${field}` : memberPath(part, field);
}

/** Duplicates are let pass as long as the stored object has any. */
function listProblems(schema: Schema, object: JsonObject, old: JsonObject | undefined): readonly FieldProblem[] {
  const problems = validateListTypes(schema, object, '');
  return problems.length > 0 && old !== undefined && validateListTypes(schema, old, '').length > 0 ? [] : problems;
}

const BLOCKING: ReadonlySet<string> = new Set([
  'FieldValueRequired',
  'FieldValueNotSupported',
  'FieldValueTypeInvalid',
  'FieldValueTooLong',
  'FieldValueTooMany',
]);

const UNCHECKED_RULES = invalid(
  NO_FIELD,
  null,
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
);

/** The JSON path of a scale subresource: `.spec.replicas`. */
export type DottedPath = string;

/**
 * The causes that a scale subresource adds: its paths must lead through objects to whole numbers.
 * Absent fields are fine.
 */
export function validateScale(object: JsonObject, replicasPath: DottedPath): readonly FieldProblem[] {
  let value: Json | undefined = object;
  const names = replicasPath.replace(/^\./, '').split('.');
  for (const name of names) {
    if (!isJsonObject(value)) {
      const type = Array.isArray(value) ? '[]interface {}' : goTypeOf(value);
      const detail = `${replicasPath} accessor error: ${goPlain(value)} is of the type ${type}, expected map[string]interface{}`;
      return [invalid(replicasPath, 0, detail)];
    }
    value = ownMember(value, name);
    if (value === undefined) return [];
  }
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    const detail = `${replicasPath} accessor error: ${goPlain(value)} is of the type ${goTypeOf(value)}, expected int64`;
    return [invalid(replicasPath, 0, detail)];
  }
  return value < 0 ? [invalid(replicasPath, value, 'should be a non-negative integer')] : [];
}

function goTypeOf(value: Json | undefined): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return '[]interface {}';
  return typeof value === 'object' ? 'map[string]interface {}' : typeof value;
}

function goPlain(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => goPlain(item)).join(' ')}]`;
  return value === null || value === undefined ? '<nil>' : String(value);
}
