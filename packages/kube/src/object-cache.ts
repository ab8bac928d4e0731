import type { KindRef, KubeObject, ObjectKey } from '@bloomery/model';

/**
 * Synchronous reads from memory of all objects of the kinds that are watched. Kept current by informers.
 * Boot services answer from this, so that a request costs no API call.
 */
export interface ObjectCache {
  get<T extends KubeObject>(kind: KindRef<T>, key: ObjectKey): T | undefined;
  list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): readonly T[];
}
