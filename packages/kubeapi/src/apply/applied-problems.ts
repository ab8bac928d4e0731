import { isJsonObject, type Json, type JsonObject, type Schema } from '@bloomery/model';
import { jsonType } from '../schema/validate.ts';
import { type FieldType, fieldType, itemElement, memberSchema, membersType } from './field-type.ts';
import { elementText } from './path-element.ts';

/**
 * Why an applied object cannot be merged by its schema: list items twice or without their key, values of another shape,
 * fields that the schema does not declare. Empty when it can.
 *
 * @returns texts such as `.spec.ports: duplicate entries for key [name="h"]`.
 */
export function appliedProblems(schema: Schema, object: JsonObject): readonly string[] {
  const problems: string[] = [];
  check(schema, object, '', problems);
  return problems;
}

function check(schema: Schema, value: Json, path: string, problems: string[]): void {
  if (value === null) return;
  const wanted = schema['x-kubernetes-int-or-string'] === true ? undefined : schema.type;
  const shape = SHAPES[wanted ?? ''];
  if (shape !== undefined && !shape.admits(value)) {
    problems.push(`${path}: expected ${shape.text}, got ${jsonType(value)}`);
    return;
  }
  if (isJsonObject(value)) checkMembers(schema, value, path, problems);
  const type = fieldType(schema, value);
  if (!Array.isArray(value)) return;
  if (type.of === 'list') checkItems(type, value, path, problems);
  else for (const [i, item] of value.entries()) check(schema.items ?? {}, item, `${path}[${i}]`, problems);
}

const SHAPES: { readonly [type: string]: { readonly text: string; readonly admits: (value: Json) => boolean } } = {
  array: { text: 'list', admits: (value) => Array.isArray(value) },
  boolean: { text: 'boolean', admits: (value) => typeof value === 'boolean' },
  integer: {
    text: 'numeric (int or float)',
    admits: (value) => typeof value === 'number' || typeof value === 'bigint',
  },
  number: { text: 'numeric (int or float)', admits: (value) => typeof value === 'number' || typeof value === 'bigint' },
  object: { text: 'map', admits: isJsonObject },
  string: { text: 'string', admits: (value) => typeof value === 'string' },
};

function checkMembers(schema: Schema, value: JsonObject, path: string, problems: string[]): void {
  const { additionalProperties } = schema;
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties !== undefined;
  const type = membersType(schema);
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const at = `${path}.${name}`;
    const { schema: below, declared } = memberSchema(type, name);
    if (declared || open || schema.type === undefined) check(below, member, at, problems);
    else problems.push(`${at}: field not declared in schema`);
  }
}

function checkItems(
  type: FieldType & { readonly of: 'list' },
  value: readonly Json[],
  path: string,
  problems: string[],
): void {
  const seen = new Set<string>();
  for (const [i, item] of value.entries()) {
    const element = itemElement(type, item);
    if (element === undefined) {
      problems.push(`${path}: element ${i}: ${whyNoElement(type, item)}`);
      continue;
    }
    if (seen.has(element)) problems.push(`${path}: duplicate entries for key ${elementText(element)}`);
    seen.add(element);
    check(type.items, item, `${path}${elementText(element)}`, problems);
  }
}

function whyNoElement(type: FieldType & { readonly of: 'list' }, item: Json): string {
  if (!isJsonObject(item)) return 'associative list with keys may not have non-map elements';
  const names = (type.keys ?? []).map((key) => JSON.stringify(key)).join(' ');
  return `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`;
}
