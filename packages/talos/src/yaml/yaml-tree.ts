/**
 * A plain scalar whose meaning depends on the reader: `yes`, `0644`, `1e3`, `2026-01-01`. Its text is kept, so that it can be
 * read by the type that is expected, and written again exactly as it was.
 */
export class PlainScalar {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A YAML value. Plain scalars that every dialect reads alike are JSON values; integers above 2^53 are bigint. */
export type YamlTree =
  | null
  | boolean
  | number
  | bigint
  | string
  | PlainScalar
  | readonly YamlTree[]
  | { readonly [key: string]: YamlTree | undefined };

/** A YAML mapping. Read it with `field`: keys such as `__proto__` may occur. */
export type YamlMap = { readonly [key: string]: YamlTree | undefined };

/** Narrow to a mapping. */
export function isYamlMap(value: YamlTree | undefined): value is YamlMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof PlainScalar);
}

/** Narrow to a list. */
export function isYamlList(value: YamlTree | undefined): value is readonly YamlTree[] {
  return Array.isArray(value);
}

/** Own value of `key`; undefined when it is absent. */
export function field(map: YamlMap, key: string): YamlTree | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Own entries without the undefined ones. */
export function entriesOf(map: YamlMap): [string, YamlTree][] {
  return Object.entries(map).filter((entry): entry is [string, YamlTree] => entry[1] !== undefined);
}

/** A copy of `map` with `key` set, in place when it was there; with undefined it is removed. Safe for any key. */
export const withField: FieldWriter = (map, key, value) => createFieldWriter()(map, key, value);

/** Gives `map` with `key` set to a value, or removed. */
export type FieldWriter = (map: YamlMap, key: string, value: YamlTree | undefined) => YamlMap;

/**
 * As `withField`, for many changes one after the other: each mapping is copied once and the copy is changed from then on, so
 * that thousands of changes of a large one do not take the square of that. Do not keep what it gave before the last change,
 * and put nothing that it gave into a second place.
 */
export function createFieldWriter(): FieldWriter {
  const copies = new WeakMap<YamlMap, { [key: string]: YamlTree | undefined }>();
  return (map, key, value) => {
    const copy = copies.get(map) ?? { ...map };
    copies.set(copy, copy);
    if (value === undefined) delete copy[key];
    else Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true });
    return copy;
  };
}
