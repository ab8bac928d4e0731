import type { Clock } from './clock.ts';
import { rememberNewest } from './remember-newest.ts';

/** Says of each key whether its last yes is long enough ago. A yes starts the time again. */
export type Seldom = (key: string) => boolean;

/** Make one. Above `max` keys the oldest are forgotten. */
export function createSeldom(clock: Clock, everyMs: number, max = 20_000): Seldom {
  const lastMs = new Map<string, number>();
  return (key) => {
    const nowMs = clock.nowMs();
    const last = lastMs.get(key);
    if (last !== undefined && nowMs - last < everyMs) return false;
    rememberNewest(lastMs, key, nowMs, max);
    return true;
  };
}
