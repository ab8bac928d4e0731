/** `tearingDown`: about to be destroyed, as soon as nobody holds a finalizer on it. */
export type Phase = 'running' | 'tearingDown';

/** What the state knows of a resource beside its spec. */
export interface Metadata {
  readonly namespace: string;
  /** CamelCase plural and suffix: `LinkStatuses.net.talos.dev`. */
  readonly type: string;
  readonly id: string;
  /** 1 when created, one more with each write. */
  readonly version: number;
  /** Name of the controller that may write it; empty: nobody in particular. */
  readonly owner: string;
  readonly phase: Phase;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** In no order that matters. */
  readonly finalizers: readonly string[];
}

/** A resource as it stood at one version. Never changed in place. */
export interface Resource<S = unknown> {
  readonly metadata: Metadata;
  readonly spec: S;
}
