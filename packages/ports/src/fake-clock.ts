import type { Clock } from './clock.ts';

interface Timer {
  readonly at: number;
  readonly seq: number;
  readonly run: () => void;
}

/** A clock for tests: time moves only when `advance` is called. */
export interface FakeClock extends Clock {
  /** Moves time forward, running due timers in order; lets promise callbacks run between timers. */
  advance(byMs: number): Promise<void>;
}

/** Makes a FakeClock that starts at `startMs`. */
export function createFakeClock(startMs = 0): FakeClock {
  let now = startMs;
  let seq = 0;
  let timers: Timer[] = [];
  const after = (delayMs: number, run: () => void): (() => void) => {
    const timer: Timer = { at: now + Math.max(0, delayMs), seq: seq++, run };
    timers.push(timer);
    return () => {
      timers = timers.filter((t) => t !== timer);
    };
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    nowMs: () => now,
    after,
    sleep: (delayMs, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const cancel = after(delayMs, resolve);
        const stop = (): void => {
          cancel();
          resolve();
        };
        signal?.addEventListener('abort', stop, { once: true });
      }),
    async advance(byMs) {
      const end = now + byMs;
      await settle();
      for (;;) {
        const next = timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at || a.seq - b.seq)[0];
        if (next === undefined) break;
        timers = timers.filter((t) => t !== next);
        now = next.at;
        next.run();
        await settle();
      }
      now = end;
    },
  };
}
