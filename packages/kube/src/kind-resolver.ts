import type { KindRef, KubeObject, ObjectReference } from '@bloomery/model';

/** A kind that was found by a reference, at the version of it to use. */
export interface ResolvedKind {
  readonly kind: KindRef;
  /** The Cluster API contract that this version of the kind follows, by the labels of its definition. */
  readonly contract: 'v1beta1' | 'v1beta2';
}

/** Finds the kind behind a reference to any type that the API serves, also to one that a user installed a moment ago. */
export interface KindResolver {
  /**
   * Group from `apiVersion` or `apiGroup`, kind by name; the version is the newest that the definition's label
   * `cluster.x-k8s.io/<contract>` names, else the one of the reference. undefined: no such type is served (yet).
   */
  resolve(ref: ObjectReference & { readonly apiGroup?: string }): Promise<ResolvedKind | undefined>;
}

/** Kinds that are only known at run time, kept in the cache like those that controllers declare. */
export interface FollowedKinds {
  /** Follow a kind from now on; resolves when its objects are in the cache. Costs nothing when it is followed already. */
  follow(kind: KindRef): Promise<void>;
  /** Told of every change of every followed kind. */
  listen(listener: (object: KubeObject, gone: boolean) => void): () => void;
}
