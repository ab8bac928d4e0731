import { isJsonObject, type Json, type JsonObject, jsonEqual, type Schema } from '@bloomery/model';
import { ownMember } from '../schema/field-path.ts';
import { type FieldSet, FieldSetBuilder } from './field-set.ts';
import { type FieldType, fieldType, itemsByElement, memberSchema } from './field-type.ts';
import { memberElement } from './path-element.ts';

/** Which fields differ between two objects. */
export interface Comparison {
  readonly added: FieldSet;
  readonly removed: FieldSet;
  readonly modified: FieldSet;
}

/** Compare two objects field by field. Subtrees that are the same reference are not walked. */
export function compareObjects(schema: Schema, before: JsonObject, after: JsonObject): Comparison {
  const walker = new Walker();
  walker.compare(schema, before, after, []);
  return walker;
}

class Walker implements Comparison {
  readonly added = new FieldSetBuilder();
  readonly removed = new FieldSetBuilder();
  readonly modified = new FieldSetBuilder();

  compare(schema: Schema, before: Json | undefined, after: Json | undefined, path: readonly string[]): void {
    if (before === after) return;
    const type = fieldType(schema, after ?? before ?? null);
    if (type.of === 'leaf' || (isEmpty(before) && isEmpty(after)) || contradicts(type, before)) {
      this.#leaf(before, after, path);
      return;
    }
    if (type.of === 'map') this.#members(type, before, after, path);
    else this.#items(type, before, after, path);
    if (before === undefined) this.added.insert(path);
    else if (after === undefined) this.removed.insert(path);
  }

  #leaf(before: Json | undefined, after: Json | undefined, path: readonly string[]): void {
    if (before === undefined) this.added.insert(path);
    else if (after === undefined) this.removed.insert(path);
    else if (!jsonEqual(before, after)) this.modified.insert(path);
  }

  #members(
    type: FieldType & { readonly of: 'map' },
    before: Json | undefined,
    after: Json | undefined,
    path: readonly string[],
  ): void {
    const left = isJsonObject(before) ? before : {};
    const right = isJsonObject(after) ? after : {};
    for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const { schema } = memberSchema(type, name);
      this.compare(schema, ownMember(left, name), ownMember(right, name), [...path, memberElement(name)]);
    }
  }

  #items(
    type: FieldType & { readonly of: 'list' },
    before: Json | undefined,
    after: Json | undefined,
    path: readonly string[],
  ): void {
    const left = itemsByElement(type, Array.isArray(before) ? before : []);
    const right = itemsByElement(type, Array.isArray(after) ? after : []);
    for (const element of new Set([...left.keys(), ...right.keys()])) {
      const was = left.get(element);
      const is = right.get(element);
      const at = [...path, element];
      if ((was?.length ?? 1) > 1 || (is?.length ?? 1) > 1) this.#leaf(was, is, at);
      else this.compare(type.items, was?.[0], is?.[0], at);
    }
  }
}

function isEmpty(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) ? Object.keys(value).length === 0 : value === undefined || value === null;
}

/** Whether a value is of another shape than the type says: then the field changes as a whole. */
function contradicts(type: FieldType, value: Json | undefined): boolean {
  if (value === undefined || value === null) return false;
  return type.of === 'map' ? !isJsonObject(value) : !Array.isArray(value);
}
