import { apiError } from '@bloomery/kube';
import type { Json } from '@bloomery/model';
import { type ApiObject, asApiObject, withMeta } from '../api-object.ts';
import { attributesOf, targetOf } from './admission-attributes-of.ts';
import { alreadyExists, invalidObject, methodNotAllowed } from './api-status.ts';
import { freshName, freshUid } from './fresh-name.ts';
import { metadataProblems } from './metadata-rules.ts';
import { mutateWish } from './mutate-wish.ts';
import { idOf } from './object-id.ts';
import { requireOpenNamespace } from './open-namespace.ts';
import { StateMoved } from './settle-write.ts';
import { readBody, shapeObject } from './shape-body.ts';
import { shownAs, storable } from './stored-form.ts';
import { trackedObject } from './tracked-object.ts';
import type { Wish } from './wish.ts';
import type { WriteContext } from './write-context.ts';
import type { WriteRequest, WriteResult } from './write-request.ts';

const TERMINATING = 'create not allowed while custom resource definition is terminating';

/** Create the object of a body. */
export async function createObject(context: WriteContext, request: WriteRequest, body: Json): Promise<WriteResult> {
  const { object: given, unknownMeta } = readBody(request, body);
  const own = (object: ApiObject): ApiObject => trackedObject(context, request, undefined, object);
  return createFrom(context, { request, given, unknownMeta, own, warnings: [] });
}

/** Create an object whose type and metadata were read already. */
export async function createFrom(context: WriteContext, sent: Wish): Promise<WriteResult> {
  const { resource } = sent.request;
  if (resource.terminating === true) throw methodNotAllowed(TERMINATING);
  refuseResourceVersion(sent.given);
  const target = targetOf(sent.request, 'CREATE');
  const mutation = context.admission?.mutation(target);
  if (mutation === undefined) return createWish(context, sent);
  const given = withoutSystemMeta(sent.given);
  requireOpenNamespace(context.store, sent.request, given.metadata.name ?? '');
  const about = { name: given.metadata.name ?? '', present: undefined, asPatch: false };
  const wish = await mutateWish(mutation, target, { ...sent, given }, (object) => sent.own(object, object), about);
  if (!context.isServed(resource)) throw new StateMoved();
  refuseResourceVersion(wish.given);
  return createWish(context, wish);
}

async function createWish(context: WriteContext, wish: Wish): Promise<WriteResult> {
  const { store } = context;
  const { request, given } = wish;
  const { resource, version } = request;
  const named = newObject(context, request, given);
  const { name } = named.metadata;
  const id = idOf(request, name);
  const shaped = shapeObject(request, named, undefined, wish.unknownMeta, false);
  const problems = metadataProblems(resource, shaped.object.metadata);
  if (problems.length > 0) throw invalidObject(resource, name, problems);
  if (store.head(id) !== undefined) throw alreadyExists(resource, name);
  context.guard({ request, before: undefined, after: shaped.object });
  const owned = wish.own(shaped.object, shaped.object);
  const warnings = [...wish.warnings, ...shaped.warnings];
  const target = targetOf(request, 'CREATE');
  const validation = context.admission?.validation(target);
  const form = storable(context, request, owned);
  const waits = validation !== undefined || form instanceof Promise;
  const { stored, shown } = form instanceof Promise ? await form : form;
  if (validation !== undefined) {
    const attributes = attributesOf(request, target, name, { object: shown ?? owned, oldObject: undefined });
    warnings.push(...(await validation(attributes)));
  }
  if (waits) {
    if (!context.isServed(resource)) throw new StateMoved();
    requireOpenNamespace(store, request, name);
    if (store.head(id) !== undefined) throw wasNamed(given) ? alreadyExists(resource, name) : new StateMoved();
  }
  if (request.dryRun) return { object: shown ?? shownAs(request, stored), warnings, created: true };
  const kept = await store.put(id, (resourceVersion) => numbered(stored, shown, version, resourceVersion));
  return { object: shownAs(request, kept), warnings, created: true };
}
