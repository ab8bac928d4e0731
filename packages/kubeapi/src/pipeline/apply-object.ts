import { apiError } from '@bloomery/kube';
import { apiVersionOf, isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { type ApiObject, withMeta } from '../api-object.ts';
import { toVersion } from '../registry/resource.ts';
import { badRequest, conflict, nameMismatch, notFound } from './api-status.ts';
import { createFrom } from './create-object.ts';
import { goVersion } from './metadata-rules.ts';
import { replaceObject } from './replace-object.ts';
import { readBody } from './shape-body.ts';
import { refuseTooLargeApply } from './size-limit.ts';
import { withConversions } from './with-conversions.ts';
import type { WriteContext } from './write-context.ts';
import type { WriteRequest, WriteResult } from './write-request.ts';

/** Server-side apply. An absent object is created. */
export async function applyObject(
  context: WriteContext,
  request: WriteRequest,
  name: string,
  before: ApiObject | undefined,
  { body, force }: { readonly body: Json; readonly force: boolean },
): Promise<WriteResult> {
  const { fields, conversions } = context;
  if (fields === undefined) {
    throw apiError({
      code: 415,
      reason: 'UnsupportedMediaType',
      message: 'server-side apply is not offered for this resource',
    });
  }
  const { object: read, unknownMeta } = readBody(request, appliedBody(request, body, name));
  const { resource, version, manager, subresource } = request;
  const { name: givenName, uid } = read.metadata;
  if (before === undefined && subresource !== undefined) throw notFound(resource, name);
  if (givenName !== name) throw nameMismatch(name, givenName);
  if (before === undefined && uid !== undefined) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(resource, name, why);
  }
  const asApplied: WriteRequest = { ...request, applied: true };
  const applied = withMeta(read, { name });
  refuseTooLargeApply(fields, request, applied);
  const input = { resource, version, manager, subresource, time: context.now(), force };
  if (before === undefined) {
    // What is to be created has no version to compare with.
    const unversioned = withMeta(applied, { resourceVersion: undefined });
    const made = withConversions(conversions, resource, (convert) =>
      fields.apply({ ...input, convert, before: undefined, applied: unversioned }),
    );
    const merged = made instanceof Promise ? await made : made;
    return createFrom(context, {
      request: asApplied,
      given: merged,
      unknownMeta,
      own: (object) => object,
      warnings: [],
    });
  }
  const present = toVersion(resource, before, version);
  const made = withConversions(conversions, resource, (convert) =>
    fields.apply({ ...input, convert, before: present, applied }),
  );
  const given = made instanceof Promise ? await made : made;
  return replaceObject(context, asApplied, {
    name,
    before,
    given,
    unknownMeta,
    asPatch: true,
    // Also when none are left: then the present ones go.
    own: (object) => withMeta(object, { managedFields: given.metadata.managedFields }),
  });
}

function appliedBody({ version }: WriteRequest, body: Json, name: string): JsonObject {
  if (!isJsonObject(body)) throw badRequest('error decoding YAML: the applied configuration must be an object');
  const { apiVersion = '', kind = '', metadata } = body;
  if (apiVersion !== apiVersionOf(version) || kind !== version.kind)
    throw badRequest(`invalid object type: ${goVersion(String(apiVersion))}, Kind=${String(kind)}`);
  if (!isJsonObject(metadata)) throw nameMismatch(name, undefined);
  if (metadata['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil');
  return body;
}
