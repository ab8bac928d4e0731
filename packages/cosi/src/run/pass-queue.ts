import type { Clock } from '@bloomery/ports';
import type { RetryTime } from './retry-time.ts';

/** Passes one after the other; however often one is asked for while another runs, it is one more. */
export interface PassQueue {
  readonly ask: () => void;
  /** As `ask`, for a change that a failed pass may have waited for. */
  readonly askEarly: () => void;
  /** Nothing runs, and nothing is about to run but by time. */
  readonly isIdle: () => boolean;
  /** No new passes. Resolves when the last one has ended. */
  readonly end: () => Promise<void>;
}

/** @param pass Never fails: it tells `retry` how it went. After a failure another one is asked for by itself. */
export function createPassQueue(clock: Clock, retry: RetryTime, pass: () => Promise<void>): PassQueue {
  let isAsked = false;
  let isScheduled = false;
  let isOver = false;
  let isRunning = false;
  /** A change came while a pass ran that may not have seen it. */
  let isStale = false;
  let last: Promise<void> = Promise.resolve();
  let cancelWait = (): void => {};

  const schedule = (): void => {
    if (!isAsked || isOver || isScheduled || isRunning) return;
    isScheduled = true;
    const waitMs = retry.waitMs();
    // Not at once: what else changes in this turn of the event loop belongs to the same pass.
    if (waitMs === 0) setImmediate(run);
    else cancelWait = clock.after(waitMs, run);
  };

  const run = (): void => {
    isScheduled = false;
    if (isOver) return;
    isAsked = false;
    // Before the pass begins: it may ask for the next one before it first waits.
    isRunning = true;
    isStale = false;
    last = pass().then(() => {
      isRunning = false;
      if (retry.failures() > 0) isAsked = true;
      if (isStale) retry.onChange();
      schedule();
    });
  };

  const ask = (): void => {
    isAsked = true;
    schedule();
  };

  return {
    ask,
    askEarly: () => {
      if (isRunning) isStale = true;
      else if (retry.onChange()) {
        cancelWait();
        isScheduled = false;
      }
      ask();
    },
    isIdle: () => !isRunning && !(isScheduled && retry.waitMs() === 0),
    end: async () => {
      isOver = true;
      cancelWait();
      await last;
    },
  };
}
