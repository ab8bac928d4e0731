import type { Clock } from '@bloomery/ports';

/** What the process uses. */
export interface ProcessUse {
  readonly rssBytes: number;
  /** CPU time since its start. */
  readonly cpuMs: number;
}

export interface SpareMemoryDeps {
  readonly clock: Clock;
  readonly measure: () => ProcessUse;
  /** Give back what only the start has used; never rejects. */
  readonly afterStart: () => Promise<void>;
  /** Give back what a rush has left behind; never rejects. It may take a tenth of a second of a processor. */
  readonly afterRush: () => Promise<void>;
}

/** What a start does after the daemon is ready (first looks at everything, first leases) is over by then. */
const SETTLED_MS = 1_000;
const LOOK_EVERY_MS = 30_000;
/** It rests when it used less of a processor than this since the last look. */
const RESTS_BELOW = 0.05;
/** What a rush must have left behind to be worth the time. */
const WORTH_BYTES = 16 << 20;

/** Give memory back after the start, and after each rush: when the process rests again and holds noticeably more than it did at least. */
export function spareMemory({ clock, measure, afterStart, afterRush }: SpareMemoryDeps): Disposable {
  let last = measure();
  /** Undefined until it has rested once: a part of what was given back is soon used again. */
  let leastBytes: number | undefined;
  let ended = false;
  let cancel = (): void => {};
  const giveBack = async (release: () => Promise<void>): Promise<void> => {
    await release();
    last = measure();
    leastBytes = undefined;
    again();
  };
  const look = (): void => {
    const now = measure();
    const rests = now.cpuMs - last.cpuMs < RESTS_BELOW * LOOK_EVERY_MS;
    last = now;
    // In a rush that began at once nothing is known of how little it needs.
    leastBytes = Math.min(leastBytes ?? (rests ? now.rssBytes : 0), now.rssBytes);
    if (rests && now.rssBytes - leastBytes >= WORTH_BYTES) void giveBack(afterRush);
    else again();
  };
  const again = (): void => {
    if (!ended) cancel = clock.after(LOOK_EVERY_MS, look);
  };
  cancel = clock.after(SETTLED_MS, () => void giveBack(afterStart));
  return {
    [Symbol.dispose]: () => {
      ended = true;
      cancel();
    },
  };
}
