import type { JsonObject } from '../json.ts';
import { isJsonObject } from '../kind.ts';

/**
 * References below `spec` that name no namespace get the object's, as Cluster API's webhooks do it: `clusterctl describe` and other
 * readers of v1beta1 take them as they are written. Pure; the object itself where nothing is to do.
 *
 * @param paths Of references, below `spec`.
 */
export function withReferenceNamespaces(object: JsonObject, paths: readonly (readonly string[])[]): JsonObject {
  const { metadata, spec } = object;
  const namespace = isJsonObject(metadata) ? metadata['namespace'] : undefined;
  if (typeof namespace !== 'string' || namespace === '' || !isJsonObject(spec)) return object;
  const next = paths.reduce((part, path) => withNamespaceAt(part, path, namespace), spec);
  return next === spec ? object : { ...object, spec: next };
}

function withNamespaceAt(part: JsonObject, path: readonly string[], namespace: string): JsonObject {
  const [name = '', ...rest] = path;
  const member = part[name];
  if (!isJsonObject(member)) return part;
  if (rest.length > 0) {
    const next = withNamespaceAt(member, rest, namespace);
    return next === member ? part : { ...part, [name]: next };
  }
  const isNamed = typeof member['namespace'] === 'string' && member['namespace'] !== '';
  return isNamed || Object.keys(member).length === 0 ? part : { ...part, [name]: { ...member, namespace } };
}
