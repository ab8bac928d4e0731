import type { Resource } from './resource.ts';
import type { ResourceDefinition } from './resource-definition.ts';

/** Where, when it is not the definition's own namespace. */
export interface InNamespace {
  readonly namespace?: string;
}

/** Who writes, and what stands beside the spec. */
export interface WriteOptions extends InNamespace {
  /** Name of the writer. A resource with another owner is refused. */
  readonly owner?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface UpdateOptions extends WriteOptions {
  /** The version that the change was made from. */
  readonly version: number;
  /** Refused in another phase. `running` unless given; `any` for finalizers. */
  readonly expectedPhase?: 'running' | 'tearingDown' | 'any';
}

/** What happened to a resource. `bookmark` is where to go on from; what a watch tells of the time before it has none. */
export type ChangeEvent<S = unknown> =
  | { readonly type: 'created'; readonly resource: Resource<S>; readonly bookmark: bigint | undefined }
  | {
      readonly type: 'updated';
      readonly resource: Resource<S>;
      readonly old: Resource<S>;
      readonly bookmark: bigint | undefined;
    }
  /** The last state of what is gone. */
  | { readonly type: 'destroyed'; readonly resource: Resource<S>; readonly bookmark: bigint | undefined };

/** What a watcher sees, in order. */
export type StateEvent<S = unknown> =
  | ChangeEvent<S>
  /** There is none of this id, told once at the start of a watch of it. */
  | { readonly type: 'absent'; readonly id: string }
  /** Everything that was there before has been told. */
  | { readonly type: 'bootstrapped'; readonly bookmark: bigint }
  /** The watcher was too slow for the bounded history: it must watch anew. Nothing comes after it. */
  | { readonly type: 'errored'; readonly message: string };

export interface WatchOptions extends InNamespace {
  /** Only this resource; its present state, or `absent`, comes first, unless it begins in the history. */
  readonly id?: string;
  /** Everything that is there first, then `bootstrapped`. Not with an id. */
  readonly bootstrap?: boolean;
  /** Begin with the last so many events of the history. */
  readonly tailEvents?: number;
  /** Begin after this event; -1 is before the first. @throws BLM_COSI_BOOKMARK when the history no longer reaches there */
  readonly fromBookmark?: bigint;
}

/** A place in the events of one kind, to take them from at one's own pace. Nothing is kept for it but the shared history. */
export interface Follower<S = unknown> extends Disposable {
  /** Bookmark of the last event before it began. */
  readonly begin: bigint;
  /** What is new, in order, at most `limit` events. An `errored` event is the last. */
  take(limit: number): readonly StateEvent<S>[];
  /** Resolves when `take` has something, or when it is disposed. One caller at a time. */
  ready(): Promise<void>;
}

/**
 * Resources in memory with optimistic concurrency. Everything is synchronous: what was read holds until the next `await`.
 * Errors are BloomeryErrors: BLM_COSI_NOT_FOUND, BLM_COSI_EXISTS, BLM_COSI_OWNER, BLM_COSI_CONFLICT (version, or finalizers are
 * left), BLM_COSI_PHASE, BLM_COSI_UNKNOWN_TYPE (not registered), BLM_COSI_BOOKMARK.
 */
export interface State {
  /** Serve a type; its ResourceDefinition and namespace appear among the resources. Twice the same is nothing. */
  register(definition: ResourceDefinition): void;
  /** Make a namespace known in which nothing has its default place. Those of definitions and of resources are known. */
  registerNamespace(namespace: string): void;
  /** Undefined when it is not registered. */
  definitionOf(type: string): ResourceDefinition | undefined;
  hasNamespace(namespace: string): boolean;
  get<S>(definition: ResourceDefinition<S>, id: string, options?: InNamespace): Resource<S> | undefined;
  /** In the order of their ids. */
  list<S>(definition: ResourceDefinition<S>, options?: InNamespace): readonly Resource<S>[];
  create<S>(definition: ResourceDefinition<S>, id: string, spec: S, options?: WriteOptions): Resource<S>;
  /** Nothing is written, and no version counted, when neither spec nor metadata change. Labels and annotations stay unless given. */
  update<S>(definition: ResourceDefinition<S>, id: string, spec: S, options: UpdateOptions): Resource<S>;
  /** Begin its end. @returns whether nobody holds a finalizer on it, so that it can be destroyed */
  teardown<S>(definition: ResourceDefinition<S>, id: string, options?: WriteOptions): boolean;
  destroy<S>(definition: ResourceDefinition<S>, id: string, options?: WriteOptions): void;
  /** Refused while it is tearing down. */
  addFinalizer<S>(definition: ResourceDefinition<S>, id: string, finalizer: string, options?: InNamespace): void;
  removeFinalizer<S>(definition: ResourceDefinition<S>, id: string, finalizer: string, options?: InNamespace): void;
  /** Events in order, told synchronously after each write. Returns the function that ends it. */
  watch<S>(
    definition: ResourceDefinition<S>,
    options: WatchOptions,
    listener: (event: StateEvent<S>) => void,
  ): () => void;
  /** The same for one who is slower than the writers, such as a connection. */
  follow<S>(definition: ResourceDefinition<S>, options: WatchOptions): Follower<S>;
  /** Every change of any kind from now on. Returns the function that ends it. */
  observe(listener: (event: ChangeEvent) => void): () => void;
}
