import { field, isYamlList, isYamlMap, scalarString, type YamlMap, type YamlTree } from '../yaml/index.ts';

/** What validation found so far. */
export interface Findings {
  readonly errors: string[];
  readonly warnings: string[];
}

/** The mapping behind keys; undefined when a step is missing. */
export function mapAt(tree: YamlTree | undefined, ...keys: readonly string[]): YamlMap | undefined {
  let at: YamlTree | undefined = tree;
  for (const key of keys) at = isYamlMap(at) ? field(at, key) : undefined;
  return isYamlMap(at) ? at : undefined;
}

/** The list at `key`; empty when there is none. */
export function listAt(map: YamlMap | undefined, key: string): readonly YamlTree[] {
  const value = map === undefined ? undefined : field(map, key);
  return isYamlList(value) ? value : [];
}

/** The mappings of the list at `key`; null elements are left out. */
export const mapsAt = (map: YamlMap | undefined, key: string): readonly YamlMap[] =>
  listAt(map, key).filter((item) => isYamlMap(item));

/** The texts of the list at `key`. */
export const textsAt = (map: YamlMap | undefined, key: string): readonly string[] =>
  listAt(map, key).map((item) => scalarString(item) ?? '');

/** The text at `key`; '' when there is none. */
export const textAt = (map: YamlMap | undefined, key: string): string =>
  map === undefined ? '' : (scalarString(field(map, key)) ?? '');

/** Whether `key` is true. */
export const flagAt = (map: YamlMap | undefined, key: string): boolean => map !== undefined && field(map, key) === true;

/** The whole number at `key`; 0 when there is none. */
export function numberAt(map: YamlMap | undefined, key: string): number {
  const value = map === undefined ? undefined : field(map, key);
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0;
}

/** Whether `key` has a value, a zero one included. */
export const isSet = (map: YamlMap | undefined, key: string): boolean =>
  map !== undefined && (field(map, key) ?? null) !== null;

/** Text in double quotes, as Go's %q writes plain text. */
export const quoted = (text: string): string => JSON.stringify(text.slice(0, 300));
