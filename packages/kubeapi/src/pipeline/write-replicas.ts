import type { Json, JsonObject } from '@bloomery/model';
import { type ApiObject, asApiObject } from '../api-object.ts';
import { toVersion } from '../registry/resource.ts';
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
  const replicas = readScale(next(scaleOf(present, paths)), name);
  const result = await replaceObject(
    context,
    { ...request, subresource: undefined },
    {
      name,
      before,
      given: writeScale(present, paths, replicas),
      unknownMeta: [],
      asPatch: true,
      own: (object) => trackedObject(context, request, present, object),
    },
  );
  return { ...result, object: asApiObject(scaleOf(result.object, paths)) };
}
