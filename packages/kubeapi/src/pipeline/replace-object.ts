import { type ApiObject, asApiObject, withMeta } from '../api-object.ts';
import { toStorage, toVersion } from '../registry/resource.ts';
import { invalidObject } from './api-status.ts';
import { checkIdentity } from './check-identity.ts';
import { commitChange } from './commit-change.ts';
import { metadataProblems, newFinalizerProblems, specChanged } from './metadata-rules.ts';
import { withFinalizersOf } from './namespace-rules.ts';
import { shapeObject, shapeOnly } from './shape-body.ts';
import { trackedObject } from './tracked-object.ts';
import type { WriteContext } from './write-context.ts';
import type { WriteRequest, WriteResult } from './write-request.ts';

/** What shall take the place of an object. */
export interface Replacement {
  readonly name: string;
  /** The object as it is stored. */
  readonly before: ApiObject;
  /** What the request wants in its place, in the caller's version. */
  readonly given: ApiObject;
  /** Fields of its metadata that nobody knows. */
  readonly unknownMeta: readonly string[];
  /** The request was a patch: it needs no resourceVersion, and some refusals read differently. */
  readonly asPatch: boolean;
  /** Writes the managedFields; absent: as an update. */
  readonly own?: (object: ApiObject) => ApiObject;
}

const SERVER_OWNED = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
] as const;

/** Put another state in the place of an object: of all of it, or of the part that the subresource covers. */
export async function replaceObject(
  context: WriteContext,
  request: WriteRequest,
  replacement: Replacement,
): Promise<WriteResult> {
  const { resource, version } = request;
  const { name, before, given, unknownMeta, asPatch, own } = replacement;
  const present = toVersion(resource, before, version);
  checkIdentity(request, name, present, given.metadata, asPatch);
  const shaped = shapeObject(request, candidateOf(request, present, given), present, unknownMeta, asPatch);
  const problems = [
    ...metadataProblems(resource, shaped.object.metadata),
    ...newFinalizerProblems(present, shaped.object.metadata),
  ];
  if (problems.length > 0) throw invalidObject(resource, name, problems);
  context.guard({ request, before: present, after: shaped.object });
  const { subresource } = request;
  const asked = subresource === 'status' || subresource === 'finalize' ? shapeOnly(request, given) : shaped.object;
  const owned = own === undefined ? trackedObject(context, request, present, shaped.object, asked) : own(shaped.object);
  const stored = toStorage(resource, owned, version);
  const raised = resource.rules.generation && specChanged(resource, before, stored);
  const after = raised ? withMeta(stored, { generation: (before.metadata.generation ?? 0) + 1 }) : stored;
  return commitChange(context.store, request, name, { before, after, warnings: shaped.warnings });
}

/** What the endpoint makes of a wish: only the part that it covers is taken from it. */
function candidateOf(request: WriteRequest, present: ApiObject, given: ApiObject): ApiObject {
  switch (request.subresource) {
    case 'status':
      return withStatusOf(present, given);
    case 'finalize':
      return withFinalizersOf(given, present);
    default:
      return withServerOwned(request, present, given);
  }
}

function withStatusOf(present: ApiObject, given: ApiObject): ApiObject {
  const { status: _, ...rest } = present;
  const managedFields = given.metadata.managedFields;
  const object = asApiObject(given['status'] === undefined ? rest : { ...rest, status: given['status'] });
  return managedFields === undefined ? object : withMeta(object, { managedFields });
}

function withServerOwned(request: WriteRequest, present: ApiObject, sent: ApiObject): ApiObject {
  const given = request.resource.id === 'namespaces' ? withFinalizersOf(present, sent) : sent;
  const owned = Object.fromEntries(SERVER_OWNED.map((field) => [field, present.metadata[field]]));
  const managedFields = given.metadata.managedFields ?? present.metadata.managedFields;
  const metadata = { ...owned, managedFields, resourceVersion: present.metadata.resourceVersion };
  if (!request.resource.storage.statusSubresource) return withMeta(given, metadata);
  const { status: _, ...rest } = given;
  const status = present['status'];
  return withMeta(asApiObject(status === undefined ? rest : { ...rest, status }), metadata);
}
