import type { ReconcileContext } from '@bloomery/kube';
import { findCondition, patchStatus } from '@bloomery/kube';
import type { Condition, KindRef, KubeObject } from '@bloomery/model';
import { keyOf } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { Wait } from '../../allocation/wait.ts';
import { waitCondition, waitEvent, waitingFor } from '../../allocation/wait.ts';

/** Lost races are no failures, what is gone by now is looked at again anyway, and dead workload APIs are said elsewhere. */
const PASSING: ReadonlySet<string> = new Set(['BLM_API_CONFLICT', 'BLM_API_NOT_FOUND', 'BLM_WORKLOAD_UNREACHABLE']);

/** What is said of a failure; undefined where it passes by itself. */
export function failureWait(error: unknown): Wait | undefined {
  if (!isBloomeryError(error) || PASSING.has(error.code)) return undefined;
  return { reason: 'StepRefused', message: error.message, event: 'a step failed; the condition Ready says why' };
}

/**
 * Run a reconcile. What it fails with is said on the object before it is thrown on, to be tried again: a webhook that refuses, a
 * conversion that is down or a lost permission would otherwise hold the object up in silence.
 */
export async function sayingFailures<
  T extends KubeObject & { readonly status?: { readonly conditions?: readonly Condition[] } },
  R,
>(context: ReconcileContext, kind: KindRef<T>, found: T, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    const wait = failureWait(error);
    if (wait === undefined || context.signal.aborted) throw error;
    await patchStatus(context, kind, keyOf(found), () => ({
      waitingFor: waitingFor(wait),
      conditions: [waitCondition(wait)],
    })).catch((other) => {
      if (!isBloomeryError(other)) throw other;
    });
    const had = findCondition(found.status?.conditions, 'Ready');
    const event = waitEvent(had === undefined ? [] : [had], wait);
    if (event !== undefined) context.events.record(found, event);
    throw error;
  }
}
