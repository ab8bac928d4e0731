import type { Clock, Logger } from '@bloomery/ports';
import type { Resource } from './resource.ts';
import type { ResourceDefinition } from './resource-definition.ts';
import type { InNamespace } from './state.ts';

/**
 * What a controller reads. `weak`: wakes it at each change. `strong`: likewise, and it may hold finalizers there.
 * `destroyReady`: wakes it when one of its own is tearing down and nobody holds a finalizer on it any more.
 */
export interface Input {
  readonly definition: ResourceDefinition;
  readonly namespace?: string;
  readonly id?: string;
  readonly kind: 'weak' | 'strong' | 'destroyReady';
}

/** What a controller writes. `exclusive`: no other controller writes this type. `shared`: each owns resources of its own. */
export interface Output {
  readonly definition: ResourceDefinition;
  readonly kind: 'exclusive' | 'shared';
}

/** Something outside of the state that a controller looks at: the kernel, a socket, a file. */
export interface WakeSource {
  /** Call `wake` at each change; calls are rate-limited (10/s, burst 5) and coalesced. Returns the function that ends it. */
  readonly listen: (wake: () => void) => () => void;
}

/** Outputs of one pass: what was not put in it is torn down and destroyed at `finish`. */
export interface TrackedOutputs<S> {
  put(id: string, spec: S, options?: PutOptions): Resource<S>;
  /** Destroys what is owned and was not put; what others hold finalizers on is left tearing down, and looked at again. */
  finish(): void;
}

export interface PutOptions extends InNamespace {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What a controller works with in one pass. Reading an undeclared input or writing an undeclared output is an error. */
export interface ReconcileContext {
  readonly log: Logger;
  readonly clock: Clock;
  /** Aborts when the daemon stops. */
  readonly signal: AbortSignal;
  get<S>(definition: ResourceDefinition<S>, id: string, options?: InNamespace): Resource<S> | undefined;
  list<S>(definition: ResourceDefinition<S>, options?: InNamespace): readonly Resource<S>[];
  /** Create or update a resource of our own. Nothing is written when nothing changes. */
  put<S>(definition: ResourceDefinition<S>, id: string, spec: S, options?: PutOptions): Resource<S>;
  /** Tear down one of our own, and destroy it if nobody holds it. @returns whether it is gone */
  remove<S>(definition: ResourceDefinition<S>, id: string, options?: InNamespace): boolean;
  /** Of strong inputs; the controller's name is the finalizer. */
  hold<S>(definition: ResourceDefinition<S>, id: string, options?: InNamespace): void;
  release<S>(definition: ResourceDefinition<S>, id: string, options?: InNamespace): void;
  /** Begin tracking the outputs of this pass of one type and namespace. */
  outputs<S>(definition: ResourceDefinition<S>, options?: InNamespace): TrackedOutputs<S>;
  /** Another pass after this time, beside those that changes cause. */
  wakeAfter(delayMs: number): void;
}

/**
 * A controller, as data. `reconcile` is one pass: it reads its inputs and brings its outputs (and what it looks after outside)
 * to where they belong. Never called concurrently with itself; once at the start, then after changes of inputs and wake-ups, at most
 * one of which is pending. What it throws is logged and tried again after a growing time (0.5 s × 1.5 … 60 s), which a pass that
 * ends well resets. It must converge from any state.
 */
export interface Controller {
  /** As upstream names them: `network.LinkConfigController`. */
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  readonly wakes?: readonly WakeSource[];
  readonly reconcile: (context: ReconcileContext) => Promise<void> | void;
  /** Called once when the daemon stops, after the last pass. */
  readonly stop?: () => Promise<void>;
}
