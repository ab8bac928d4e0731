import type { DropReason } from './object-scanner.ts';

/** Why something that a machine sent did not become a line. */
export const LOG_DROPS = ['malformed', 'too_large', 'incomplete', 'no_memory', 'rate'] as const satisfies readonly (
  | DropReason
  | 'rate'
)[];

/** One of LOG_DROPS. */
export type LogDrop = (typeof LOG_DROPS)[number];

/** What the receiver of kernel logs has counted since it started. */
export interface LogCounts {
  /** Lines taken, also those of senders that are no machine of ours. */
  readonly lines: number;
  readonly dropped: Readonly<Record<LogDrop, number>>;
  readonly connections: number;
  /** Connections closed because there were too many. */
  readonly refusedConnections: number;
}

/** LogCounts that can be counted up. */
export interface WritableLogCounts {
  lines: number;
  readonly dropped: Record<LogDrop, number>;
  connections: number;
  refusedConnections: number;
}

/** Counters at zero. */
export function createLogCounts(): WritableLogCounts {
  const dropped = { malformed: 0, too_large: 0, incomplete: 0, no_memory: 0, rate: 0 };
  return { lines: 0, dropped, connections: 0, refusedConnections: 0 };
}
