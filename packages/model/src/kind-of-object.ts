import type { Json } from './json.ts';
import type { KindDefinition } from './kind.ts';
import { apiVersionOf } from './kind.ts';

/** The definition that an object's apiVersion and kind name, out of `kinds`; undefined when there is none. */
export function kindOfObject(
  kinds: readonly KindDefinition[],
  apiVersion: Json | undefined,
  kind: Json | undefined,
): KindDefinition | undefined {
  return kinds.find((k) => k.kind === kind && apiVersionOf(k) === apiVersion);
}
