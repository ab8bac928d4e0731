import type { SequenceEvent } from '@bloomery/talos';

/** The sequences of this boot, for whoever asks the Talos API for them. */
export interface SequenceLog {
  note(event: SequenceEvent): void;
  /** Events as they come, after those since the boot when `past`. Ends with the signal. */
  follow(signal: AbortSignal, options: { readonly past: boolean }): AsyncIterable<SequenceEvent>;
}

const MAX_EVENTS = 1_000;

/** An empty log. The oldest events go. */
export function createSequenceLog(): SequenceLog {
  let kept: SequenceEvent[] = [];
  /** How many events were before those that are kept. */
  let dropped = 0;
  const waiting = new Set<() => void>();
  return {
    note(event) {
      kept.push(event);
      if (kept.length > MAX_EVENTS) {
        kept = kept.slice(1);
        dropped += 1;
      }
      for (const wake of waiting) wake();
    },
    async *follow(signal, { past }) {
      let next = past ? 0 : dropped + kept.length;
      while (!signal.aborted) {
        for (; next < dropped + kept.length; next++) {
          const event = kept[Math.max(0, next - dropped)];
          if (event !== undefined) yield event;
        }
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            signal.removeEventListener('abort', wake);
            resolve();
          };
          waiting.add(wake);
          signal.addEventListener('abort', wake);
          if (signal.aborted || next < dropped + kept.length) wake();
        });
      }
    },
  };
}
