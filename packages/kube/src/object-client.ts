import type { JsonObject, KindRef, KubeObject, ObjectKey } from '@bloomery/model';

/** Selectors and paging of a list or watch. `labels` and `fields` use the Kubernetes selector syntax. */
export interface ListOptions {
  readonly namespace?: string;
  readonly labels?: string;
  readonly fields?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
}

/** A list with the revision at which it was read; a watch may start there. */
export interface ObjectList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue?: string;
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface WatchOptions {
  readonly namespace?: string;
  readonly labels?: string;
  readonly fields?: string;
  /** Start after this revision; absent: synthetic ADDED for everything first. */
  readonly resourceVersion?: string;
  readonly signal: AbortSignal;
}

export type Subresource = 'status' | 'scale';

export interface WriteOptions {
  readonly subresource?: Subresource;
  readonly dryRun?: boolean;
  /** Who writes, for managedFields. */
  readonly fieldManager?: string;
}

/** How something is created. */
export interface CreateOptions extends WriteOptions {
  /** Create it below the object of its own name: the eviction of a Pod. Only the remote client does this. */
  readonly below?: 'eviction';
}

export type Patch =
  | { readonly type: 'merge'; readonly body: JsonObject }
  | { readonly type: 'json'; readonly body: readonly JsonObject[] }
  | { readonly type: 'apply'; readonly body: JsonObject; readonly force?: boolean };

export interface DeleteOptions {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly dryRun?: boolean;
}

/**
 * The Kubernetes API as every controller and command sees it. Two implementations: in process (embedded mode)
 * and remote over HTTPS (cluster mode, CLI); nothing else knows which.
 *
 * Refusals are BloomeryErrors: BLM_API_NOT_FOUND, BLM_API_CONFLICT, BLM_API_ALREADY_EXISTS, BLM_API_INVALID, BLM_API_EXPIRED …
 * with the Kubernetes Status object in `facts.status`. Returned objects are frozen or private copies: never mutate them.
 */
export interface ObjectClient {
  get<T extends KubeObject>(kind: KindRef<T>, key: ObjectKey): Promise<T>;
  list<T extends KubeObject>(kind: KindRef<T>, options?: ListOptions): Promise<ObjectList<T>>;
  /** Ends when the signal aborts or the server closes it; throws BLM_API_EXPIRED when the start is too old. */
  watch<T extends KubeObject>(kind: KindRef<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(kind: KindRef<T>, object: T, options?: CreateOptions): Promise<T>;
  /** Replace. With `metadata.resourceVersion` it is refused when stale (BLM_API_CONFLICT). */
  update<T extends KubeObject>(kind: KindRef<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(kind: KindRef<T>, key: ObjectKey, patch: Patch, options?: WriteOptions): Promise<T>;
  /** Resolves also when the object stays until its finalizers are gone. */
  delete<T extends KubeObject>(kind: KindRef<T>, key: ObjectKey, options?: DeleteOptions): Promise<void>;
}
