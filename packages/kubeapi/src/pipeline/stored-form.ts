import { type ApiObject, withMeta } from '../api-object.ts';
import { needsWebhook, rememberVersion, toStorage, toVersion } from '../registry/resource.ts';
import { refuseTooLarge } from './size-limit.ts';
import type { WriteContext } from './write-context.ts';
import type { WriteRequest } from './write-request.ts';

/** An object as it will be stored, and as the caller's version shows it. */
export interface StoredForm {
  readonly stored: ApiObject;
  readonly shown: ApiObject;
  /** The shown object came from a webhook: what is stored carries it along. */
  readonly asked: boolean;
}

/** Bring an object of the caller's version into its stored form; a promise only where a conversion webhook has to be asked. */
export function storedForm(
  { conversions }: WriteContext,
  { resource, version }: WriteRequest,
  object: ApiObject,
): StoredForm | Promise<StoredForm> {
  if (needsWebhook(resource, object, resource.storage)) {
    const asking = async (): Promise<StoredForm> => {
      const stored = await conversions.convert(resource, object, resource.storage);
      return { stored, shown: await conversions.convert(resource, stored, version), asked: true };
    };
    return asking();
  }
  return { stored: toStorage(resource, object, version), shown: object, asked: false };
}

/** The object to commit under a resourceVersion. @throws 413 when it is too large. */
export function committed(form: StoredForm, { version }: WriteRequest, resourceVersion: string): ApiObject {
  const object = withMeta(form.stored, { resourceVersion });
  refuseTooLarge(object);
  if (form.asked) rememberVersion(object, version, withMeta(form.shown, { resourceVersion }));
  return object;
}

/** What the caller is shown of a form that is not committed. */
export function shownForm(form: StoredForm, { resource, version }: WriteRequest): ApiObject {
  return form.asked ? form.shown : toVersion(resource, form.stored, version);
}
