import { isJsonObject, type Json, type JsonObject, type schema, stringifyJson } from '@bloomery/model';
import { itemPath, memberPath, ownMember } from './field-path.ts';
import { OBJECT_META_SCHEMA } from './object-meta-schema.ts';

type Schema = schema.Schema;

/** What a Shaper does to a value; each part can be left out. */
export interface Shaping {
  /** Drop fields that the schema does not know. They are reported in any case. */
  readonly prune: boolean;
  /** Fill in defaults of absent fields, and of null ones that may not be null. */
  readonly defaults: boolean;
  /** Drop null members that may not be null and have no default. */
  readonly dropNulls: boolean;
}

/** What defaults may add to one object, bytes of JSON: more is never stored, and a small body could ask for gigabytes. */
export const MAX_DEFAULT_BYTES = 1536 * 1024;

const RESOURCE_MEMBERS = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * Prune and default a value. What needs no change is returned as it is (the same reference), so that shaping an object
 * that is already in shape costs no copies.
 */
export class Shaper {
  /** Paths of fields that the schema does not know, in order of appearance. */
  readonly unknown: string[] = [];
  readonly #shaping: Shaping;
  #added = 0;

  constructor(shaping: Shaping) {
    this.#shaping = shaping;
  }

  /** Defaults would have added too much: from some point on none were filled in. */
  get defaultsEnd(): boolean {
    return this.#added > MAX_DEFAULT_BYTES;
  }

  /** @param path path of the value, '' for the whole object: then apiVersion, kind and metadata are kept untouched. */
  shape(schema: Schema, value: Json, path: string): Json {
    if (isJsonObject(value)) return this.#object(schema, value, path);
    return Array.isArray(value) && schema.items !== undefined ? this.#list(schema.items, value, path) : value;
  }

  #list(items: Schema, value: readonly Json[], path: string): Json {
    let changed = false;
    const shaped = value.map((item, i) => {
      const next = this.shape(items, this.#default(items, item) ?? item, itemPath(path, i));
      changed ||= next !== item;
      return next;
    });
    return changed ? shaped : value;
  }

  #object(schema: Schema, value: JsonObject, path: string): Json {
    const members: [string, Json][] = [];
    let changed = false;
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue;
      const next = this.#member(schema, name, member, path);
      changed ||= next !== member;
      if (next !== undefined) members.push([name, next]);
    }
    if (this.#shaping.defaults && !this.defaultsEnd) {
      for (const [name, child, preset] of defaultedOf(schema)) {
        if (Object.hasOwn(value, name)) continue;
        this.#added += name.length + defaultBytes(child);
        if (this.defaultsEnd) break;
        const filled = this.#member(schema, name, preset, path);
        if (filled === undefined) continue;
        members.push([name, filled]);
        changed = true;
      }
    }
    return changed ? Object.fromEntries(members) : value;
  }

  /** The member as it shall be; undefined when it is dropped. */
  #member(schema: Schema, name: string, member: Json, parent: string): Json | undefined {
    const path = memberPath(parent, name);
    const embedded = schema['x-kubernetes-embedded-resource'] === true && parent !== '';
    if (embedded && name === 'metadata') return this.shape(OBJECT_META_SCHEMA, member, path);
    if ((embedded || parent === '') && RESOURCE_MEMBERS.has(name)) return member;
    const { additionalProperties } = schema;
    const values = typeof additionalProperties === 'object' ? additionalProperties : undefined;
    const child = ownMember(schema.properties, name) ?? values;
    if (child !== undefined) return this.#known(child, member, path);
    if (additionalProperties === true || schema['x-kubernetes-preserve-unknown-fields'] === true) return member;
    this.unknown.push(path);
    return this.#shaping.prune ? undefined : member;
  }

  #known(schema: Schema, member: Json, path: string): Json | undefined {
    if (member !== null || schema.nullable === true) return this.shape(schema, member, path);
    const replaced = this.#default(schema, member);
    if (replaced !== undefined) return this.shape(schema, replaced, path);
    return this.#shaping.dropNulls ? undefined : member;
  }

  /** What stands in for a null that may not be one. */
  #default(schema: Schema, value: Json): Json | undefined {
    if (!this.#shaping.defaults || value !== null || schema.nullable === true || schema.default === undefined) return;
    this.#added += defaultBytes(schema);
    return this.defaultsEnd ? undefined : schema.default;
  }
}

type Defaulted = readonly (readonly [name: string, child: Schema, preset: Json])[];

const defaulted = new WeakMap<Schema, Defaulted>();

/** The members of a schema that have a default; looked for once, as a list may have a hundred thousand items. */
function defaultedOf(schema: Schema): Defaulted {
  const known = defaulted.get(schema);
  if (known !== undefined) return known;
  const made = Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    child.default === undefined ? [] : [[name, child, child.default] as const],
  );
  defaulted.set(schema, made);
  return made;
}

const sizes = new WeakMap<Schema, number>();

/** Bytes of a schema's default. */
function defaultBytes(schema: Schema): number {
  const known = sizes.get(schema);
  if (known !== undefined) return known;
  const bytes = Buffer.byteLength(stringifyJson(schema.default ?? null));
  sizes.set(schema, bytes);
  return bytes;
}
