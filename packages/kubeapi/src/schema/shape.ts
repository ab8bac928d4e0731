import { isJsonObject, type Json, type JsonObject, type schema } from '@bloomery/model';
import { itemPath, memberPath, ownMember } from './field-path.ts';
import { OBJECT_META_SCHEMA } from './object-meta-schema.ts';

type Schema = schema.Schema;

/** What `shape` does to a value; each part can be left out. */
export interface Shaping {
  /** Drop fields that the schema does not know. They are reported in any case. */
  readonly prune: boolean;
  /** Fill in defaults of absent fields, and of null ones that may not be null. */
  readonly defaults: boolean;
  /** Drop null members that may not be null and have no default. */
  readonly dropNulls: boolean;
}

const RESOURCE_MEMBERS = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * Prune and default a value. What needs no change is returned as it is (the same reference), so that shaping an object
 * that is already in shape costs no copies.
 *
 * @param path path of the value, '' for the whole object: then apiVersion, kind and metadata are kept untouched.
 * @param unknown receives the paths of all unknown fields, in order of appearance.
 */
export function shape(schema: Schema, value: Json, path: string, shaping: Shaping, unknown: string[]): Json {
  if (isJsonObject(value)) return shapeObject(schema, value, path, shaping, unknown);
  if (!Array.isArray(value)) return value;
  const { items } = schema;
  if (items === undefined) return value;
  let changed = false;
  const shaped = value.map((item: Json, i) => {
    const replaced = replaceNull(items, item, shaping) ?? item;
    const next = shape(items, replaced, itemPath(path, i), shaping, unknown);
    changed ||= next !== item;
    return next;
  });
  return changed ? shaped : value;
}

function shapeObject(schema: Schema, value: JsonObject, path: string, shaping: Shaping, unknown: string[]): Json {
  const members: [string, Json][] = [];
  let changed = false;
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const next = shapeMember(schema, name, member, path, shaping, unknown);
    changed ||= next !== member;
    if (next !== undefined) members.push([name, next]);
  }
  if (shaping.defaults) {
    for (const [name, child] of Object.entries(schema.properties ?? {})) {
      if (child.default === undefined || Object.hasOwn(value, name)) continue;
      members.push([name, shape(child, child.default, memberPath(path, name), shaping, unknown)]);
      changed = true;
    }
  }
  return changed ? Object.fromEntries(members) : value;
}

/** The member as it shall be; undefined when it is dropped. */
function shapeMember(
  schema: Schema,
  name: string,
  member: Json,
  path: string,
  shaping: Shaping,
  unknown: string[],
): Json | undefined {
  const embedded = schema['x-kubernetes-embedded-resource'] === true && path !== '';
  if (embedded && name === 'metadata') {
    return shape(OBJECT_META_SCHEMA, member, memberPath(path, name), shaping, unknown);
  }
  if ((embedded || path === '') && RESOURCE_MEMBERS.has(name)) return member;
  const declared = ownMember(schema.properties, name);
  const { additionalProperties } = schema;
  const child = declared ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
  const at = memberPath(path, name);
  if (child === undefined) {
    if (additionalProperties === true || schema['x-kubernetes-preserve-unknown-fields'] === true) return member;
    unknown.push(at);
    return shaping.prune ? undefined : member;
  }
  if (member === null && child.nullable !== true) {
    const replaced = replaceNull(child, member, shaping);
    if (replaced === undefined) return shaping.dropNulls ? undefined : member;
    return shape(child, replaced, at, shaping, unknown);
  }
  return shape(child, member, at, shaping, unknown);
}

function replaceNull(schema: Schema, value: Json, shaping: Shaping): Json | undefined {
  return shaping.defaults && value === null && schema.nullable !== true ? schema.default : undefined;
}
