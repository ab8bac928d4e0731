import type { JsonObject } from './json.ts';
import { jsonEqual } from './json-equal.ts';
import type { Admission } from './kind.ts';

/** Refuse, with HTTP 400, an update that changes the spec of a kind whose spec never changes. */
export function immutableSpec(kind: string): (object: JsonObject, old: JsonObject | undefined) => Admission {
  return (object, old) =>
    old === undefined || jsonEqual(object['spec'], old['spec'])
      ? { problems: [] }
      : { problems: [], badRequest: `${kind}.Spec is immutable` };
}
