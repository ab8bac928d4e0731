import type { LookupFunction } from 'node:net';

type Answer = Parameters<Parameters<LookupFunction>[2]>;

/**
 * Look-ups for connections, one at a time for each host: who asks while one is on its way waits for the same answer. A look-up cannot be
 * taken back, and where no name server answers each takes long: questions that have given up would pile up behind each other.
 */
export function sharedLookup(lookup: LookupFunction): LookupFunction {
  const waiting = new Map<string, ((...answer: Answer) => void)[]>();
  return (host, options, tell) => {
    const key = JSON.stringify([host, options]);
    const others = waiting.get(key);
    if (others !== undefined) return void others.push(tell);
    waiting.set(key, [tell]);
    lookup(host, options, (...answer) => {
      const all = waiting.get(key) ?? [];
      waiting.delete(key);
      for (const one of all) one(...answer);
    });
  };
}
