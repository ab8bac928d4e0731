import type { KindRef, KubeObject, ObjectReference } from '@bloomery/model';

/** A kind that was found by a reference, at the version of it to use. */
export interface ResolvedKind {
  readonly kind: KindRef;
  /** The Cluster API contract that this version of the kind follows, by the labels of its definition. */
  readonly contract: 'v1beta1' | 'v1beta2';
  /** Every version that is served, newest first. */
  readonly served: readonly string[];
}

/** What a reference says about the kind: Cluster API v1beta1 names apiVersion, v1beta2 names apiGroup. */
export type KindName = Pick<ObjectReference, 'apiVersion' | 'kind'> & { readonly apiGroup?: string };

/** A type that was installed, changed or went. */
export interface TypeChange {
  readonly group: string;
  readonly kind: string;
  /** Versions that are served now; none: the type is gone. */
  readonly served: readonly string[];
}

/** Finds the kind behind a reference to any type that the API serves, also to one that a user installed a moment ago. */
export interface KindResolver {
  /**
   * Group from `apiVersion` or `apiGroup`, kind by name; the version is the newest that the definition's label
   * `cluster.x-k8s.io/<contract>` names, else the one of the reference. undefined: no such type is served (yet).
   * @throws BLM_API_UNAVAILABLE when the definitions could not be read before everything ended.
   */
  resolve(ref: KindName): Promise<ResolvedKind | undefined>;
  /** Told when a type comes, changes its versions or labels, or goes. Returns the function that ends it. */
  listen(listener: (change: TypeChange) => void): () => void;
}

/** Kinds that are only known at run time, kept in the cache like those that controllers declare. */
export interface FollowedKinds {
  /**
   * Follow a kind from now on; resolves when its objects are in the cache. Costs nothing when it is followed already.
   * @throws what the API answers as long as the kind could never be listed; it is tried on.
   */
  follow(kind: KindRef): Promise<void>;
  /** Told of every change of every followed kind. */
  listen(listener: (object: KubeObject, gone: boolean) => void): () => void;
}
