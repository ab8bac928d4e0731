import { type Clock, isBloomeryError, type Logger } from '@bloomery/ports';
import type { ApiObject } from '../api-object.ts';
import type { WriteRequest } from '../pipeline/write-request.ts';
import type { Writer } from '../pipeline/writer.ts';
import type { Registry } from '../registry/registry.ts';
import type { Resource } from '../registry/resource.ts';
import { keyOfId, type ObjectId, type Store } from '../store/store.ts';
import { controllerUser } from './controller-user.ts';
import { tellOfForeignOwner } from './foreign-owner.ts';
import { createKeyedWork } from './keyed-work.ts';
import { createOwnerIndex } from './owner-index.ts';

export interface GarbageCollectorDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Logger;
}

type Owner = NonNullable<ApiObject['metadata']['ownerReferences']>[number];

const MANAGER = 'garbage-collector';
const ACTOR = controllerUser('generic-garbage-collector');

/**
 * Deletes objects whose owners are all gone, and finishes foreground and orphan deletions. Works from an index that every
 * commit updates: the cost of a change does not depend on how many objects there are. An owner of a kind that is not served
 * is never taken for gone, unless it was seen to go.
 *
 * @returns a promise of the moment when everything seen so far is done, for tests and orderly stops.
 */
export function startGarbageCollector(deps: GarbageCollectorDeps): {
  readonly idle: () => Promise<void>;
  readonly stop: () => void;
} {
  const { store, registry, writer } = deps;
  const index = createOwnerIndex();
  const work = createKeyedWork(deps.log, deps.clock);

  const request = (resource: Resource, namespace: string): WriteRequest => ({
    resource,
    version: resource.storage,
    namespace,
    manager: MANAGER,
    actor: ACTOR,
    dryRun: false,
    fieldValidation: 'Ignore',
  });

  /** Writes are for the state that they were worked out from: while a webhook is asked, somebody else may write. */
  async function remove(id: ObjectId, object: ApiObject, propagationPolicy: 'Foreground' | 'Background') {
    const resource = registry.byId(id.resource);
    if (resource === undefined) return true;
    const { uid, resourceVersion } = object.metadata;
    const about = { resource, version: resource.storage, namespace: id.namespace, name: id.name, uid, resourceVersion };
    return isDone(() => writer.delete({ ...about, actor: ACTOR, dryRun: false, propagationPolicy }));
  }

  async function patchMeta(
    id: ObjectId,
    { metadata: { resourceVersion } }: ApiObject,
    change: Pick<ApiObject['metadata'], 'ownerReferences' | 'finalizers'>,
  ): Promise<boolean> {
    const resource = registry.byId(id.resource);
    if (resource === undefined) return true;
    const patch = { type: 'merge', body: { metadata: { ...change, resourceVersion } } } as const;
    return isDone(() => writer.patch(request(resource, id.namespace), id.name, patch));
  }

  function isGone(owner: Owner, dependent: ObjectId): boolean {
    const home = index.homeOf(owner.uid);
    if (home !== undefined && isMeant(owner, home, dependent)) return false;
    if (home === undefined && index.sawGo(owner.uid)) return true;
    const resource = registry.ofKind(groupOf(owner), owner.kind);
    // Something in a namespace cannot own what is in none: such a reference says nothing.
    return resource !== undefined && (dependent.namespace !== '' || !resource.namespaced);
  }

  /** A reference finds its owner by kind and name, in the dependent's own namespace; one that lives elsewhere is none. */
  function isMeant(owner: Owner, home: ObjectId, dependent: ObjectId): boolean {
    const resource = registry.byId(home.resource);
    if (resource === undefined) return true;
    const isNamed = resource.kind === owner.kind && resource.group === groupOf(owner) && home.name === owner.name;
    return isNamed && !isElsewhere(home, dependent);
  }

  async function visitDependent(id: ObjectId): Promise<void> {
    const object = store.head(id);
    const owners = object?.metadata.ownerReferences ?? [];
    if (object === undefined || owners.length === 0) return;
    const left = owners.filter((owner) => !isGone(owner, id));
    if (left.length === owners.length) return;
    for (const owner of owners) {
      const home = left.includes(owner) ? undefined : index.homeOf(owner.uid);
      if (home !== undefined && isElsewhere(home, id)) await tellOfForeignOwner(deps, id, object, owner);
    }
    if (left.length === 0 && object.metadata.deletionTimestamp !== undefined) return;
    const done = left.length > 0 ? patchMeta(id, object, { ownerReferences: left }) : remove(id, object, 'Background');
    if (!(await done)) addDependent(id);
  }

  /** An owner that waits for its dependents: `orphan` lets them go, `foregroundDeletion` deletes them first. */
  async function visitOwner(id: ObjectId): Promise<void> {
    const owner = store.head(id);
    if (owner?.metadata.deletionTimestamp === undefined) return;
    const { finalizers = [], uid = '' } = owner.metadata;
    const finalizer = ['orphan', 'foregroundDeletion'].find((name) => finalizers.includes(name));
    if (finalizer === undefined) return;
    const children = index.dependentsOf(uid);
    const step = finalizer === 'orphan' ? release : deleteChild;
    const steps = await Promise.all(children.map((child) => step(child, uid)));
    const isHeld = finalizer !== 'orphan' && children.some((child) => blocks(child, uid));
    const done = steps.every(Boolean) && (isHeld || (await dropFinalizer(id, uid, finalizer)));
    if (!done) addOwner(id);
  }

  async function dropFinalizer(id: ObjectId, uid: string, finalizer: string): Promise<boolean> {
    const owner = store.head(id);
    if (owner === undefined || owner.metadata.uid !== uid) return true;
    const finalizers = (owner.metadata.finalizers ?? []).filter((f) => f !== finalizer);
    return patchMeta(id, owner, { finalizers });
  }

  async function deleteChild(child: ObjectId, uid: string): Promise<boolean> {
    const object = store.head(child);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return true;
    const others = object.metadata.ownerReferences?.filter((o) => o.uid !== uid && !isGone(o, child)) ?? [];
    if (others.length > 0) return release(child, uid);
    const hasOwn = index.dependentsOf(object.metadata.uid ?? '').length > 0;
    return remove(child, object, hasOwn ? 'Foreground' : 'Background');
  }

  function blocks(child: ObjectId, uid: string): boolean {
    const owners = store.head(child)?.metadata.ownerReferences ?? [];
    return owners.some((o) => o.uid === uid && o.blockOwnerDeletion === true);
  }

  async function release(child: ObjectId, uid: string): Promise<boolean> {
    const object = store.head(child);
    if (object === undefined) return true;
    const ownerReferences = (object.metadata.ownerReferences ?? []).filter((o) => o.uid !== uid);
    return patchMeta(child, object, { ownerReferences });
  }

  function addDependent(id: ObjectId): void {
    work.add(`dependent ${id.resource} ${keyOfId(id)}`, () => visitDependent(id));
  }

  function addOwner(id: ObjectId): void {
    work.add(`owner ${id.resource} ${keyOfId(id)}`, () => visitOwner(id));
  }

  function consider(id: ObjectId, before: ApiObject | undefined, after: ApiObject | undefined): void {
    if (after?.metadata.ownerReferences?.some((o) => isGone(o, id))) addDependent(id);
    if (after?.metadata.deletionTimestamp !== undefined) addOwner(id);
    if (after === undefined) {
      for (const child of index.dependentsOf(before?.metadata.uid ?? '')) addDependent(child);
    }
    // An owner may wait for this one, until it goes or its reference does.
    for (const owner of before?.metadata.ownerReferences ?? []) {
      const still = after?.metadata.ownerReferences?.some((o) => o.uid === owner.uid && o.blockOwnerDeletion === true);
      const waiting = still === true ? undefined : findOwner(owner, id.namespace);
      if (waiting !== undefined) addOwner(waiting);
    }
  }

  function findOwner(owner: Owner, namespace: string): ObjectId | undefined {
    const resource = registry.ofKind(groupOf(owner), owner.kind);
    if (resource === undefined) return undefined;
    const id = { resource: resource.id, namespace: resource.namespaced ? namespace : '', name: owner.name };
    return store.get(id)?.metadata.deletionTimestamp === undefined ? undefined : id;
  }

  const all = store.resources().flatMap((resource) =>
    store.list(resource).map((object) => {
      const { name, namespace = '' } = object.metadata;
      return { id: { resource, namespace, name }, object };
    }),
  );
  for (const { id, object } of all) index.update(id, undefined, object);
  for (const { id, object } of all) consider(id, undefined, object);
  const unsubscribe = store.subscribe((changes) => {
    const steps = changes.map(({ id, type, object, before }) =>
      type === 'put' ? { id, before, after: object } : { id, before: before ?? object, after: undefined },
    );
    for (const { id, before, after } of steps) index.update(id, before, after);
    for (const { id, before, after } of steps) consider(id, before, after);
  });
  return {
    idle: () => work.idle(),
    stop() {
      unsubscribe();
      work.stop();
    },
  };
}

/** Both are in namespaces, and in different ones. */
function isElsewhere(owner: ObjectId, dependent: ObjectId): boolean {
  return owner.namespace !== '' && dependent.namespace !== '' && owner.namespace !== dependent.namespace;
}

function groupOf(owner: Owner): string {
  return owner.apiVersion.includes('/') ? (owner.apiVersion.split('/')[0] ?? '') : '';
}

/** Whether nothing is left to do: also when the object is gone. False when it has changed and has to be looked at again. */
async function isDone(action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_CONFLICT')) return false;
    if (isBloomeryError(error, 'BLM_API_NOT_FOUND')) return true;
    throw error;
  }
}
