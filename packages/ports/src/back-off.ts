import type { RandomBytes } from './clock.ts';

/** Bounds of an exponential back-off. */
export interface BackOffBounds {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait after the `failures`-th failure in a row (from 1): doubling from `firstMs` to `maxMs`,
 * then between half and all of it by `random` (0 ≤ r < 1), so that many failures do not come back together.
 */
export function backOffMs(failures: number, bounds: BackOffBounds, random: () => number): number {
  const full = Math.min(bounds.maxMs, bounds.firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return Math.round(full * (0.5 + random() / 2));
}

/** A number from 0 to below 1 out of random bytes: what backOffMs wants. */
export function fraction(random: RandomBytes): number {
  return random(4).reduce((sum, byte) => (sum + byte) / 256, 0);
}
