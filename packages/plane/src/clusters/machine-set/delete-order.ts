import { findCondition } from '@bloomery/kube';
import type { Machine } from '@bloomery/model';
import { ANNOTATIONS } from '@bloomery/model';

export type DeletePolicy = 'Random' | 'Newest' | 'Oldest';

const TEN_DAYS_MS = 864_000_000;

/**
 * How much a Machine is to go when there are too many; the highest goes first. 100: it is going already; 75: a user marked it;
 * 50: it is unhealthy; else by policy 0 to 50: by age, or the same for all. spec/cluster.md §8.
 */
export function deletePriority(machine: Machine, policy: DeletePolicy, nowMs: number): number {
  const { deletionTimestamp, annotations, creationTimestamp } = machine.metadata;
  if (deletionTimestamp !== undefined) return 100;
  if (annotations?.[ANNOTATIONS.deleteMachine] !== undefined) return 75;
  if (!isHealthy(machine)) return 50;
  if (policy === 'Random') return 20;
  const ageMs = creationTimestamp === undefined ? 0 : Math.max(0, nowMs - Date.parse(creationTimestamp));
  const oldest = 50 * (1 - Math.exp(-ageMs / TEN_DAYS_MS));
  return policy === 'Oldest' ? oldest : 50 - oldest;
}

/** The Machines that go when `count` are too many: by priority, then by name. */
export function machinesToDelete(
  machines: readonly Machine[],
  count: number,
  policy: DeletePolicy,
  nowMs: number,
): readonly Machine[] {
  const ranked = machines.map((machine) => ({ machine, rank: deletePriority(machine, policy, nowMs) }));
  ranked.sort((a, b) => b.rank - a.rank || (a.machine.metadata.name < b.machine.metadata.name ? -1 : 1));
  return ranked.slice(0, Math.max(0, count)).map(({ machine }) => machine);
}

/** Has a Node, and nothing says that it failed. What is unknown does not count against it. */
function isHealthy({ status }: Machine): boolean {
  if (!status?.nodeRef?.name || status.failureReason !== undefined || status.failureMessage !== undefined) return false;
  return ['NodeHealthy', 'HealthCheckSucceeded'].every(
    (type) => findCondition(status.conditions, type)?.status !== 'False',
  );
}
