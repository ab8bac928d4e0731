import { apiError } from '@bloomery/kube';
import type { Json } from '@bloomery/model';
import { type ApiObject, asApiObject, withMeta } from '../api-object.ts';
import { toStorage, toVersion } from '../registry/resource.ts';
import { alreadyExists, invalidObject, methodNotAllowed } from './api-status.ts';
import { freshName, freshUid } from './fresh-name.ts';
import { metadataProblems } from './metadata-rules.ts';
import { idOf } from './object-id.ts';
import { requireOpenNamespace } from './open-namespace.ts';
import { readBody, shapeObject } from './shape-body.ts';
import { trackedObject } from './tracked-object.ts';
import type { WriteContext } from './write-context.ts';
import type { WriteRequest, WriteResult } from './write-request.ts';

const TERMINATING = 'create not allowed while custom resource definition is terminating';

/** Create the object of a body. */
export async function createObject(context: WriteContext, request: WriteRequest, body: Json): Promise<WriteResult> {
  const { object: given, unknownMeta } = readBody(request, body);
  return createFrom(context, request, given, unknownMeta, (object) =>
    trackedObject(context, request, undefined, object),
  );
}

/** Create an object whose type and metadata were read already. `own` writes its managedFields. */
export async function createFrom(
  context: WriteContext,
  request: WriteRequest,
  given: ApiObject,
  unknownMeta: readonly string[],
  own: (object: ApiObject) => ApiObject,
): Promise<WriteResult> {
  const { store } = context;
  const { resource, version } = request;
  if (resource.terminating === true) throw methodNotAllowed(TERMINATING);
  if (given.metadata.resourceVersion !== undefined) {
    throw apiError({
      code: 500,
      reason: 'InternalError',
      message: 'resourceVersion should not be set on objects to be created',
    });
  }
  const named = newObject(context, request, given);
  const { name } = named.metadata;
  const shaped = shapeObject(request, named, undefined, unknownMeta, false);
  const problems = metadataProblems(resource, shaped.object.metadata);
  if (problems.length > 0) throw invalidObject(resource, name, problems);
  if (store.head(idOf(request, name)) !== undefined) throw alreadyExists(resource, name);
  const final = toStorage(resource, own(shaped.object), version);
  const { warnings } = shaped;
  if (request.dryRun) return { object: toVersion(resource, final, version), warnings, created: true };
  const stored = await store.put(idOf(request, name), (resourceVersion) => withMeta(final, { resourceVersion }));
  return { object: toVersion(resource, stored, version), warnings, created: true };
}

/** The object with a name, in an open namespace, and with what the server itself writes on a create. */
function newObject(context: WriteContext, request: WriteRequest, given: ApiObject): ApiObject {
  const { store, random, now } = context;
  const { resource } = request;
  const prefix = given.metadata.generateName;
  const name = given.metadata.name || (prefix === undefined ? '' : freshName(store, random, request, prefix));
  requireOpenNamespace(store, request, name);
  const { status: _, ...withoutStatus } = given;
  return withMeta(resource.storage.statusSubresource ? asApiObject(withoutStatus) : given, {
    name,
    uid: freshUid(random),
    creationTimestamp: now(),
    generation: resource.rules.generation ? 1 : undefined,
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
  });
}
