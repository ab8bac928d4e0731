import type { ObjectClient } from '@bloomery/kube';
import type { Secret } from '@bloomery/model';
import type { Clock } from '@bloomery/ports';
import { type JoinToken, judgeState } from './join-token.ts';
import { changeTokenSecret } from './token-secret.ts';

/** Counts machines for tokens with a use limit. */
export interface UseCounter {
  /** Count this machine, durably; false when the token lets it in no more. A machine that is counted already is let in. */
  count(token: string, server: string): Promise<boolean>;
}

/** What counting needs. */
export interface UseCounterDeps {
  readonly client: ObjectClient;
  readonly clock: Clock;
  /** Told what the Secret holds after each write. */
  readonly onWritten: (found: Secret | undefined) => void;
}

interface Use {
  readonly token: string;
  readonly server: string;
  readonly settle: PromiseWithResolvers<boolean>;
}

/** Make a counter. Whatever comes while a write is under way is counted with the next one. */
export function createUseCounter({ client, clock, onWritten }: UseCounterDeps): UseCounter {
  let waiting: Use[] = [];
  let isRunning = false;
  const write = async (uses: readonly Use[]): Promise<void> => {
    let granted = new Set<Use>();
    try {
      const found = await changeTokenSecret(client, ({ tokens }) => {
        const planned = planUses(tokens, uses, clock.nowMs());
        granted = new Set(planned.granted);
        return planned.changed.length === 0
          ? undefined
          : { tokens: Object.fromEntries(planned.changed.map((token) => [token.name, token])) };
      });
      onWritten(found);
      for (const use of uses) use.settle.resolve(granted.has(use));
    } catch (error) {
      for (const use of uses) use.settle.reject(error);
    }
  };
  const run = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    while (waiting.length > 0) {
      const uses = waiting;
      waiting = [];
      await write(uses);
    }
    isRunning = false;
  };
  return {
    count: (token, server) => {
      const settle = Promise.withResolvers<boolean>();
      waiting.push({ token, server, settle });
      void run();
      return settle.promise;
    },
  };
}

/** Which of these uses are granted, in order, and the tokens that differ afterwards. Pure. */
export function planUses<U extends { readonly token: string; readonly server: string }>(
  tokens: readonly JoinToken[],
  uses: readonly U[],
  nowMs: number,
): { readonly granted: readonly U[]; readonly changed: readonly JoinToken[] } {
  const present = new Map(tokens.map((token) => [token.name, token]));
  const granted = uses.filter(({ token: name, server }) => {
    const token = present.get(name);
    if (token === undefined || !judgeState(token, server, nowMs).ok) return false;
    const { usedBy = [] } = token;
    if (!usedBy.includes(server)) present.set(name, { ...token, usedBy: [...usedBy, server] });
    return true;
  });
  return { granted, changed: [...present.values()].filter((token) => !tokens.includes(token)) };
}
