import { crdOf, isJsonObject, type Json, type KindDefinition, versionsByKind } from '@bloomery/model';
import { type Clock, isBloomeryError, type Logger } from '@bloomery/ports';
import { type ApiObject, asApiObject, withMeta } from '../api-object.ts';
import type { Writer } from '../pipeline/writer.ts';
import { CRD_CLEANUP_FINALIZER, resourceOfCrd } from '../registry/crd-resource.ts';
import type { Registry } from '../registry/registry.ts';
import { CUSTOM_RULES, resourceId, resourceOf } from '../registry/resource.ts';
import { jsonEqual } from '../schema/index.ts';
import type { Store } from '../store/store.ts';
import { createSerialWork } from './serial-work.ts';

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
 * is served. The kinds of the product are installed and kept up to date.
 */
export async function startCrdLifecycle(
  deps: CrdLifecycleDeps,
): Promise<{ readonly idle: () => Promise<void>; readonly stop: () => void }> {
  const { store, registry, writer, log } = deps;
  const own = new Map(versionsByKind(deps.kinds).map((versions) => [idOfVersions(versions), versions]));
  const work = createSerialWork(log);
  const crds = registry.byId(CRDS);
  if (crds === undefined) throw new RangeError('the registry has no CustomResourceDefinitions');
  const idOf = (name: string) => ({ resource: CRDS, namespace: '', name });
  const now = (): string => `${new Date(deps.clock.nowMs()).toISOString().slice(0, 19)}Z`;

  function serve(crd: ApiObject): void {
    const versions = own.get(crd.metadata.name);
    registry.set(versions === undefined ? resourceOfCrd(crd) : resourceOf(versions, CUSTOM_RULES));
  }

  async function establish(name: string): Promise<void> {
    const crd = store.head(idOf(name));
    if (crd === undefined || crd.metadata.deletionTimestamp !== undefined) return;
    const status = establishedStatus(crd, now());
    if (jsonEqual(status, crd['status'] ?? null)) return;
    await store.put(idOf(name), (resourceVersion) => withMeta(asApiObject({ ...crd, status }), { resourceVersion }));
  }

  async function cleanUp(name: string): Promise<void> {
    const crd = store.head(idOf(name));
    const resource = registry.byId(name);
    if (crd?.metadata.deletionTimestamp === undefined) return;
    let left = 0;
    for (const object of resource === undefined ? [] : store.list(name)) {
      left += 1;
      if (resource === undefined || object.metadata.deletionTimestamp !== undefined) continue;
      try {
        const request = {
          resource,
          version: resource.storage,
          namespace: object.metadata.namespace ?? '',
          name: object.metadata.name,
        };
        if ((await writer.delete({ ...request, propagationPolicy: 'Background', dryRun: false })).gone) left -= 1;
      } catch (error) {
        if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
      }
    }
    if (left > 0) return;
    const present = store.head(idOf(name));
    if (present === undefined) return;
    const finalizers = (present.metadata.finalizers ?? []).filter((f) => f !== CRD_CLEANUP_FINALIZER);
    if (finalizers.length > 0) {
      await store.put(idOf(name), (resourceVersion) => withMeta(present, { finalizers, resourceVersion }));
      return;
    }
    await store.remove(idOf(name), (resourceVersion) => withMeta(present, { finalizers: undefined, resourceVersion }));
    registry.remove(name);
  }

  const stop = store.subscribe((changes) => {
    for (const { id, type, object } of changes) {
      if (type === 'delete' && registry.byId(id.resource) !== undefined && id.resource !== CRDS) {
        const crd = store.get(idOf(id.resource));
        if (crd?.metadata.deletionTimestamp !== undefined) work.add(id.resource, () => cleanUp(id.resource));
      }
      if (id.resource !== CRDS || type === 'delete') continue;
      if (object.metadata.deletionTimestamp !== undefined) {
        work.add(id.name, () => cleanUp(id.name));
      } else {
        serve(object);
        work.add(id.name, () => establish(id.name));
      }
    }
  });

  for (const crd of store.list(CRDS)) serve(crd);
  for (const [name, versions] of own) await install(name, crdOf(versions));
  for (const crd of store.list(CRDS)) {
    if (crd.metadata.deletionTimestamp !== undefined) work.add(crd.metadata.name, () => cleanUp(crd.metadata.name));
  }
  await work.idle();

  async function install(name: string, wanted: { readonly [field: string]: Json | undefined }): Promise<void> {
    const present = store.head(idOf(name));
    const finalizers = [CRD_CLEANUP_FINALIZER];
    if (present === undefined) {
      const request = { resource: crds, version: crds?.storage } as const;
      if (request.resource === undefined || request.version === undefined) return;
      await writer.create(
        {
          resource: request.resource,
          version: request.version,
          namespace: '',
          manager: 'bloomery',
          dryRun: false,
          fieldValidation: 'Ignore',
        },
        wanted as Json,
      );
    } else if (
      !jsonEqual(present['spec'] ?? null, wanted['spec'] ?? null) &&
      present.metadata.deletionTimestamp === undefined
    ) {
      const next = asApiObject({ ...present, spec: wanted['spec'] });
      await store.put(idOf(name), (resourceVersion) =>
        withMeta(next, { resourceVersion, finalizers, generation: (present.metadata.generation ?? 0) + 1 }),
      );
    } else {
      serve(present);
    }
  }

  return { idle: () => work.idle(), stop };
}

function idOfVersions(versions: readonly KindDefinition[]): string {
  const [first] = versions;
  return first === undefined ? '' : resourceId(first);
}

function establishedStatus(crd: ApiObject, time: string): Json {
  const spec = isJsonObject(crd['spec']) ? crd['spec'] : {};
  const versions = Array.isArray(spec['versions']) ? spec['versions'].filter(isJsonObject) : [];
  const before = isJsonObject(crd['status']) ? crd['status'] : {};
  const stored = Array.isArray(before['storedVersions']) ? before['storedVersions'] : [];
  const storage = versions.find((v) => v['storage'] === true)?.['name'] ?? '';
  const old = Array.isArray(before['conditions']) ? before['conditions'].filter(isJsonObject) : [];
  const condition = (type: string, reason: string, message: string): Json => {
    const known = old.find((c) => c['type'] === type && c['status'] === 'True');
    return { type, status: 'True', lastTransitionTime: known?.['lastTransitionTime'] ?? time, reason, message };
  };
  return {
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    acceptedNames: spec['names'] ?? {},
    storedVersions: stored.includes(storage) ? stored : [...stored, storage],
  };
}
