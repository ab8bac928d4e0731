import { isJsonObject, type Json, type JsonObject, jsonEqual } from '@bloomery/model';

/** Makes the CEL value of a JSON value. */
export type Convert = (value: Json) => unknown;

/** An object with declared fields. Members are converted when a rule asks for them, once. */
export class TypedObject extends Map<string, unknown> {
  readonly raw: JsonObject;
  readonly #fields: ReadonlyMap<string, { readonly property: string; readonly convert: Convert }>;

  /** @param fields by the name that rules use. */
  constructor(raw: JsonObject, fields: ReadonlyMap<string, { readonly property: string; readonly convert: Convert }>) {
    super();
    this.raw = raw;
    this.#fields = fields;
  }

  override get(name: string): unknown {
    const known = super.get(name);
    if (known !== undefined) return known;
    const field = this.#fields.get(name);
    if (field === undefined || !Object.hasOwn(this.raw, field.property)) return undefined;
    const member = this.raw[field.property];
    if (member === undefined) return undefined;
    const value = field.convert(member);
    this.set(name, value);
    return value;
  }
}

/** A JSON value without a schema: whole numbers are int, objects maps. */
export function dynamicValue(value: Json): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item: Json) => dynamicValue(item));
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return new Map(members.map(([name, member]) => [name, dynamicValue(member ?? null)]));
}

/** CEL's equality of two values. */
export function celEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === 'bigint' || typeof a === 'number') {
    // biome-ignore lint/suspicious/noDoubleEquals: int and double compare by value
    return (typeof b === 'bigint' || typeof b === 'number') && a == b;
  }
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => celEqual(item, b[i]));
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof TypedObject) return b instanceof TypedObject && jsonEqual(a.raw, b.raw);
  if (a instanceof Map) {
    return (
      b instanceof Map && a.size === b.size && [...a].every(([key, item]) => b.has(key) && celEqual(item, b.get(key)))
    );
  }
  if (a.constructor !== b.constructor) return false;
  return String(a) === String(b) && String(a.valueOf()) === String(b.valueOf());
}
