import type { ChangeEvent } from '../state.ts';

/** Events that are kept of one namespace and type. */
export const HISTORY_MAX = 1024;

/** The newest events of one kind, numbered from 0. It grows to its bound and then forgets the oldest. */
export interface History {
  /** The number of the next event. */
  readonly end: () => number;
  /** The number of the oldest event that is kept; `end` when there is none. */
  readonly start: () => number;
  readonly append: (event: ChangeEvent) => void;
  /** @returns undefined when it is not kept */
  readonly at: (position: number) => ChangeEvent | undefined;
}

/** An empty history of at most `max` events. */
export function createHistory(max = HISTORY_MAX): History {
  const ring: ChangeEvent[] = [];
  let end = 0;
  const start = (): number => Math.max(0, end - max);
  return {
    end: () => end,
    start,
    append: (event) => {
      ring[end % max] = event;
      end += 1;
    },
    at: (position) => (position >= start() && position < end ? ring[position % max] : undefined),
  };
}
