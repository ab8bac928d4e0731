import { createHash } from 'node:crypto';
import {
  crdOf,
  isJsonObject,
  type JsonObject,
  jsonEqual,
  type KindDefinition,
  timeText,
  versionsByKind,
} from '@bloomery/model';
import { type Clock, errorText, type Logger } from '@bloomery/ports';
import { type ApiObject, asApiObject, withMeta } from '../api-object.ts';
import { record } from '../json-parts.ts';
import type { Writer } from '../pipeline/writer.ts';
import { CRD_CLEANUP_FINALIZER, crdDefaults } from '../registry/crd/index.ts';
import { resourceOfCrd } from '../registry/crd-resource.ts';
import type { Registry } from '../registry/registry.ts';
import { CUSTOM_RULES, type Resource, resourceId, resourceOf } from '../registry/resource.ts';
import { goJson } from '../schema/index.ts';
import type { Store } from '../store/store.ts';
import { crdStatus, type NamesConflict, namesConflict } from './crd-status.ts';
import { emptyResource } from './empty-resource.ts';
import { createKeyedWork } from './keyed-work.ts';

export interface CrdLifecycleDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Logger;
  /** Kinds that the product brings, with their own conversion and checks. */
  readonly kinds: readonly KindDefinition[];
}

const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';

/**
 * Keeps the registry in step with the CustomResourceDefinitions, in the turn of their commit: when a create is answered, its kind
 * is served. The kinds of the product are installed and kept up to date. A definition whose names are taken, by Kubernetes' own
 * kinds for one, is not served and says so.
 */
export async function startCrdLifecycle(
  deps: CrdLifecycleDeps,
): Promise<{ readonly idle: () => Promise<void>; readonly stop: () => void }> {
  const { store, registry, writer, log } = deps;
  const own = new Map(versionsByKind(deps.kinds).map((versions) => [idOfVersions(versions), versions]));
  const ownDefinitions = new Map([...own].map(([name, versions]) => [name, installedDefinition(versions)]));
  const served = new Set<string>();
  const unusable = new Map<string, string>();
  const work = createKeyedWork(log, deps.clock);
  const crds = registry.byId(CRDS);
  if (crds === undefined) throw new RangeError('the registry has no CustomResourceDefinitions');
  const idOf = (name: string) => ({ resource: CRDS, namespace: '', name });
  const now = (): string => timeText(deps.clock.nowMs());

  /** One definition that cannot be served (of an older release, say) must not stop the others, or the start. */
  function serve(crd: ApiObject, before?: ApiObject): void {
    const { name } = crd.metadata;
    try {
      serveOne(crd, before);
      unusable.delete(name);
    } catch (error) {
      log.error('crd.unusable', { crd: name, error: errorText(error) });
      unserve(name);
      unusable.set(name, errorText(error));
    }
  }

  function serveOne(crd: ApiObject, before: ApiObject | undefined): void {
    const { name } = crd.metadata;
    if (namesConflict(registry, crd, served.has(name)) !== undefined) return;
    const present = served.has(name) ? registry.byId(name) : undefined;
    const isSame = before !== undefined && jsonEqual(before['spec'], crd['spec']);
    // Its watches go on when it is only being deleted: they see its objects go.
    const resource = isSame && present !== undefined ? withDeletion(present, crd) : resourceFor(crd, own.get(name));
    served.add(name);
    registry.set(resource);
  }

  function unserve(name: string): void {
    unusable.delete(name);
    if (!served.delete(name)) return;
    registry.remove(name);
    // Its names are free: another definition may have waited for them.
    for (const crd of store.list(CRDS)) {
      if (served.has(crd.metadata.name) || crd.metadata.deletionTimestamp !== undefined) continue;
      serve(crd);
      work.add(crd.metadata.name, () => visit(crd.metadata.name));
    }
  }

  function unusableOf(name: string): NamesConflict | undefined {
    const why = unusable.get(name);
    return why === undefined ? undefined : { reason: 'DefinitionUnusable', message: `it cannot be served: ${why}` };
  }

  function statusOf(crd: ApiObject): JsonObject {
    const { name, finalizers = [] } = crd.metadata;
    const definition = ownDefinitions.get(name);
    return crdStatus(
      crd,
      {
        conflict: unusableOf(name) ?? namesConflict(registry, crd, served.has(name)),
        overridden: definition !== undefined && !jsonEqual(crd['spec'], definition['spec']),
        emptied: !finalizers.includes(CRD_CLEANUP_FINALIZER),
      },
      now(),
    );
  }

  async function visit(name: string): Promise<void> {
    const crd = store.head(idOf(name));
    if (crd === undefined) return;
    const status = statusOf(crd);
    if (!jsonEqual(status, crd['status'])) {
      await store.put(idOf(name), (resourceVersion) => withMeta(asApiObject({ ...crd, status }), { resourceVersion }));
    }
    if (crd.metadata.deletionTimestamp !== undefined) await cleanUp(name);
  }

  async function cleanUp(name: string): Promise<void> {
    const resource = served.has(name) ? registry.byId(name) : undefined;
    // What was staged before the deletion is committed with it; nothing can be created after it.
    if (resource !== undefined && (await emptyResource(store, writer, resource)).length > 0) return;
    const crd = store.head(idOf(name));
    if (crd?.metadata.deletionTimestamp === undefined) return;
    const finalizers = (crd.metadata.finalizers ?? []).filter((f) => f !== CRD_CLEANUP_FINALIZER);
    const build = (resourceVersion: string): ApiObject =>
      withMeta(crd, { finalizers: finalizers.length === 0 ? undefined : finalizers, resourceVersion });
    if (finalizers.length === 0) await store.remove(idOf(name), build);
    else if (finalizers.length !== crd.metadata.finalizers?.length) await store.put(idOf(name), build);
  }

  const unsubscribe = store.subscribe((changes) => {
    for (const { id, type, object, before } of changes) {
      if (id.resource !== CRDS) {
        if (type === 'delete' && registry.byId(id.resource)?.terminating === true)
          work.add(id.resource, () => visit(id.resource));
      } else if (type === 'delete') unserve(id.name);
      else {
        if (!isServedAlike(before, object)) serve(object, before);
        work.add(id.name, () => visit(id.name));
      }
    }
  });

  for (const crd of store.list(CRDS)) serve(crd);
  for (const [name, definition] of ownDefinitions) await install(name, definition);
  for (const { metadata } of store.list(CRDS)) {
    if (metadata.deletionTimestamp !== undefined) work.add(metadata.name, () => visit(metadata.name));
  }
  await work.idle();

  async function install(name: string, wanted: JsonObject): Promise<void> {
    const present = store.head(idOf(name));
    if (crds === undefined) return;
    if (present === undefined) {
      const request = {
        resource: crds,
        version: crds.storage,
        namespace: '',
        manager: 'bloomery',
        dryRun: false,
      } as const;
      await writer.create({ ...request, fieldValidation: 'Ignore' }, wanted);
      return;
    }
    const isChanged = !jsonEqual(present['spec'], wanted['spec']) && isOurs(present);
    const labels = { ...present.metadata.labels, ...record(record(wanted['metadata'])['labels']) };
    const isLabelled = jsonEqual(labels, present.metadata.labels ?? {});
    if (present.metadata.deletionTimestamp !== undefined || (!isChanged && isLabelled)) return;
    if (!isChanged) {
      await store.put(idOf(name), (resourceVersion) => withMeta(present, { resourceVersion, labels }));
      return;
    }
    const generation = (present.metadata.generation ?? 0) + 1;
    const next = asApiObject({ ...present, spec: wanted['spec'] });
    const annotations = { ...present.metadata.annotations, [INSTALLED]: specHash(wanted) };
    await store.put(idOf(name), (resourceVersion) =>
      withMeta(next, { resourceVersion, labels, annotations, finalizers: [CRD_CLEANUP_FINALIZER], generation }),
    );
  }

  return {
    idle: () => work.idle(),
    stop() {
      unsubscribe();
      work.stop();
    },
  };
}

