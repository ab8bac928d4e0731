import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { type ApiObject, asApiObject } from '../api-object.ts';
import { toVersion } from '../registry/resource.ts';
import type { Mutation } from '../webhooks/admission.ts';
import { attributesOf, targetOf } from './admission-attributes-of.ts';
import { noSuchResource, notFound } from './api-status.ts';
import { replaceObject } from './replace-object.ts';
import { readScale, scaleOf, writeScale } from './scale.ts';
import { trackedObject } from './tracked-object.ts';
import type { WriteContext } from './write-context.ts';
import type { WriteRequest, WriteResult } from './write-request.ts';

/** Write through the scale subresource. `next` makes the wanted Scale of the present one; the answer is a Scale. */
export async function writeReplicas(
  context: WriteContext,
  request: WriteRequest,
  name: string,
  before: ApiObject | undefined,
  next: (present: JsonObject) => Json,
): Promise<WriteResult> {
  const paths = request.version.scale;
  if (paths === undefined) throw noSuchResource();
  if (before === undefined) throw notFound(request.resource, name);
  const present = toVersion(request.resource, before, request.version);
  const view = (object: ApiObject): ApiObject => asApiObject(scaleOf(object, paths));
  const asked = next(view(present));
  const mutation = context.admission?.mutation(targetOf(request, 'UPDATE'));
  const { body, warnings } =
    mutation === undefined ? { body: asked, warnings: [] } : await mutateScale(mutation, request, view(present), asked);
  const replicas = readScale(request.resource, present, body);
  const result = await replaceObject(context, request, {
    name,
    before,
    given: writeScale(present, paths, replicas),
    unknownMeta: [],
    asPatch: true,
    own: (object) => trackedObject(context, request, present, object),
    view,
  });
  return { ...result, object: view(result.object), warnings: [...warnings, ...result.warnings] };
}

async function mutateScale(
  mutation: Mutation,
  request: WriteRequest,
  present: ApiObject,
  asked: Json,
): Promise<{ readonly body: Json; readonly warnings: readonly string[] }> {
  if (!isJsonObject(asked)) return { body: asked, warnings: [] };
  const { apiVersion, kind, metadata } = present;
  const given = isJsonObject(asked['metadata']) ? asked['metadata'] : metadata;
  const object = asApiObject({ ...asked, kind, apiVersion, metadata: given });
  const states = { object, oldObject: present };
  const attributes = attributesOf(request, targetOf(request, 'UPDATE'), metadata.name, states);
  const result = await mutation(attributes, (changed) => changed);
  return { body: result.object ?? asked, warnings: result.warnings };
}
