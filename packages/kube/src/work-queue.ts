import type { Clock } from '@bloomery/ports';

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** Keys worked on at the same time. */
  readonly concurrency: number;
  /** Works on one key; never called twice at once for the same key. Must not throw. */
  readonly work: (key: string) => Promise<void>;
  /** Told the number of waiting keys whenever it changes. */
  readonly onDepth?: (depth: number) => void;
}

/** Keys waiting for work: each key at most once, never worked on twice at the same time. Bounded by the number of keys. */
export interface WorkQueue {
  /** Work on this key soon; once more when it is being worked on now. */
  add(key: string): void;
  /** Work on this key after a delay, unless an earlier time is already set. `add` before then does not cancel it. */
  addAfter(key: string, delayMs: number): void;
  /** Start working. Keys may be added before. */
  start(): void;
  /** Stop taking keys and timers; resolves when running work has ended. */
  stop(): Promise<void>;
}

interface Timer {
  readonly atMs: number;
  readonly cancel: () => void;
}

/** Make a work queue. It works on nothing until started. */
export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const timers = new Map<string, Timer>();
  let started = false;
  let stopped = false;

  const pump = (): void => {
    while (started && !stopped && running.size < options.concurrency) {
      const [key] = waiting;
      if (key === undefined) break;
      waiting.delete(key);
      options.onDepth?.(waiting.size);
      running.set(
        key,
        options.work(key).finally(() => {
          running.delete(key);
          if (again.delete(key)) add(key);
          pump();
        }),
      );
    }
  };
  const add = (key: string): void => {
    if (stopped) return;
    if (running.has(key)) {
      again.add(key);
      return;
    }
    waiting.add(key);
    options.onDepth?.(waiting.size);
    pump();
  };
  return {
    add,
    addAfter(key, delayMs) {
      if (stopped) return;
      const atMs = options.clock.nowMs() + delayMs;
      const set = timers.get(key);
      if (set !== undefined && set.atMs <= atMs) return;
      set?.cancel();
      const cancel = options.clock.after(delayMs, () => {
        timers.delete(key);
        add(key);
      });
      timers.set(key, { atMs, cancel });
    },
    start() {
      started = true;
      pump();
    },
    async stop() {
      stopped = true;
      for (const { cancel } of timers.values()) cancel();
      timers.clear();
      waiting.clear();
      await Promise.all(running.values());
    },
  };
}
