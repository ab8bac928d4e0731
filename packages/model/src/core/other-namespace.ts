import { asObject } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import type { FieldProblem } from '../kind.ts';
import { isJsonObject } from '../kind.ts';
import { invalid } from './admit-machine-template.ts';

/** A problem when the reference at a path below `spec` leads to another namespace than the object's. */
export function otherNamespace(object: JsonObject, path: readonly string[]): readonly FieldProblem[] {
  const parent = path.slice(0, -1).reduce<JsonObject>((part, name) => asObject(part[name]), asObject(object['spec']));
  const ref = parent[path.at(-1) ?? ''];
  const own = asObject(object['metadata'])['namespace'];
  if (!isJsonObject(ref) || typeof ref['namespace'] !== 'string' || ref['namespace'] === own) return [];
  return [invalid(['spec', ...path, 'namespace'].join('.'), ref['namespace'], 'must match metadata.namespace')];
}
