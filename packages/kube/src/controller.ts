import type { KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import type { Clock, Logger } from '@bloomery/ports';
import type { EventRecorder } from './event-recorder.ts';
import type { ObjectCache } from './object-cache.ts';
import type { ObjectClient } from './object-client.ts';

/** When to look again without a change being seen. Absent: only on the next change. */
export interface Requeue {
  readonly afterMs?: number;
}

/** What a reconciler works with: all I/O of a controller goes through this. */
export interface ReconcileContext {
  readonly client: ObjectClient;
  /** Synchronous reads; may be a moment behind. Read through `client` before anything irreversible. */
  readonly cache: ObjectCache;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A further kind whose changes concern objects of the controller's own kind. */
export interface WatchSource<T extends KubeObject = KubeObject> {
  readonly kind: KindRef<T>;
  /** Keys of the controller's own kind to look at when `object` (the kind watched here) changed or went. */
  readonly map: (object: T, cache: ObjectCache) => readonly ObjectKey[];
}

/** Build a WatchSource with the object type inferred from the kind. */
export function watchSource<T extends KubeObject>(kind: KindRef<T>, map: WatchSource<T>['map']): WatchSource {
  return { kind, map: map as WatchSource['map'] };
}

/**
 * Wakes keys of a controller for a reason that is no change of a kind it watches: an object of a kind that is only known at
 * run time, a Node of a workload cluster, an event of a machine.
 */
export interface WakeSource {
  /** Call `wake` with a key of the controller's own kind whenever it should look again. Returns the function that ends it. */
  listen(wake: (key: ObjectKey) => void): () => void;
}

/**
 * A level-triggered controller, as data. `reconcile` is called with the key of an object that changed, was asked for
 * again, or failed before; never concurrently for one key. It must converge from any state.
 * A thrown error is retried with exponential back-off (1 s … 60 s, jitter; a conflict sooner); a BloomeryError with
 * retryable=false that is not a refusal of the API (BLM_API_*) parks the key until the object changes.
 */
export interface Controller<T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly kind: KindRef<T>;
  readonly watches: readonly WatchSource[];
  readonly wakes?: readonly WakeSource[];
  /** Outputs: `Kind.path` that only this controller writes (`Server.status.power`). Registration refuses a second writer. */
  readonly writes: readonly string[];
  /** Keys worked on at the same time; 4 unless given. */
  readonly concurrency?: number;
  readonly reconcile: (key: ObjectKey, context: ReconcileContext) => Promise<Requeue>;
}
