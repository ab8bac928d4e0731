import { apiVersionOf, type KindDefinition } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { fromStorage, type Resource, toStorage } from '../registry/resource.ts';

/** Objects in other versions of their kind, also where a webhook has to be asked. */
export interface Conversions {
  /**
   * See to it that `toVersion` answers at once for these stored objects. Each is converted once.
   *
   * @returns undefined when nothing has to be waited for.
   * @throws 500 when the webhook could not be asked or answered nonsense.
   */
  prepare(resource: Resource, objects: readonly ApiObject[], version: KindDefinition): Promise<void> | undefined;
  /** An object that is not stored, in whatever version it says, in another one. @throws 500 as above. */
  convert(resource: Resource, object: ApiObject, version: KindDefinition): ApiObject | Promise<ApiObject>;
}

/** Conversions without webhooks: by the functions of the kinds. */
export const ownConversions: Conversions = {
  prepare: () => undefined,
  convert(resource, object, version) {
    const from = resource.versions.find((one) => apiVersionOf(one) === object.apiVersion) ?? resource.storage;
    if (from === version) return object;
    return fromStorage(resource, toStorage(resource, object, from), version);
  },
};
