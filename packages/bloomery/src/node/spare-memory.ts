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
  /** Give back what can be spared; never rejects. */
  readonly release: () => Promise<void>;
}

const LOOK_EVERY_MS = 30_000;
/** It rests when it used less of a processor than this since the last look. */
const RESTS_BELOW = 0.05;
/** What a rush must have left behind to be worth the time. */
const WORTH_BYTES = 16 << 20;

/** Give memory back after a rush, when the process rests again and holds noticeably more than it did after the last time. */
export function spareMemory({ clock, measure, release }: SpareMemoryDeps): Disposable {
  let last = measure();
  let leastBytes = last.rssBytes;
  const look = async (): Promise<void> => {
    const now = measure();
    const rests = now.cpuMs - last.cpuMs < RESTS_BELOW * LOOK_EVERY_MS;
    last = now;
    leastBytes = Math.min(leastBytes, now.rssBytes);
    if (rests && now.rssBytes - leastBytes >= WORTH_BYTES) {
      await release();
      last = measure();
      leastBytes = last.rssBytes;
    }
    again();
  };
  let cancel = (): void => {};
  let ended = false;
  const again = (): void => {
    if (!ended) cancel = clock.after(LOOK_EVERY_MS, () => void look());
  };
  again();
  return {
    [Symbol.dispose]: () => {
      ended = true;
      cancel();
    },
  };
}
