import { apiVersionOf, type KindDefinition, stringifyJson } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { needsWebhook, type Resource } from '../registry/resource.ts';
import type { Conversions } from '../webhooks/conversions.ts';

/** An object in another version of its kind, at once. */
export type Convert = (object: ApiObject, version: KindDefinition) => ApiObject;

/** Thrown and caught in this file only. */
class NotYetConverted extends Error {
  readonly object: ApiObject;
  readonly version: KindDefinition;

  constructor(object: ApiObject, version: KindDefinition) {
    super('not yet converted');
    this.object = object;
    this.version = version;
  }
}

/**
 * Run a pure function that has to convert objects on its way. Where a webhook converts, the function is run again each time that
 * an answer has come, until it has all that it needs; else it gets no `convert` and is run once, at once.
 *
 * @throws 500 when the webhook could not be asked.
 */
export function withConversions<T>(
  conversions: Conversions,
  resource: Resource,
  run: (convert: Convert | undefined) => T,
): T | Promise<T> {
  if (resource.conversion === undefined) return run(undefined);
  const known = new Map<string, ApiObject>();
  const keyOf = (object: ApiObject, version: KindDefinition): string =>
    `${apiVersionOf(version)} ${stringifyJson(object)}`;
  const convert: Convert = (object, version) => {
    if (!needsWebhook(resource, object, version)) return object;
    const found = known.get(keyOf(object, version));
    if (found === undefined) throw new NotYetConverted(object, version);
    return found;
  };
  const settle = async (missing: NotYetConverted): Promise<T> => {
    for (let next = missing; ; ) {
      const { object, version } = next;
      known.set(keyOf(object, version), await conversions.convert(resource, object, version));
      try {
        return run(convert);
      } catch (error) {
        if (!(error instanceof NotYetConverted)) throw error;
        next = error;
      }
    }
  };
  try {
    return run(convert);
  } catch (error) {
    if (!(error instanceof NotYetConverted)) throw error;
    return settle(error);
  }
}
