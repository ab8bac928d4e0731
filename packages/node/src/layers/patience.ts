import { BloomeryError } from '@bloomery/ports';

/**
 * Tells when something is done over and over: somebody else undoes it each time, or the kernel takes it and does not do it. It is done
 * all the same, but no longer at once.
 */
export interface Patience {
  /**
   * Something was done so that this becomes as it should be. @param what to say of it
   *
   * @throws BloomeryError BLM_NODE_UNDONE when that was once too often
   */
  spend(id: string, nowMs: number, what: string): void;
  /** It is as it should be. */
  rest(id: string): void;
  /** It is no longer looked after. */
  forget(id: string): void;
}

/** Who was at rest for so long begins anew. */
const QUIET_MS = 10_000;

interface Spent {
  readonly times: number;
  readonly atMs: number;
  readonly isAtRest: boolean;
}

/** @param times something may be done in a row */
export function createPatience(times = 10): Patience {
  const spent = new Map<string, Spent>();
  return {
    spend: (id, nowMs, what) => {
      const last = spent.get(id);
      const isNew = last === undefined || (last.isAtRest && nowMs - last.atMs >= QUIET_MS);
      const now = { times: isNew ? 1 : last.times + 1, atMs: nowMs, isAtRest: false };
      spent.set(id, now);
      if (now.times <= times) return;
      const why = 'somebody else undoes it, or the kernel takes it and does not do it';
      throw new BloomeryError('BLM_NODE_UNDONE', `${what}: more than ${times} times in a row; ${why}`, {
        retryable: true,
      });
    },
    rest: (id) => {
      const last = spent.get(id);
      if (last !== undefined) spent.set(id, { ...last, isAtRest: true });
    },
    forget: (id) => void spent.delete(id),
  };
}
