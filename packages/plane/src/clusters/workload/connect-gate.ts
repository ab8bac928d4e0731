import type { Clock } from '@bloomery/ports';

/** Lets a bounded number of attempts to connect begin at a time; further ones wait in order. */
export interface ConnectGate {
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** An attempt that takes longer hangs: it goes on, but no living cluster waits behind it. */
const HOLD_MS = 1000;

/** @param max attempts at a time */
export function createConnectGate(max: number, clock: Pick<Clock, 'after'>): ConnectGate {
  let running = 0;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  };
  return {
    async run(work) {
      // Who waited takes over the place of who left: nobody can slip in between.
      if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve));
      else running++;
      let isHeld = true;
      const leave = (): void => {
        if (isHeld) release();
        isHeld = false;
      };
      const cancel = clock.after(HOLD_MS, leave);
      try {
        return await work();
      } finally {
        cancel();
        leave();
      }
    },
  };
}
