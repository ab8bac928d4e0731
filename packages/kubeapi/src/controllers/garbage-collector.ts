import { isBloomeryError, type Logger } from '@bloomery/ports';
import type { ApiObject } from '../api-object.ts';
import type { WriteRequest } from '../pipeline/write-request.ts';
import type { Writer } from '../pipeline/writer.ts';
import type { Registry } from '../registry/registry.ts';
import type { Resource } from '../registry/resource.ts';
import { keyOfId, type ObjectId, type Store } from '../store/store.ts';
import { createSerialWork } from './serial-work.ts';

export interface GarbageCollectorDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
  readonly log: Logger;
}

type Owner = NonNullable<ApiObject['metadata']['ownerReferences']>[number];

const MANAGER = 'garbage-collector';

/**
 * Deletes objects whose owners are all gone, and finishes foreground and orphan deletions. Works from an index that every
 * commit updates: the cost of a change does not depend on how many objects there are.
 *
 * @returns a promise of the moment when everything seen so far is done, for tests and orderly stops.
 */
export function startGarbageCollector(deps: GarbageCollectorDeps): {
  readonly idle: () => Promise<void>;
  readonly stop: () => void;
} {
  const { store, registry, writer } = deps;
  const living = new Set<string>();
  const dependents = new Map<string, Map<string, ObjectId>>();
  const work = createSerialWork(deps.log);

  const index = (id: ObjectId, before: ApiObject | undefined, after: ApiObject | undefined): void => {
    const key = `${id.resource}\0${keyOfId(id)}`;
    for (const owner of before?.metadata.ownerReferences ?? []) dependents.get(owner.uid)?.delete(key);
    for (const owner of after?.metadata.ownerReferences ?? []) {
      const set = dependents.get(owner.uid) ?? new Map<string, ObjectId>();
      dependents.set(owner.uid, set);
      set.set(key, id);
    }
    if (after?.metadata.uid !== undefined) living.add(after.metadata.uid);
    else if (before?.metadata.uid !== undefined) living.delete(before.metadata.uid);
  };

  const request = (resource: Resource, namespace: string): WriteRequest => ({
    resource,
    version: resource.storage,
    namespace,
    manager: MANAGER,
    dryRun: false,
    fieldValidation: 'Ignore',
  });

  async function quietly(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
    }
  }

  function isGone(owner: Owner): boolean {
    return !living.has(owner.uid);
  }

  async function visitDependent(id: ObjectId): Promise<void> {
    const object = store.head(id);
    const resource = registry.byId(id.resource);
    const owners = object?.metadata.ownerReferences ?? [];
    if (object === undefined || resource === undefined || owners.length === 0) return;
    const gone = owners.filter(isGone);
    if (gone.length === 0) return;
    if (gone.length === owners.length) {
      if (object.metadata.deletionTimestamp !== undefined) return;
      const { uid } = object.metadata;
      return quietly(() =>
        writer.delete({
          resource,
          version: resource.storage,
          namespace: id.namespace,
          name: id.name,
          uid,
          propagationPolicy: 'Background',
          dryRun: false,
        }),
      );
    }
    const body = { metadata: { ownerReferences: owners.filter((o) => !isGone(o)) } };
    return quietly(() => writer.patch(request(resource, id.namespace), id.name, { type: 'merge', body }));
  }

  /** An owner that waits for its dependents: `orphan` lets them go, `foregroundDeletion` deletes them first. */
  async function visitOwner(id: ObjectId): Promise<void> {
    const owner = store.head(id);
    const resource = registry.byId(id.resource);
    if (owner === undefined || resource === undefined || owner.metadata.deletionTimestamp === undefined) return;
    const finalizers = owner.metadata.finalizers ?? [];
    const uid = owner.metadata.uid ?? '';
    const children = [...(dependents.get(uid)?.values() ?? [])];
    if (finalizers.includes('orphan')) {
      for (const child of children) await release(child, uid);
      return dropFinalizer(resource, id, finalizers, 'orphan');
    }
    if (!finalizers.includes('foregroundDeletion')) return;
    let blocking = 0;
    for (const child of children) {
      const object = store.head(child);
      const childResource = registry.byId(child.resource);
      if (object === undefined || childResource === undefined) continue;
      if (object.metadata.ownerReferences?.some((o) => o.uid === uid && o.blockOwnerDeletion === true)) blocking += 1;
      if (object.metadata.deletionTimestamp !== undefined) continue;
      const propagationPolicy =
        (dependents.get(object.metadata.uid ?? '')?.size ?? 0) > 0 ? 'Foreground' : 'Background';
      await quietly(() =>
        writer.delete({
          resource: childResource,
          version: childResource.storage,
          namespace: child.namespace,
          name: child.name,
          propagationPolicy,
          dryRun: false,
        }),
      );
      if (store.head(child) === undefined) blocking = Math.max(0, blocking - 1);
    }
    if (blocking === 0) await dropFinalizer(resource, id, finalizers, 'foregroundDeletion');
  }

  async function release(child: ObjectId, uid: string): Promise<void> {
    const object = store.head(child);
    const resource = registry.byId(child.resource);
    if (object === undefined || resource === undefined) return;
    const ownerReferences = (object.metadata.ownerReferences ?? []).filter((o) => o.uid !== uid);
    await quietly(() =>
      writer.patch(request(resource, child.namespace), child.name, {
        type: 'merge',
        body: { metadata: { ownerReferences } },
      }),
    );
  }

  async function dropFinalizer(
    resource: Resource,
    id: ObjectId,
    finalizers: readonly string[],
    finalizer: string,
  ): Promise<void> {
    const body = { metadata: { finalizers: finalizers.filter((f) => f !== finalizer) } };
    await quietly(() => writer.patch(request(resource, id.namespace), id.name, { type: 'merge', body }));
  }

  function consider(id: ObjectId, after: ApiObject | undefined, before: ApiObject | undefined): void {
    const owners = (after ?? before)?.metadata.ownerReferences ?? [];
    if (after !== undefined && owners.some(isGone)) work.add('dependent', () => visitDependent(id));
    if (after?.metadata.deletionTimestamp !== undefined) work.add('owner', () => visitOwner(id));
    if (after !== undefined || before === undefined) return;
    for (const child of dependents.get(before.metadata.uid ?? '')?.values() ?? [])
      work.add('dependent', () => visitDependent(child));
    for (const owner of owners) {
      const waiting = findOwner(owner, before.metadata.namespace);
      if (waiting !== undefined) work.add('owner', () => visitOwner(waiting));
    }
  }

  function findOwner(owner: Owner, namespace: string | undefined): ObjectId | undefined {
    const group = owner.apiVersion.includes('/') ? (owner.apiVersion.split('/')[0] ?? '') : '';
    const resource = registry.ofKind(group, owner.kind);
    if (resource === undefined) return undefined;
    return { resource: resource.id, namespace: resource.namespaced ? (namespace ?? '') : '', name: owner.name };
  }

  for (const resource of store.resources()) {
    for (const object of store.list(resource)) {
      index({ resource, namespace: object.metadata.namespace ?? '', name: object.metadata.name }, undefined, object);
    }
  }
  for (const resource of store.resources()) {
    for (const object of store.list(resource)) {
      const id = { resource, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
      if (object.metadata.ownerReferences !== undefined || object.metadata.deletionTimestamp !== undefined)
        consider(id, object, undefined);
    }
  }
  const stop = store.subscribe((changes) => {
    for (const change of changes) index(change.id, change.before, change.type === 'put' ? change.object : undefined);
    for (const change of changes)
      consider(change.id, change.type === 'put' ? change.object : undefined, change.before ?? change.object);
  });
  return { idle: () => work.idle(), stop };
}
