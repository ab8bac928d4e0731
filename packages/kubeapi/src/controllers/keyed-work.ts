import { BloomeryError, type Clock, errorText, type Logger } from '@bloomery/ports';

/** Runs pieces of work: those of one key one after the other, never two that wait; of different keys side by side. */
export interface KeyedWork {
  /** Work for a key that waits already replaces it; work for a key that runs comes after it. */
  add(key: string, work: () => Promise<void>): void;
  /** Resolves when nothing waits or runs. Work that failed and will be tried again later does not count. */
  idle(): Promise<void>;
  stop(): void;
}

/** Pieces that run side by side: their writes share a commit. */
const WIDTH = 64;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 5 * 60_000;

/** Make a queue of its own. What fails is logged; where trying again can help, it is tried again with growing pauses. */
export function createKeyedWork(log: Logger, clock: Clock): KeyedWork {
  const waiting = new Map<string, () => Promise<void>>();
  const running = new Set<string>();
  const failures = new Map<string, number>();
  let idlers: (() => void)[] = [];
  let stopped = false;

  function start(): void {
    for (const [key, work] of waiting) {
      if (running.size >= WIDTH) return;
      if (running.has(key)) continue;
      waiting.delete(key);
      running.add(key);
      void run(key, work);
    }
    if (running.size > 0) return;
    for (const resolve of idlers) resolve();
    idlers = [];
  }

  async function run(key: string, work: () => Promise<void>): Promise<void> {
    try {
      // Not in the turn of the commit that asked for it: its listeners come first.
      await Promise.resolve();
      await work();
      failures.delete(key);
    } catch (error) {
      const failed = (failures.get(key) ?? 0) + 1;
      log.warn('api.housekeeping-failed', { work: key, failed, error: errorText(error) });
      if (error instanceof BloomeryError && error.retryable && !stopped) {
        failures.set(key, failed);
        clock.after(Math.min(FIRST_RETRY_MS * 2 ** (failed - 1), LAST_RETRY_MS), () => add(key, work));
      } else failures.delete(key);
    }
    running.delete(key);
    start();
  }

  function add(key: string, work: () => Promise<void>): void {
    if (stopped) return;
    waiting.set(key, work);
    start();
  }

  return {
    add,
    idle() {
      if (waiting.size === 0 && running.size === 0) return Promise.resolve();
      return new Promise((resolve) => idlers.push(resolve));
    },
    stop() {
      stopped = true;
      waiting.clear();
    },
  };
}
