import { type BackOffBounds, backOffMs, fraction, type RandomBytes } from '@bloomery/ports';

/** How long to wait before the next try. */
export interface RetryDelay {
  /** Milliseconds, by backOffMs: longer with each call. */
  next(): number;
  /** After a success. */
  reset(): void;
}

/** Make a back-off that counts its failures itself. */
export function createRetryDelay(bounds: BackOffBounds, random: RandomBytes): RetryDelay {
  let failures = 0;
  return {
    next: () => backOffMs(++failures, bounds, () => fraction(random)),
    reset: () => {
      failures = 0;
    },
  };
}
