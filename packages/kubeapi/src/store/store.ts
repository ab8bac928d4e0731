import type { ApiObject } from '../api-object.ts';

/** Where an object lives. `resource` is `plural.group` (`plural` in the core group); `namespace` is '' for cluster scope. */
export interface ObjectId {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** One committed write. `object` of a delete is the last state with the deletion's resourceVersion. */
export interface Change {
  readonly rev: number;
  readonly type: 'put' | 'delete';
  readonly id: ObjectId;
  readonly object: ApiObject;
  readonly before: ApiObject | undefined;
}

/** Whether the store can write. Reads go on in any case. */
export type StoreHealth =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** Of the first failure, in milliseconds since the epoch. */
      readonly sinceMs: number;
      /** What failed and what to do. */
      readonly message: string;
    };

/**
 * All objects, with one revision counter over all of them. Reads come from memory. Writes are staged: those that come close
 * together are committed together (500 at a time), and their promises resolve when they are on disk.
 * Between `head` and `put`/`remove` a caller must not await: then no other writer can come between.
 */
export interface Store {
  /** Highest committed revision. */
  readonly revision: number;
  /** Watches and exact lists may start at this revision or later. */
  readonly compactRevision: number;
  /** The last commit failed, and none succeeded since: shown by /readyz. Tried again every few seconds, and by every write. */
  health(): StoreHealth;
  /** Committed state. */
  get(id: ObjectId): ApiObject | undefined;
  /** State including the writes staged in this turn: what a write must build on. */
  head(id: ObjectId): ApiObject | undefined;
  /** Committed objects of a resource in key order (namespace, then name), of one namespace or of all. */
  list(resource: string, namespace?: string): readonly ApiObject[];
  /** Objects as they were at `rev` (compactRevision ≤ rev ≤ revision), in key order. */
  listAt(resource: string, rev: number, namespace?: string): readonly ApiObject[];
  /** Resources that have at least one object. */
  resources(): readonly string[];
  /**
   * Stage a create or an update; `build` gets the resourceVersion that the object must carry.
   * @returns after the commit, the stored (frozen) object.
   */
  put(id: ObjectId, build: (resourceVersion: string) => ApiObject): Promise<ApiObject>;
  /** Stage a removal of an object that `head` knows; resolves to its last state with the deletion's resourceVersion. */
  remove(id: ObjectId, build: (resourceVersion: string) => ApiObject): Promise<ApiObject>;
  /** Resolves when everything staged so far is committed. */
  settled(): Promise<void>;
  /** Committed changes after `rev`, oldest first; `rev` must not be below compactRevision. */
  changesSince(rev: number): readonly Change[];
  /** Called with every committed batch, in order, synchronously after its commit. Must not throw. */
  subscribe(listener: (changes: readonly Change[]) => void): () => void;
  /** Commit what is staged and close the files. */
  close(): Promise<void>;
}

/** One string per object: sorts by namespace, then name. */
export function keyOfId(id: { readonly namespace: string; readonly name: string }): string {
  return `${id.namespace}\0${id.name}`;
}
