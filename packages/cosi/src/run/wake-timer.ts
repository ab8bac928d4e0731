import type { Clock } from '@bloomery/ports';

/** Wakes once, at the earliest time that was asked for. */
export interface WakeTimer {
  readonly after: (delayMs: number) => void;
  readonly clear: () => void;
}

/** Not set. */
export function createWakeTimer(clock: Clock, wake: () => void): WakeTimer {
  let atMs = Number.POSITIVE_INFINITY;
  let cancel = (): void => {};
  const clear = (): void => {
    cancel();
    atMs = Number.POSITIVE_INFINITY;
  };
  return {
    clear,
    after: (delayMs) => {
      const nextMs = clock.nowMs() + delayMs;
      if (nextMs >= atMs) return;
      clear();
      atMs = nextMs;
      cancel = clock.after(delayMs, () => {
        clear();
        wake();
      });
    },
  };
}
