import type { Clock } from '@bloomery/ports';

/** How often something may happen: `burst` at once, and `perSecond` in the long run. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Calls at a bounded rate. A call that comes too early happens as soon as it may; more of them meanwhile are one. */
export interface RateLimited extends Disposable {
  readonly call: () => void;
}

/** `run` at this rate (a token bucket). */
export function rateLimited(clock: Clock, { perSecond, burst }: Rate, run: () => void): RateLimited {
  const everyMs = 1000 / perSecond;
  let tokens = burst;
  let countedAtMs = clock.nowMs();
  let cancel: (() => void) | undefined;

  const refill = (): void => {
    const now = clock.nowMs();
    tokens = Math.min(burst, tokens + Math.max(0, now - countedAtMs) / everyMs);
    countedAtMs = now;
  };
  const spend = (): void => {
    tokens -= 1;
    run();
  };

  return {
    call: () => {
      if (cancel !== undefined) return;
      refill();
      if (tokens >= 1) return spend();
      cancel = clock.after(Math.ceil((1 - tokens) * everyMs), () => {
        cancel = undefined;
        refill();
        spend();
      });
    },
    [Symbol.dispose]: () => {
      cancel?.();
      cancel = undefined;
    },
  };
}
