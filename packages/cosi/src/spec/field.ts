/**
 * Specs as data. A table of fields gives a spec its TypeScript type, its zero value, its YAML form (keys in the table's order) and
 * its protobuf form, so that nobody repeats them. Field numbers and names are those of Talos' resource definitions.
 */

/** What every field says of itself. */
interface FieldBase<T> {
  /** Of the protobuf field. */
  readonly number: number;
  /** What an unset field holds; its type is the field's type. */
  readonly zero: T;
  /** Left out of the YAML form while it is zero. */
  readonly omitEmpty: boolean;
}

/** Names of numbers. */
export type Names = Readonly<Record<string, number>>;

/** A field of a spec. Values without a name in an enumeration are decimal text. */
export type Field<T = unknown> = FieldBase<T> &
  (
    | { readonly kind: 'text' | 'bool' | 'uint' | 'int' | 'bytes' }
    /** Of the network, as text; empty when unset. `mac` in lower case with colons, `prefix` in CIDR form, `ipPort` as `host:port`. */
    | { readonly kind: 'mac' | 'ip' | 'prefix' | 'ipPort' | 'url' }
    /** Milliseconds; in YAML as Go writes durations. */
    | { readonly kind: 'duration' }
    /** Milliseconds since the Unix epoch; 0 when unset. */
    | { readonly kind: 'time' }
    /** One of the names. */
    | { readonly kind: 'enumeration'; readonly names: Names }
    /** A set of bits; in YAML the names of those that are set, joined by commas. */
    | { readonly kind: 'flags'; readonly names: Names }
    | { readonly kind: 'optional'; readonly of: Field }
    /** `asMap`: in YAML one mapping, of messages whose two fields are the key and the value; their order is kept. */
    | { readonly kind: 'list'; readonly of: Field; readonly asMap: boolean }
    | { readonly kind: 'map'; readonly value: Field }
    /** `inline`: its keys stand among those of its parent in YAML. */
    | { readonly kind: 'message'; readonly fields: Fields; readonly inline: boolean }
  );

export type Fields = Readonly<Record<string, Field>>;

/** The value of a field. */
export type ValueOf<F> = F extends FieldBase<infer T> ? T : never;

/** The value of a table of fields: every field is there. */
export type SpecOfFields<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> };

export interface FieldOptions {
  readonly omitEmpty?: boolean;
}

export interface ListOptions extends FieldOptions {
  readonly asMap?: boolean;
}

export interface MessageOptions extends FieldOptions {
  readonly inline?: boolean;
}

const base = <T>(number: number, zero: T, { omitEmpty = false }: FieldOptions = {}): FieldBase<T> => ({
  number,
  zero,
  omitEmpty,
});

export const text = (number: number, options?: FieldOptions): Field<string> => ({
  ...base<string>(number, '', options),
  kind: 'text',
});

export const bool = (number: number, options?: FieldOptions): Field<boolean> => ({
  ...base<boolean>(number, false, options),
  kind: 'bool',
});

export const uint = (number: number, options?: FieldOptions): Field<number> => ({
  ...base<number>(number, 0, options),
  kind: 'uint',
});

export const int = (number: number, options?: FieldOptions): Field<number> => ({
  ...base<number>(number, 0, options),
  kind: 'int',
});

export const bytes = (number: number, options?: FieldOptions): Field<Uint8Array> => ({
  ...base<Uint8Array>(number, new Uint8Array(), options),
  kind: 'bytes',
});

export const mac = (number: number, options?: FieldOptions): Field<string> => ({
  ...base<string>(number, '', options),
  kind: 'mac',
});

export const ip = (number: number, options?: FieldOptions): Field<string> => ({
  ...base<string>(number, '', options),
  kind: 'ip',
});

export const prefix = (number: number, options?: FieldOptions): Field<string> => ({
  ...base<string>(number, '', options),
  kind: 'prefix',
});

export const ipPort = (number: number, options?: FieldOptions): Field<string> => ({
  ...base<string>(number, '', options),
  kind: 'ipPort',
});

export const url = (number: number, options?: FieldOptions): Field<string> => ({
  ...base<string>(number, '', options),
  kind: 'url',
});

export const duration = (number: number, options?: FieldOptions): Field<number> => ({
  ...base<number>(number, 0, options),
  kind: 'duration',
});

export const time = (number: number, options?: FieldOptions): Field<number> => ({
  ...base<number>(number, 0, options),
  kind: 'time',
});

/** A name of the table, or the decimal text of a number that has none. */
export type NameOf<N extends Names> = Extract<keyof N, string> | `${number}`;

export function enumeration<const N extends Names>(number: number, names: N, options?: FieldOptions): Field<NameOf<N>> {
  const zero = Object.entries(names).find(([, value]) => value === 0)?.[0] ?? '0';
  return { ...base<NameOf<N>>(number, zero as NameOf<N>, options), kind: 'enumeration', names };
}

export const flags = (number: number, names: Names, options?: FieldOptions): Field<number> => ({
  ...base<number>(number, 0, options),
  kind: 'flags',
  names,
});

/** Not there while undefined; its zero value is a value. */
export const optional = <T>(of: Field<T>): Field<T | undefined> => ({
  ...base<T | undefined>(of.number, undefined, { omitEmpty: true }),
  kind: 'optional',
  of,
});

export const list = <T>(
  number: number,
  of: Field<T>,
  { asMap = false, ...options }: ListOptions = {},
): Field<readonly T[]> => ({
  ...base<readonly T[]>(number, [], options),
  kind: 'list',
  of,
  asMap,
});

/** Keys are text. */
export const map = <T>(
  number: number,
  value: Field<T>,
  options?: FieldOptions,
): Field<Readonly<Record<string, T>>> => ({
  ...base<Readonly<Record<string, T>>>(number, {}, options),
  kind: 'map',
  value,
});

export const message = <const F extends Fields>(
  number: number,
  fields: F,
  { inline = false, ...options }: MessageOptions = {},
): Field<SpecOfFields<F>> => ({
  ...base<SpecOfFields<F>>(number, zeroOf(fields), options),
  kind: 'message',
  fields,
  inline,
});

/** The value of a table of fields with nothing set. */
export function zeroOf<const F extends Fields>(fields: F): SpecOfFields<F> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.zero])) as SpecOfFields<F>;
}
