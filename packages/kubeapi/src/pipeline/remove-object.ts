import { type ApiObject, withMeta } from '../api-object.ts';
import { isPrepared, rememberVersion, toVersion } from '../registry/resource.ts';
import { attributesOf, targetOf } from './admission-attributes-of.ts';
import { conflict, notFound } from './api-status.ts';
import { isSameObject } from './metadata-rules.ts';
import { isHeldNamespace, refuseStandingNamespace, withDyingPhase } from './namespace-rules.ts';
import { idOf } from './object-id.ts';
import { presentState } from './present-state.ts';
import { StateMoved } from './settle-write.ts';
import type { WriteContext } from './write-context.ts';
import type { DeleteRequest } from './write-request.ts';

/** The object with its deletion begun (`gone` false), or its last state (`gone` true). */
export interface Removal {
  readonly object: ApiObject;
  readonly gone: boolean;
  readonly warnings: readonly string[];
}

/** Delete an object: at once where nothing holds it, else by marking it as dying. */
export async function removeObject(context: WriteContext, request: DeleteRequest): Promise<Removal> {
  const { store, now } = context;
  const { resource, name } = request;
  const found = presentState(context, request, name);
  const before = found instanceof Promise ? await found : found;
  if (before === undefined) throw notFound(resource, name);
  refuseStandingNamespace(resource, name);
  checkPreconditions(request, before);
  const asking = admit(context, request, before);
  const warnings = asking === undefined ? [] : await asking;
  const id = idOf(request, name);
  if (store.head(id) !== before) throw new StateMoved();
  const finalizers = finalizersFor(request, before);
  const shown = (object: ApiObject, gone: boolean): Removal => ({
    object: toVersion(resource, object, request.version),
    gone,
    warnings,
  });
  if (finalizers.length === 0 && !isHeldNamespace(before)) {
    if (request.dryRun) return shown(before, true);
    const build = (resourceVersion: string): ApiObject =>
      restamped(request, before, withMeta(before, { resourceVersion }));
    return shown(await store.remove(id, build), true);
  }
  const after = restamped(request, before, withDyingPhase(dyingObject(request, before, finalizers, now())));
  if (request.dryRun) return shown(after, false);
  if (isSameObject(before, after)) {
    // Somebody else's deletion may be staged only: nothing is acknowledged that is not on disk.
    await store.settled();
    return shown(after, false);
  }
  const build = (resourceVersion: string): ApiObject =>
    restamped(request, before, withMeta(after, { resourceVersion }));
  return shown(await store.put(id, build), false);
}

/** Mutating webhooks are asked too, though there is nothing that they could change. */
function admit(
  { admission }: WriteContext,
  request: DeleteRequest,
  before: ApiObject,
): Promise<readonly string[]> | undefined {
  const target = targetOf({ ...request, subresource: undefined }, 'DELETE');
  const mutation = admission?.mutation(target);
  const validation = admission?.validation(target);
  if (mutation === undefined && validation === undefined) return undefined;
  const oldObject = toVersion(request.resource, before, request.version);
  const name = request.inCollection === true ? '' : request.name;
  const attributes = attributesOf(request, target, name, { object: undefined, oldObject });
  return (async () => [
    ...((await mutation?.(attributes, (object) => object))?.warnings ?? []),
    ...((await validation?.(attributes)) ?? []),
  ])();
}

/** A state that differs from a converted one in its metadata only is converted with it: no webhook is asked again. */
function restamped({ resource, version }: DeleteRequest, before: ApiObject, after: ApiObject): ApiObject {
  if (!isPrepared(resource, after, version)) {
    const shown = toVersion(resource, before, version);
    const { labels, annotations } = shown.metadata;
    const metadata = { ...after.metadata, labels, annotations };
    rememberVersion(after, version, withMeta({ ...shown, metadata: after.metadata }, metadata));
  }
  return after;
}

function checkPreconditions({ resource, name, uid, resourceVersion }: DeleteRequest, before: ApiObject): void {
  const { metadata } = before;
  // kube-apiserver names the kind in these two, not the plural.
  const id = `${resource.kind}${resource.group === '' ? '' : `.${resource.group}`}`;
  const subject = { id, group: resource.group, plural: resource.kind };
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(subject, name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(subject, name, why);
  }
}

function dyingObject(
  { resource }: DeleteRequest,
  before: ApiObject,
  finalizers: readonly string[],
  now: string,
): ApiObject {
  const { deletionTimestamp, generation = 0 } = before.metadata;
  return withMeta(before, {
    finalizers: finalizers.length === 0 ? undefined : finalizers,
    deletionTimestamp: deletionTimestamp ?? now,
    deletionGracePeriodSeconds: 0,
    ...(deletionTimestamp === undefined && resource.rules.generation ? { generation: generation + 1 } : {}),
  });
}

function finalizersFor(request: DeleteRequest, before: ApiObject): readonly string[] {
  const present = before.metadata.finalizers ?? [];
  const others = present.filter((f) => f !== 'orphan' && f !== 'foregroundDeletion');
  if (request.propagationPolicy === 'Orphan') return [...others, 'orphan'];
  if (request.propagationPolicy === 'Foreground') return [...others, 'foregroundDeletion'];
  return request.propagationPolicy === 'Background' ? others : present;
}
