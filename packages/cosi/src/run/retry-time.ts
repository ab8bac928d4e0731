import type { Clock } from '@bloomery/ports';

const FIRST_MS = 500;
const FACTOR = 1.5;
const JITTER = 0.5;
const MAX_MS = 60_000;

/** When a pass may run. */
export interface RetryTime {
  /** 0: now. */
  readonly waitMs: () => number;
  /** Failures in a row. */
  readonly failures: () => number;
  readonly onSuccess: () => void;
  /** @returns how long to wait: 0.5 s, then half as long again each time, at most a minute, spread by half of it both ways */
  readonly onFailure: () => number;
  /**
   * What a failed pass may have waited for has come: do not sit out a long back-off. Where each pass causes the next change, and fails,
   * these waits grow like the others.
   *
   * @returns whether it may run earlier than before
   */
  readonly onChange: () => boolean;
}

/** Nothing has failed yet. */
export function createRetryTime(clock: Clock, random: () => number): RetryTime {
  let failures = 0;
  let mayRunAtMs = 0;
  /** Whether a change cut the present wait short, and how often in a row that led to a failure again. */
  let isEarly = false;
  let earlyFailures = 0;
  return {
    waitMs: () => Math.max(0, mayRunAtMs - clock.nowMs()),
    failures: () => failures,
    onSuccess: () => {
      failures = 0;
      earlyFailures = 0;
      isEarly = false;
      mayRunAtMs = 0;
    },
    onFailure: () => {
      failures += 1;
      earlyFailures = isEarly ? earlyFailures + 1 : 0;
      isEarly = false;
      const retryMs = Math.round(growingMs(failures) * (1 - JITTER + 2 * JITTER * random()));
      mayRunAtMs = clock.nowMs() + retryMs;
      return retryMs;
    },
    onChange: () => {
      const soonMs = clock.nowMs() + growingMs(earlyFailures + 1);
      if (mayRunAtMs <= soonMs) return false;
      mayRunAtMs = soonMs;
      isEarly = true;
      return true;
    },
  };
}

function growingMs(failures: number): number {
  return Math.min(MAX_MS, FIRST_MS * FACTOR ** Math.min(failures - 1, 30));
}
