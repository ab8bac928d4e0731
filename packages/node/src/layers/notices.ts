import type { Logger } from '@bloomery/ports';

/** Facts of a pass that a person should see once: when they become true, not each time they are found true again. */
export interface Notices {
  /** Log those which the last call did not have. */
  say(log: Logger, now: readonly string[]): void;
}

/** @param event under which they are logged, with the text as `notice` */
export function createNotices(level: 'warn' | 'info', event: string): Notices {
  let said: ReadonlySet<string> = new Set();
  return {
    say: (log, now) => {
      const next = new Set(now);
      for (const notice of next) if (!said.has(notice)) log[level](event, { notice });
      said = next;
    },
  };
}
