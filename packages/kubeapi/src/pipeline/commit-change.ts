import { type ApiObject, withMeta } from '../api-object.ts';
import { toVersion } from '../registry/resource.ts';
import type { AdmissionTarget } from '../webhooks/match-rules.ts';
import { attributesOf } from './admission-attributes-of.ts';
import { isSameObject, specChanged } from './metadata-rules.ts';
import { isHeldNamespace } from './namespace-rules.ts';
import { idOf } from './object-id.ts';
import { StateMoved } from './settle-write.ts';
import { committed, type StoredForm, shownForm, storedForm } from './stored-form.ts';
import type { WriteContext } from './write-context.ts';
import type { WriteRequest, WriteResult } from './write-request.ts';

/** The next state of an object, ready but for validating webhooks. */
export interface StateChange {
  readonly name: string;
  /** As it is stored. */
  readonly before: ApiObject;
  /** The same in the caller's version. */
  readonly present: ApiObject;
  /** The next state in the caller's version, with its managedFields. */
  readonly owned: ApiObject;
  /** What the caller is warned of. */
  readonly warnings: readonly string[];
  readonly target: AdmissionTarget;
  /** How validating webhooks see the object; absent: as it is. */
  readonly view?: ((object: ApiObject) => ApiObject) | undefined;
}

/**
 * Store the next state of an object. What changes nothing is not committed. A dying object that nothing holds any more is removed
 * in this same commit.
 *
 * @throws StateMoved when a webhook was waited for and the object or its kind changed meanwhile.
 */
export async function commitChange(
  context: WriteContext,
  request: WriteRequest,
  change: StateChange,
): Promise<WriteResult> {
  const { store } = context;
  const { name, before } = change;
  const { resource, version } = request;
  const made = storedForm(context, request, change.owned);
  const form = withGeneration(request, change.present, made instanceof Promise ? await made : made);
  const asked = validate(context, request, change, form);
  const warnings = asked === undefined ? change.warnings : [...change.warnings, ...(await asked)];
  const id = idOf(request, name);
  if (store.head(id) !== before || !context.isServed(resource)) throw new StateMoved();
  const result = (object: ApiObject): WriteResult => ({ object, warnings, created: false });
  const after = form.stored;
  const dying = before.metadata.deletionTimestamp !== undefined && isReleased(after);
  if (!dying && isSameObject(before, after)) {
    // What it found may be staged only: nothing is acknowledged that is not on disk.
    await store.settled();
    return result(change.present);
  }
  if (request.dryRun) return result(shownForm(form, request));
  const build = (resourceVersion: string): ApiObject => committed(form, request, resourceVersion);
  if (!dying) return result(toVersion(resource, await store.put(id, build), version));
  // The DELETED event shows what was stored last, the answer what this write made of it.
  await store.remove(id, (resourceVersion) => withMeta(before, { resourceVersion }));
  const last = toVersion(resource, build(before.metadata.resourceVersion ?? ''), version);
  return result(last);
}

function withGeneration({ resource }: WriteRequest, present: ApiObject, form: StoredForm): StoredForm {
  if (!resource.rules.generation || !specChanged(resource, present, form.shown)) return form;
  const generation = (present.metadata.generation ?? 0) + 1;
  const stored = withMeta(form.stored, { generation });
  return { ...form, stored, shown: withMeta(form.shown, { generation }) };
}

function validate(
  context: WriteContext,
  request: WriteRequest,
  { name, target, present, view = (object) => object }: StateChange,
  { shown }: StoredForm,
): Promise<readonly string[]> | undefined {
  const validation = context.admission?.validation(target);
  return validation?.(attributesOf(request, target, name, { object: view(shown), oldObject: view(present) }));
}

/** No finalizer holds the object any more. */
function isReleased(object: ApiObject): boolean {
  return (object.metadata.finalizers ?? []).length === 0 && !isHeldNamespace(object);
}
