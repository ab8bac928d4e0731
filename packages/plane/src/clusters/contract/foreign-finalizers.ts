import type { KubeObject } from '@bloomery/model';
import type { Wait } from '../../allocation/wait.ts';

/** Finalizers of the garbage collector: it takes them away itself. */
const COLLECTOR: ReadonlySet<string> = new Set(['foregroundDeletion', 'orphan']);

/** What is said of an object of which everything is done, and which finalizers of others keep; undefined when none does. */
export function finalizerWait({ kind, metadata }: KubeObject, own: string): Wait | undefined {
  const others = (metadata.finalizers ?? []).filter((name) => name !== own && !COLLECTOR.has(name));
  if (others.length === 0) return undefined;
  const message = `everything of the ${kind} is gone; it stays until its finalizers ${others.join(', ')} are taken away by whoever set them`;
  return { reason: 'WaitingForFinalizers', message };
}
