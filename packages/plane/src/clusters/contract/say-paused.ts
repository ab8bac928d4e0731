import type { ReconcileContext } from '@bloomery/kube';
import { findCondition, patchStatus } from '@bloomery/kube';
import type { Condition, KindRef, KubeObject } from '@bloomery/model';
import { keyOf } from '@bloomery/model';
import { waitingFor } from '../../allocation/wait.ts';

/**
 * Say on an object that it is left alone because it or its Cluster is paused, with an Event when that is new. The rest of its
 * status stays as it was; whoever goes on takes the condition Paused away.
 */
export async function sayPaused<
  T extends KubeObject & { readonly status?: { readonly conditions?: readonly Condition[] } },
>(context: ReconcileContext, kind: KindRef<T>, found: T): Promise<void> {
  const message = `nothing is done for the ${kind.kind}; unpause it or its Cluster to go on`;
  await patchStatus(context, kind, keyOf(found), () => ({
    waitingFor: waitingFor({ reason: 'Paused', message }),
    conditions: [{ type: 'Paused', status: 'True', reason: 'Paused', message }],
  }));
  if (findCondition(found.status?.conditions, 'Paused') !== undefined) return;
  context.events.record(found, { type: 'Normal', reason: 'Paused', message });
}
