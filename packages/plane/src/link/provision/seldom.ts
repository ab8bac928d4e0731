import type { Clock } from '@bloomery/ports';

/** Says of each key whether its last yes is long enough ago. A yes starts the time again. */
export type Seldom = (key: string) => boolean;

/** Make one. Above `max` keys the oldest are forgotten. */
export function createSeldom(clock: Clock, everyMs: number, max = 20_000): Seldom {
  const lastMs = new Map<string, number>();
  return (key) => {
    const nowMs = clock.nowMs();
    const last = lastMs.get(key);
    if (last !== undefined && nowMs - last < everyMs) return false;
    lastMs.delete(key);
    lastMs.set(key, nowMs);
    const oldest = lastMs.size > max ? lastMs.keys().next().value : undefined;
    if (oldest !== undefined) lastMs.delete(oldest);
    return true;
  };
}
