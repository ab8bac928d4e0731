import { type FieldProblem, isJsonObject, type Json, type JsonObject, type schema } from '@bloomery/model';
import { duplicate, invalid, required } from './field-causes.ts';
import { itemPath, memberPath, ownMember } from './field-path.ts';
import { goJson } from './go-text.ts';
import { OBJECT_META_SCHEMA } from './object-meta-schema.ts';
import { isQualifiedName, QUALIFIED_NAME_RULE } from './qualified-name.ts';
import { validate } from './validate.ts';

type Schema = schema.Schema;

/**
 * Check what the schema's structure alone cannot say: `set` lists hold each item once, `map` lists each key once,
 * and embedded resources name their apiVersion and kind.
 */
export function validateListTypes(schema: Schema, value: Json, path: string): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  walk(schema, value, path, problems);
  return problems;
}

function walk(schema: Schema, value: Json, path: string, problems: FieldProblem[]): void {
  if (Array.isArray(value)) {
    checkList(schema, value, path, problems);
    checkItems(schema.items, value, path, problems);
    return;
  }
  if (!isJsonObject(value)) return;
  if (schema['x-kubernetes-embedded-resource'] === true) checkEmbedded(value, path, problems);
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const declared = ownMember(schema.properties, name);
    if (declared !== undefined) walk(declared, member, memberPath(path, name), problems);
    else if (typeof schema.additionalProperties === 'object') {
      walk(schema.additionalProperties, member, `${path}[${name}]`, problems);
    }
  }
}

function checkItems(items: Schema | undefined, value: readonly Json[], path: string, problems: FieldProblem[]): void {
  if (items === undefined) return;
  for (const [i, item] of value.entries()) walk(items, item, itemPath(path, i), problems);
}

function checkList(schema: Schema, value: readonly Json[], path: string, problems: FieldProblem[]): void {
  const type = schema['x-kubernetes-list-type'];
  if (type === 'set') refuseDuplicates(value, path, problems);
  if (type !== 'map') return;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const items: Json[] = [];
  value.forEach((item, i) => {
    if (isJsonObject(item)) items.push(keysOf(item, keys));
    else if (item !== null) {
      problems.push(invalid(itemPath(path, i), item, 'must be an object for an array of list-type map'));
    }
  });
  if (items.length === value.length) refuseDuplicates(items, path, problems);
}

/** The key members of a list-map item; absent ones are left out. */
function keysOf(item: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(item, key) ? [[key, item[key]]] : [])));
}

function refuseDuplicates(items: readonly Json[], path: string, problems: FieldProblem[]): void {
  const seen = new Map<string, number>();
  items.forEach((item, i) => {
    const text = goJson(item);
    const count = (seen.get(text) ?? 0) + 1;
    seen.set(text, count);
    if (count === 2) problems.push(duplicate(itemPath(path, i), item));
  });
}

const KIND = /^[A-Za-z](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
const KIND_RULE =
  "may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', " +
  "start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

function checkEmbedded(value: JsonObject, path: string, problems: FieldProblem[]): void {
  for (const name of ['apiVersion', 'kind']) {
    const at = memberPath(path, name);
    const text = ownMember(value, name);
    if (text === undefined) problems.push(required(at));
    else if (text === '') problems.push(invalid(at, text, 'must not be empty'));
    else if (typeof text !== 'string') problems.push(invalid(at, text, 'must be a string'));
    else if (name === 'kind' && !KIND.test(text)) problems.push(invalid(at, text, KIND_RULE));
    else if (name === 'apiVersion' && text.split('/').length > 2) {
      problems.push(invalid(at, text, `unexpected GroupVersion string: ${text}`));
    }
  }
  const metadata = ownMember(value, 'metadata');
  if (metadata === undefined) return;
  const at = memberPath(path, 'metadata');
  const [wrong] = validate(OBJECT_META_SCHEMA, metadata, at);
  if (wrong !== undefined) problems.push(invalid(at, metadata, wrong.message.replace(/^Invalid value: "[^"]*": /, '')));
  if (!isJsonObject(metadata)) return;
  for (const name of ['labels', 'annotations']) {
    const keys = Object.keys(metadata[name] ?? {});
    const [bad] = keys.filter((key) => !isQualifiedName(name === 'labels' ? key : key.toLowerCase()));
    if (bad !== undefined) problems.push(invalid(memberPath(at, name), bad, QUALIFIED_NAME_RULE));
  }
}
