import { isJsonObject, type Json, type JsonObject, type Schema } from '@bloomery/model';
import { type FieldSet, FieldSetBuilder } from './field-set.ts';
import { fieldType, itemElement, memberSchema, membersType } from './field-type.ts';
import { memberElement, memberOf } from './path-element.ts';

/** The fields that an object sets: leaves, list items, members that the schema does not name, and empty objects. */
export function fieldSetOf(schema: Schema, object: JsonObject): FieldSet {
  const set = new FieldSetBuilder();
  collect(schema, object, [], set);
  return set;
}

function collect(schema: Schema, value: Json, path: readonly string[], set: FieldSetBuilder): void {
  const type = fieldType(schema, value);
  if (type.of === 'leaf') set.insert(path);
  else if (type.of === 'map' && isJsonObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue;
      const at = [...path, memberElement(name)];
      const { schema: below, declared } = memberSchema(type, name);
      collect(below, member, at, set);
      if (!declared || member === null || isEmptyObject(member)) set.insert(at);
    }
  } else if (type.of === 'list' && Array.isArray(value)) {
    for (const item of value) {
      const element = itemElement(type, item);
      if (element === undefined) continue;
      collect(type.items, item, [...path, element], set);
      set.insert([...path, element]);
    }
  }
}

function isEmptyObject(value: Json): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

/**
 * The set with every declared member on the way to another member made a member too, so that taking all of a
 * manager's fields away also takes the objects and lists that only held them.
 */
export function withNamedParents(schema: Schema, set: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [element, child] of set.children) {
    const name = memberOf(element);
    const { schema: below, declared } = schemaBelow(schema, name);
    const inner = withNamedParents(below, child);
    const named = declared && child.children.size > 0;
    children.set(element, named && !inner.owned ? { ...inner, owned: true } : inner);
  }
  return { owned: set.owned, children };
}

function schemaBelow(
  schema: Schema,
  name: string | undefined,
): { readonly schema: Schema; readonly declared: boolean } {
  if (name === undefined) return { schema: schema.items ?? {}, declared: false };
  return memberSchema(membersType(schema), name);
}
