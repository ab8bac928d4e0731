/** Runs work for one key one after another. */
export interface KeyedLock {
  /** undefined when so much work for this key waits already that no more is taken. */
  run<R>(key: string, work: () => Promise<R>): Promise<R> | undefined;
}

/** Make a lock. Keys without work take no memory. `waitingMax`: work for one key that may wait at the same time. */
export function createKeyedLock(waitingMax: number): KeyedLock {
  const lines = new Map<string, { tail: Promise<unknown>; length: number }>();
  return {
    run: (key, work) => {
      const line = lines.get(key) ?? { tail: Promise.resolve(), length: 0 };
      if (line.length >= waitingMax) return undefined;
      line.length += 1;
      lines.set(key, line);
      const result = line.tail.then(work);
      line.tail = result
        .catch(() => {})
        .then(() => {
          line.length -= 1;
          if (line.length === 0) lines.delete(key);
        });
      return result;
    },
  };
}
