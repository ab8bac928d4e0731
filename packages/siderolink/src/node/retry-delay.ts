import type { RandomBytes } from '@bloomery/ports';

/** How long to wait before the next try. */
export interface RetryDelay {
  /** Milliseconds: grows by half with each call, spread by ±25 % so that many machines do not come at once. */
  next(): number;
  /** After a success. */
  reset(): void;
}

/** Bounds of a delay, before the spread. */
export interface RetryBounds {
  readonly firstMs: number;
  readonly maxMs: number;
}

const GROWTH = 1.5;
const SPREAD = 0.25;

/** Make an exponential back-off. */
export function createRetryDelay({ firstMs, maxMs }: RetryBounds, random: RandomBytes): RetryDelay {
  let delayMs = firstMs;
  return {
    next: () => {
      const spread = 1 + SPREAD * (2 * fraction(random) - 1);
      const now = delayMs * spread;
      delayMs = Math.min(maxMs, delayMs * GROWTH);
      return now;
    },
    reset: () => {
      delayMs = firstMs;
    },
  };
}

/** A number from 0 to below 1. */
export function fraction(random: RandomBytes): number {
  return random(4).reduce((sum, byte) => (sum + byte) / 256, 0);
}
