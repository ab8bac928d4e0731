import { errorText, type Logger } from '@bloomery/ports';

/** Runs pieces of work one after the other; a failing one is logged and does not stop the rest. */
export interface SerialWork {
  add(name: string, work: () => Promise<void>): void;
  /** Resolves when everything added so far has run. */
  idle(): Promise<void>;
}

/** Make a queue of its own. */
export function createSerialWork(log: Logger): SerialWork {
  let tail: Promise<void> = Promise.resolve();
  return {
    add(name, work) {
      tail = tail
        .then(work)
        .catch((error: unknown) => log.warn('api.housekeeping-failed', { work: name, error: errorText(error) }));
    },
    idle: () => tail,
  };
}
