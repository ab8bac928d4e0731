import type { Json } from './json.ts';

/**
 * An OpenAPI v3 structural schema, as Kubernetes CRDs carry it. Written once per kind with the builders below;
 * the TypeScript type of the object is inferred from the same value (`Infer`).
 */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly default?: Json;
  readonly enum?: readonly Json[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: { readonly [name: string]: Schema };
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-validations'?: readonly { readonly [key: string]: Json | undefined }[];
}

declare const shape: unique symbol;

/** A schema that knows the TypeScript type of the values it admits. */
export type Typed<T> = Schema & { readonly [shape]?: T };

/** The TypeScript type of the values that a schema admits. */
export type Infer<S> = S extends Typed<infer T> ? T : never;

/** Everything of a schema that is not its structure: description, limits, Kubernetes extensions. */
export type Extra = Omit<Schema, 'type' | 'properties' | 'required' | 'items' | 'additionalProperties'>;

const typed = <T>(schema: Schema): Typed<T> => schema;

/** A string. */
export const string = (extra: Extra = {}): Typed<string> => typed({ type: 'string', ...extra });
/** A string out of a closed list. */
export const oneOfStrings = <const V extends readonly string[]>(values: V, extra: Extra = {}): Typed<V[number]> =>
  typed({ type: 'string', enum: values, ...extra });
/** A whole number. `format` int32 unless given. */
export const integer = (extra: Extra = {}): Typed<number> => typed({ type: 'integer', format: 'int32', ...extra });
/** A number. */
export const number = (extra: Extra = {}): Typed<number> => typed({ type: 'number', ...extra });
/** A boolean. */
export const boolean = (extra: Extra = {}): Typed<boolean> => typed({ type: 'boolean', ...extra });
/** A list. Atomic unless `x-kubernetes-list-type` says otherwise. */
export const list = <T>(items: Typed<T>, extra: Extra = {}): Typed<readonly T[]> =>
  typed({ type: 'array', items, ...extra });
/** A map with string keys. */
export const map = <T>(values: Typed<T>, extra: Extra = {}): Typed<Readonly<Record<string, T>>> =>
  typed({ type: 'object', additionalProperties: values, ...extra });
/** Any value, kept as it is. */
export const anything = (extra: Extra = {}): Typed<Json> =>
  typed({ 'x-kubernetes-preserve-unknown-fields': true, ...extra });
/** An object with unknown fields, all kept. */
export const openObject = (extra: Extra = {}): Typed<Readonly<Record<string, Json>>> =>
  typed({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true, ...extra });

type Fields = { readonly [name: string]: Typed<unknown> };
type ObjectOf<R extends Fields, O extends Fields> = { readonly [K in keyof R]: Infer<R[K]> } & {
  readonly [K in keyof O]?: Infer<O[K]>;
};

/**
 * An object: `required` fields must be there, `optional` ones may be. `{}` for none.
 * Property order in the schema is required first, then optional.
 */
export function object<R extends Fields, O extends Fields>(
  required: R,
  optional: O,
  extra: Extra = {},
): Typed<ObjectOf<R, O>> {
  const names = Object.keys(required);
  return typed({
    type: 'object',
    properties: { ...required, ...optional } as { readonly [name: string]: Schema },
    ...(names.length > 0 ? { required: names } : {}),
    ...extra,
  });
}

/** A whole number or a text such as `25%`: the union that Kubernetes calls IntOrString. */
export const intOrString = (extra: Extra = {}): Typed<number | string> =>
  typed({ anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true, ...extra });
