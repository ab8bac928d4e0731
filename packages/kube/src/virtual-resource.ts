import type { KindDefinition, KubeObject, ObjectKey } from '@bloomery/model';

/**
 * A read-only kind whose objects are computed when asked for. The embedded API serves get and list (with Tables) of it
 * under its group, like any other kind; watch, writes and storage do not exist.
 */
export interface VirtualResource<T extends KubeObject = KubeObject> {
  readonly kind: KindDefinition<T>;
  /** All objects, or those of one namespace. Sorted by namespace and name. Bounded by the objects that they are about. */
  list(namespace?: string): readonly T[];
  get(key: ObjectKey): T | undefined;
}
