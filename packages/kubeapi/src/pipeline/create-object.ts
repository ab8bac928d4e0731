import { apiError } from '@bloomery/kube';
import type { Json } from '@bloomery/model';
import { type ApiObject, asApiObject, withMeta } from '../api-object.ts';
import { toVersion } from '../registry/resource.ts';
import { attributesOf, targetOf } from './admission-attributes-of.ts';
import { alreadyExists, forbiddenBecause, invalidObject } from './api-status.ts';
import { freshName, freshUid } from './fresh-name.ts';
import { metadataProblems } from './metadata-rules.ts';
import { mutateWish } from './mutate-wish.ts';
import { idOf } from './object-id.ts';
import { requireOpenNamespace } from './open-namespace.ts';
import { StateMoved } from './settle-write.ts';
import { readBody, shapeObject } from './shape-body.ts';
import { refuseTooLargeEarly } from './size-limit.ts';
import { committed, shownForm, storedForm } from './stored-form.ts';
import { trackedObject } from './tracked-object.ts';
import { withUniqueOwners } from './unique-owners.ts';
import type { Wish } from './wish.ts';
import type { WriteContext } from './write-context.ts';
import type { WriteRequest, WriteResult } from './write-request.ts';

const TERMINATING = 'create not allowed while custom resource definition is terminating';

/** Create the object of a body. */
export async function createObject(context: WriteContext, request: WriteRequest, body: Json): Promise<WriteResult> {
  const { object: given, unknownMeta } = readBody(request, body);
  const own = (object: ApiObject): ApiObject | Promise<ApiObject> => trackedObject(context, request, undefined, object);
  return createFrom(context, { request, given, unknownMeta, own, warnings: [] });
}

/** Create an object whose type and metadata were read already. */
export async function createFrom(context: WriteContext, asked: Wish): Promise<WriteResult> {
  const sent = withUniqueOwners(asked);
  const { resource } = sent.request;
  sent.request.mayCreate?.();
  if (resource.terminating === true) throw forbiddenBecause(resource, sent.given.metadata.name ?? '', TERMINATING);
  refuseResourceVersion(sent.given);
  const target = targetOf(sent.request, 'CREATE');
  const mutation = context.admission?.mutation(target);
  if (mutation === undefined) return createWish(context, sent);
  const given = withMeta(sent.given, SYSTEM_META);
  requireOpenNamespace(context.store, sent.request, given.metadata.name ?? '');
  const about = { name: given.metadata.name ?? '', present: undefined, asPatch: false };
  const wish = await mutateWish(mutation, target, { ...sent, given }, (object) => sent.own(object, object), about);
  if (!context.isServed(resource)) throw new StateMoved();
  refuseResourceVersion(wish.given);
  return createWish(context, withUniqueOwners(wish, true));
}

async function createWish(context: WriteContext, wish: Wish): Promise<WriteResult> {
  const { store } = context;
  const { request } = wish;
  const { resource } = request;
  const named = newObject(context, request, wish.given);
  const { name } = named.metadata;
  const id = idOf(request, name);
  const shaped = shapeObject(request, named, undefined, wish.unknownMeta, false);
  refuseTooLargeEarly(context, request, undefined, shaped.object, shaped.object);
  const problems = metadataProblems(resource, shaped.object.metadata);
  if (problems.length > 0) throw invalidObject(resource, name, problems);
  const present = store.head(id);
  if (present !== undefined) throw alreadyExists(resource, name, present);
  context.guard({ request, before: undefined, after: shaped.object });
  const warnings = [...wish.warnings, ...shaped.warnings];
  const tracked = wish.own(shaped.object, shaped.object);
  const made = storedForm(context, request, tracked instanceof Promise ? await tracked : tracked);
  const form = made instanceof Promise ? await made : made;
  const target = targetOf(request, 'CREATE');
  const validation = context.admission?.validation(target);
  if (validation !== undefined) {
    const attributes = attributesOf(request, target, name, { object: form.shown, oldObject: undefined });
    warnings.push(...(await validation(attributes)));
  }
  if (tracked instanceof Promise || made instanceof Promise || validation !== undefined) {
    if (!context.isServed(resource)) throw new StateMoved();
    requireOpenNamespace(store, request, name);
    // A name that was made here is made anew; one that was asked for is taken.
    const taken = store.head(id);
    if (taken !== undefined) throw wish.given.metadata.name ? alreadyExists(resource, name, taken) : new StateMoved();
  }
  if (request.dryRun) return { object: shownForm(form, request), warnings, created: true };
  const stored = await store.put(id, (resourceVersion) => committed(form, request, resourceVersion));
  return { object: toVersion(resource, stored, request.version), warnings, created: true };
}

function refuseResourceVersion({ metadata }: ApiObject): void {
  if (metadata.resourceVersion === undefined) return;
  throw apiError({
    code: 500,
    reason: 'InternalError',
    message: 'resourceVersion should not be set on objects to be created',
  });
}

const SYSTEM_META = {
  uid: undefined,
  creationTimestamp: undefined,
  deletionTimestamp: undefined,
  deletionGracePeriodSeconds: undefined,
} as const;

/** The object with a name, in an open namespace, and with what the server itself writes on a create. */
function newObject(context: WriteContext, request: WriteRequest, given: ApiObject): ApiObject {
  const { store, random, now } = context;
  const { resource } = request;
  const prefix = given.metadata.generateName;
  const name = given.metadata.name || (prefix === undefined ? '' : freshName(store, random, request, prefix));
  requireOpenNamespace(store, request, name);
  const { status: _, ...withoutStatus } = given;
  return withMeta(resource.storage.statusSubresource ? asApiObject(withoutStatus) : given, {
    ...SYSTEM_META,
    name,
    uid: freshUid(random),
    creationTimestamp: now(),
    // kube-apiserver keeps what was sent where it does not count itself.
    generation: resource.rules.generation ? 1 : given.metadata.generation,
  });
}
