import type { Clock } from './clock.ts';

/** What Node's timers take: a longer delay fires at once, so it is waited for in parts. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The real clock: for composition roots and the command line. Timers of `after` never keep the process alive. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, callback) => startTimer(delayMs, callback, (timer) => timer.unref()),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = startTimer(delayMs, done);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

/** @returns the function that stops it. */
function startTimer(
  delayMs: number,
  callback: () => void,
  prepare: (timer: NodeJS.Timeout) => void = () => {},
): () => void {
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number): void => {
    const partMs = Math.min(leftMs, MAX_TIMER_MS);
    timer = setTimeout(() => (leftMs > partMs ? wait(leftMs - partMs) : callback()), partMs);
    prepare(timer);
  };
  wait(delayMs);
  return () => clearTimeout(timer);
}
