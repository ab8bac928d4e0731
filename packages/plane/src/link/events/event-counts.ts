import { MACHINE_EVENT_TYPES, type MachineEventType } from '@bloomery/siderolink';

/** Why an event was not taken. */
export const EVENT_REFUSALS = ['no_data', 'undecodable', 'unknown_source', 'not_stored'] as const;

/** One of EVENT_REFUSALS. */
export type EventRefusal = (typeof EVENT_REFUSALS)[number];

/** What the sink of machine events has counted since it started. Labels are bounded: the types we know and `other`. */
export interface EventCounts {
  /** Events that could be read, by short type name; also those that were repeated or not stored. */
  readonly received: Readonly<Record<MachineEventType | 'other', number>>;
  readonly refused: Readonly<Record<EventRefusal, number>>;
  /** Events that came again and changed nothing. */
  readonly repeated: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** EventCounts that can be counted up. */
export interface WritableEventCounts extends EventCounts {
  readonly received: Writable<EventCounts['received']>;
  readonly refused: Writable<EventCounts['refused']>;
  repeated: number;
}

/** Counters at zero. */
export function createEventCounts(): WritableEventCounts {
  return {
    received: zeros([...MACHINE_EVENT_TYPES, 'other']),
    refused: zeros(EVENT_REFUSALS),
    repeated: 0,
  };
}

function zeros<K extends string>(names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
}
