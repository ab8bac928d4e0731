import { isJsonObject, type Json, type Schema } from '@bloomery/model';
import { ownMember } from '../schema/field-path.ts';
import { OBJECT_META_SCHEMA } from '../schema/object-meta-schema.ts';
import { keyElement, valueElement } from './path-element.ts';

/** How a field takes part in ownership: as a leaf, member by member, or item by item. */
export type FieldType =
  | { readonly of: 'leaf' }
  | { readonly of: 'map'; readonly fields: Schema['properties']; readonly element: Schema }
  | { readonly of: 'list'; readonly keys: readonly string[] | undefined; readonly items: Schema };

/** Fields that no schema describes: objects count member by member, lists as a whole. */
const UNTYPED: Schema = {};
const LEAF: FieldType = { of: 'leaf' };

/** The type of a field by its schema; where the schema leaves it open, or the value contradicts it, by the value. */
export function fieldType(schema: Schema, value: Json | undefined): FieldType {
  if (schema['x-kubernetes-int-or-string'] === true) return LEAF;
  if (Array.isArray(value)) return schema.type === undefined || schema.type === 'array' ? listType(schema) : LEAF;
  if (isJsonObject(value)) return schema.type === undefined || schema.type === 'object' ? mapType(schema) : LEAF;
  if (value !== null && value !== undefined) return LEAF;
  if (schema.type === 'array') return listType(schema);
  return schema.type === 'object' ? mapType(schema) : LEAF;
}

function listType(schema: Schema): FieldType {
  const items = schema.items ?? UNTYPED;
  switch (schema['x-kubernetes-list-type']) {
    case 'set':
      return { of: 'list', keys: undefined, items };
    case 'map':
      return { of: 'list', keys: schema['x-kubernetes-list-map-keys'] ?? [], items };
    default:
      return LEAF;
  }
}

function mapType(schema: Schema): FieldType {
  return schema['x-kubernetes-map-type'] === 'atomic' ? LEAF : membersType(schema);
}

/** The members of an object, whether or not they are owned one by one. */
export function membersType(schema: Schema): FieldType & { readonly of: 'map' } {
  const { additionalProperties } = schema;
  const element = typeof additionalProperties === 'object' ? additionalProperties : UNTYPED;
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  const fields = embedded ? { ...RESOURCE_MEMBERS, ...schema.properties } : schema.properties;
  return { of: 'map', fields, element };
}

/** What every object has, also one that is embedded in another. */
const RESOURCE_MEMBERS: { readonly [name: string]: Schema } = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: OBJECT_META_SCHEMA,
};

/** The schema of a member, and whether the schema declares that very name. */
export function memberSchema(
  type: FieldType & { readonly of: 'map' },
  name: string,
): { readonly schema: Schema; readonly declared: boolean } {
  const declared = ownMember(type.fields, name);
  return declared === undefined ? { schema: type.element, declared: false } : { schema: declared, declared: true };
}

/** The path element of a list item; undefined when a key is missing, which makes the item unaddressable. */
export function itemElement(type: FieldType & { readonly of: 'list' }, item: Json): string | undefined {
  if (type.keys === undefined) return valueElement(item);
  const key = keyElement(item, type.keys, type.items);
  return 'element' in key ? key.element : undefined;
}

/** The items of a list by path element, in order. Items without one are left out; of duplicates all are kept. */
export function itemsByElement(type: FieldType & { readonly of: 'list' }, list: readonly Json[]): Map<string, Json[]> {
  const items = new Map<string, Json[]>();
  for (const item of list) {
    const element = itemElement(type, item);
    if (element === undefined) continue;
    const same = items.get(element);
    if (same === undefined) items.set(element, [item]);
    else same.push(item);
  }
  return items;
}

const roots = new WeakMap<Schema, Schema>();

/** The schema of a whole object: that of its kind, with apiVersion, kind and metadata. */
export function objectSchema(schema: Schema): Schema {
  const known = roots.get(schema);
  if (known !== undefined) return known;
  const made: Schema = { ...schema, type: 'object', properties: { ...schema.properties, ...RESOURCE_MEMBERS } };
  roots.set(schema, made);
  return made;
}
