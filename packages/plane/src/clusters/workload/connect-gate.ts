/** Lets a bounded number of connection attempts run at a time; further ones wait in order. */
export interface ConnectGate {
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** @param max attempts at a time */
export function createConnectGate(max: number): ConnectGate {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      // Who waited takes over the place of who left: nobody can slip in between.
      if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve));
      else running++;
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
