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
  const root = new Place(undefined, '');
  compare(schema, before, after, root);
  return { added: root.node('added'), removed: root.node('removed'), modified: root.node('modified') };
}

/** A field that was looked at. Most fields are equal: nodes in the sets are made on the way up from one that is not. */
class Place {
  readonly #parent: Place | undefined;
  readonly #element: string;
  readonly #nodes: { -readonly [set in keyof Comparison]: FieldSetBuilder | undefined } = {
    added: undefined,
    removed: undefined,
    modified: undefined,
  };

  constructor(parent: Place | undefined, element: string) {
    this.#parent = parent;
    this.#element = element;
  }

  below(element: string): Place {
    return new Place(this, element);
  }

  /** Make the field a member. The root never is one. */
  note(set: keyof Comparison): void {
    if (this.#parent !== undefined) this.node(set).owned = true;
  }

  node(set: keyof Comparison): FieldSetBuilder {
    const known = this.#nodes[set];
    if (known !== undefined) return known;
    const made = this.#parent === undefined ? new FieldSetBuilder() : this.#parent.node(set).child(this.#element);
    this.#nodes[set] = made;
    return made;
  }
}

function compare(schema: Schema, before: Json | undefined, after: Json | undefined, place: Place): void {
  if (before === after) return;
  const type = fieldType(schema, after ?? before ?? null);
  if (type.of === 'leaf' || (isEmpty(before) && isEmpty(after)) || contradicts(type, before)) {
    compareLeaves(before, after, place);
    return;
  }
  if (type.of === 'map') compareMembers(type, before, after, place);
  else compareItems(type, before, after, place);
  if (before === undefined) place.note('added');
  else if (after === undefined) place.note('removed');
}

function compareLeaves(before: Json | undefined, after: Json | undefined, place: Place): void {
  if (before === undefined) place.note('added');
  else if (after === undefined) place.note('removed');
  else if (!jsonEqual(before, after)) place.note('modified');
}

function compareMembers(
  type: FieldType & { readonly of: 'map' },
  before: Json | undefined,
  after: Json | undefined,
  place: Place,
): void {
  const left = isJsonObject(before) ? before : {};
  const right = isJsonObject(after) ? after : {};
  const both = (name: string): void => {
    const was = ownMember(left, name);
    const is = ownMember(right, name);
    if (was !== is) compare(memberSchema(type, name).schema, was, is, place.below(memberElement(name)));
  };
  for (const name of Object.keys(left)) both(name);
  for (const name of Object.keys(right)) if (!Object.hasOwn(left, name)) both(name);
}

function compareItems(
  type: FieldType & { readonly of: 'list' },
  before: Json | undefined,
  after: Json | undefined,
  place: Place,
): void {
  const left = itemsByElement(type, Array.isArray(before) ? before : []);
  const right = itemsByElement(type, Array.isArray(after) ? after : []);
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const was = left.get(element);
    const is = right.get(element);
    const at = place.below(element);
    if ((was?.length ?? 1) > 1 || (is?.length ?? 1) > 1) compareLeaves(was, is, at);
    else compare(type.items, was?.[0], is?.[0], at);
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
