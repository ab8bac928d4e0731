import type { JsonObject } from '@bloomery/model';
import { items, record } from '../../json-parts.ts';

/** The versions of a definition. */
export function versionsOf(spec: JsonObject): readonly JsonObject[] {
  return items(spec['versions']).map(record);
}

/**
 * Where kube-apiserver reports a problem of a part of a version: beside the versions when all of them have the same part.
 *
 * @param part of a version: `schema`, `subresources` …
 * @param common the path when it is common: `spec.validation`.
 */
export function versionPaths(
  versions: readonly JsonObject[],
  part: string,
  common: string,
): readonly { readonly version: JsonObject; readonly path: string }[] {
  const texts = new Set(versions.map((version) => JSON.stringify(version[part] ?? null, bigintText)));
  const [first] = versions;
  if (texts.size === 1 && first !== undefined) return [{ version: first, path: common }];
  return versions.map((version, i) => ({ version, path: `spec.versions[${i}].${part}` }));
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
