import type { KubeObject } from '@bloomery/model';

/** One Kubernetes Event to write. `message` carries no changing numbers, so that repeats fold into a count. */
export interface EventDraft {
  readonly type: 'Normal' | 'Warning';
  /** UpperCamelCase, from the reference (`WipeStarted`). */
  readonly reason: string;
  readonly message: string;
}

/**
 * Writes Kubernetes Events about objects; repeats raise count and lastTimestamp. Never throws and never blocks the caller:
 * failures are logged. Events of cluster-scoped objects live in namespace `default`.
 */
export interface EventRecorder {
  record(about: KubeObject, event: EventDraft): void;
}
