import type { ApiObject } from '../api-object.ts';
import { keyOfId, type ObjectId } from '../store/store.ts';

/** Which objects live and who depends on whom, by uid. Every commit updates it. */
export interface OwnerIndex {
  readonly update: (id: ObjectId, before: ApiObject | undefined, after: ApiObject | undefined) => void;
  readonly dependentsOf: (uid: string) => readonly ObjectId[];
  /** Where the object with this uid lives; undefined when none does. */
  readonly homeOf: (uid: string) => ObjectId | undefined;
  /** The object was seen to go while something still depended on it. */
  readonly sawGo: (uid: string) => boolean;
}

/** Make an empty index. */
export function createOwnerIndex(): OwnerIndex {
  const living = new Map<string, ObjectId>();
  const gone = new Set<string>();
  const dependents = new Map<string, Map<string, ObjectId>>();

  function unlink(owner: string, key: string): void {
    const set = dependents.get(owner);
    set?.delete(key);
    if (set?.size !== 0) return;
    dependents.delete(owner);
    gone.delete(owner);
  }

  return {
    update(id, before, after) {
      const key = `${id.resource}\0${keyOfId(id)}`;
      for (const { uid } of before?.metadata.ownerReferences ?? []) {
        if (!after?.metadata.ownerReferences?.some((o) => o.uid === uid)) unlink(uid, key);
      }
      for (const { uid } of after?.metadata.ownerReferences ?? []) {
        const set = dependents.get(uid) ?? new Map<string, ObjectId>();
        dependents.set(uid, set);
        set.set(key, id);
      }
      const uid = after?.metadata.uid ?? before?.metadata.uid;
      if (uid === undefined) return;
      if (after !== undefined) living.set(uid, id);
      else {
        living.delete(uid);
        if (dependents.has(uid)) gone.add(uid);
      }
    },
    dependentsOf: (uid) => [...(dependents.get(uid)?.values() ?? [])],
    homeOf: (uid) => living.get(uid),
    sawGo: (uid) => gone.has(uid),
  };
}