/** Names the spec that was installed: what a user has written since is left alone. */
const INSTALLED = 'bloomery.dev/installed-definition';

function installedDefinition(versions: readonly KindDefinition[]): JsonObject {
  const definition = crdDefaults(crdOf(versions));
  const metadata = record(definition['metadata']);
  const annotations = { ...record(metadata['annotations']), [INSTALLED]: specHash(definition) };
  return { ...definition, metadata: { ...metadata, annotations } };
}

function specHash(definition: JsonObject): string {
  return createHash('sha256')
    .update(goJson(definition['spec'] ?? null))
    .digest('hex')
    .slice(0, 16);
}

/** Whether a definition is as it was installed, by this version of the product or an earlier one. */
function isOurs(crd: ApiObject): boolean {
  const { annotations, deletionTimestamp, managedFields = [] } = crd.metadata;
  if (deletionTimestamp !== undefined) return false;
  const installed = annotations?.[INSTALLED];
  if (installed !== undefined) return installed === specHash(crd);
  return managedFields.every((entry) => isJsonObject(entry) && entry['manager'] === 'bloomery');
}

function withDeletion(resource: Resource, crd: ApiObject): Resource {
  return { ...resource, terminating: crd.metadata.deletionTimestamp !== undefined };
}

/** Objects may have been stored under an earlier schema once the definition has changed, or through that of another version. */
function resourceFor(crd: ApiObject, own: readonly KindDefinition[] | undefined): Resource {
  const resource = own === undefined ? resourceOfCrd(crd) : resourceOf(own, CUSTOM_RULES);
  return {
    ...resource,
    shapedOnRead: (crd.metadata.generation ?? 1) > 1 || (own === undefined && resource.versions.length > 1),
    terminating: crd.metadata.deletionTimestamp !== undefined,
  };
}

function isServedAlike(before: ApiObject | undefined, after: ApiObject): boolean {
  if (before === undefined) return false;
  const isDying = (crd: ApiObject): boolean => crd.metadata.deletionTimestamp !== undefined;
  return isDying(before) === isDying(after) && jsonEqual(before['spec'], after['spec']);
}

function idOfVersions(versions: readonly KindDefinition[]): string {
  const [first] = versions;
  return first === undefined ? '' : resourceId(first);
}
