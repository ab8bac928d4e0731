import { findCondition } from '@bloomery/kube';
import type { Machine } from '@bloomery/model';

/** Since when the Machine's Node has been ready; undefined while it is not, or the Machine is being deleted. */
export function readySinceMs({ metadata, status }: Machine): number | undefined {
  if (metadata.deletionTimestamp !== undefined || !status?.nodeRef?.name) return undefined;
  const healthy = findCondition(status.conditions, 'NodeHealthy');
  return healthy?.status === 'True' ? Date.parse(healthy.lastTransitionTime) : undefined;
}

/** How Machines count that have been ready for `minReadySeconds`, and when the next one will have been. */
export function countReady(
  machines: readonly Machine[],
  minReadySeconds: number,
  nowMs: number,
): { readonly ready: number; readonly available: number; readonly nextMs: number | undefined } {
  const since = machines.map(readySinceMs).filter((ms) => ms !== undefined);
  const due = since.map((ms) => ms + minReadySeconds * 1000 - nowMs);
  const later = due.filter((ms) => ms > 0);
  return {
    ready: since.length,
    available: due.length - later.length,
    nextMs: later.length === 0 ? undefined : Math.min(...later),
  };
}

/** A MachineHealthCheck wants the owner to replace this Machine, and nobody has begun to. */
export function awaitsRemediation({ metadata, status }: Machine): boolean {
  return metadata.deletionTimestamp === undefined && isMarkedUnhealthy(status);
}

/** A MachineHealthCheck marked this Machine to be replaced. */
export function isMarkedUnhealthy(status: Machine['status']): boolean {
  return ['HealthCheckSucceeded', 'OwnerRemediated'].every(
    (type) => findCondition(status?.conditions, type)?.status === 'False',
  );
}
