import { type ApiObject, asApiObject, withMeta } from '../api-object.ts';
import { toVersion } from '../registry/resource.ts';
import { invalid } from '../schema/index.ts';
import type { AdmissionTarget } from '../webhooks/match-rules.ts';
import { targetOf } from './admission-attributes-of.ts';
import { invalidObject } from './api-status.ts';
import { checkIdentity } from './check-identity.ts';
import { commitChange } from './commit-change.ts';
import { changedMetadataProblems } from './metadata-rules.ts';
import { mutateWish } from './mutate-wish.ts';
import { withFinalizersOf } from './namespace-rules.ts';
import { shapeObject, shapeOnly } from './shape-body.ts';
import { refuseTooLargeEarly } from './size-limit.ts';
import { trackedObject } from './tracked-object.ts';
import { withUniqueOwners } from './unique-owners.ts';
import type { Wish } from './wish.ts';
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
  readonly own?: Wish['own'];
  /** The request speaks of another object (a Scale): mutating webhooks had their say, and validating ones see it like this. */
  readonly view?: (object: ApiObject) => ApiObject;
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
  sent: WriteRequest,
  replacement: Replacement,
): Promise<WriteResult> {
  const { name, before, asPatch, view } = replacement;
  const { resource } = sent;
  const present = toVersion(resource, before, sent.version);
  checkIdentity(sent, name, present, replacement.given.metadata, asPatch);
  const target = targetOf(sent, 'UPDATE');
  const admitted = wishOf(context, sent, target, replacement, present);
  const wish = admitted instanceof Promise ? await admitted : admitted;
  const { request, given } = wish;
  const shaped = shapeObject(request, candidateOf(request, present, given), present, wish.unknownMeta, asPatch);
  const asked = isPartial(request) ? shapeOnly(request, given) : shaped.object;
  refuseTooLargeEarly(context, request, present, shaped.object, asked);
  const problems = changedMetadataProblems(resource, present, shaped.object.metadata);
  if (problems.length > 0) throw invalidObject(resource, name, problems);
  context.guard({ request, before: present, after: shaped.object });
  const tracked = wish.own(shaped.object, asked);
  const owned = tracked instanceof Promise ? await tracked : tracked;
  const warnings = [...wish.warnings, ...shaped.warnings];
  return commitChange(context, request, { name, before, present, owned, warnings, target, view });
}

/** What is wanted, after mutating webhooks where there are any: only then it is a promise. */
function wishOf(
  context: WriteContext,
  request: WriteRequest,
  target: AdmissionTarget,
  replacement: Replacement,
  present: ApiObject,
): Wish | Promise<Wish> {
  const { name, given, unknownMeta, asPatch, view } = replacement;
  const own: Wish['own'] =
    replacement.own ?? ((object, asked) => trackedObject(context, request, present, object, asked));
  const wish = withUniqueOwners({ request, given, unknownMeta, own, warnings: [] });
  const mutation = view === undefined ? context.admission?.mutation(target) : undefined;
  if (mutation === undefined) return wish;
  const ownSent = (object: ApiObject): ApiObject | Promise<ApiObject> =>
    own(object, isPartial(request) ? object : candidateOf(request, present, object));
  return mutateWish(mutation, target, wish, ownSent, { name, present, asPatch }).then((mutated) => {
    const { metadata } = mutated.given;
    if (metadata.name !== name)
      throw invalidObject(request.resource, metadata.name, [
        invalid('metadata.name', metadata.name, 'field is immutable'),
      ]);
    checkIdentity(request, name, present, metadata, asPatch);
    return withUniqueOwners(mutated, true);
  });
}

/** The request writes a part of the object only. */
function isPartial({ subresource }: WriteRequest): boolean {
  return subresource === 'status' || subresource === 'finalize';
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
