import type { Json } from '@bloomery/model';
import { withMeta } from '../api-object.ts';
import { nameMismatch, notFound } from './api-status.ts';
import { createObject } from './create-object.ts';
import { presentState } from './present-state.ts';
import { replaceObject } from './replace-object.ts';
import { readBody } from './shape-body.ts';
import type { WriteContext } from './write-context.ts';
import { writeReplicas } from './write-replicas.ts';
import type { WriteRequest, WriteResult } from './write-request.ts';

/** PUT: replace an object by the body. Where the resource allows it, an absent one is created. */
export async function updateObject(
  context: WriteContext,
  request: WriteRequest,
  name: string,
  body: Json,
): Promise<WriteResult> {
  const found = presentState(context, request, name);
  const before = found instanceof Promise ? await found : found;
  if (request.subresource === 'scale') return writeReplicas(context, request, name, before, () => body);
  const { object: given, unknownMeta } = readBody(request, body);
  if (given.metadata.name !== name) throw nameMismatch(name, given.metadata.name);
  if (before === undefined) {
    if (!request.resource.rules.createOnUpdate || request.subresource !== undefined)
      throw notFound(request.resource, name);
    return createObject(context, request, withMeta(given, { name, resourceVersion: undefined }));
  }
  return replaceObject(context, request, {
    name,
    before,
    given: withMeta(given, { name }),
    unknownMeta,
    asPatch: false,
  });
}
