import { type Clock, errorText, type Logger } from '@bloomery/ports';

/** How often and how long something is tried. */
export interface RetryOptions {
  readonly what: string;
  readonly everyMs: number;
  readonly overallMs: number;
}

/** Try until it works or the time is over; then the last error is thrown. */
export async function retry<T>(
  attempt: () => Promise<T>,
  { what, everyMs, overallMs }: RetryOptions,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<T> {
  const end = clock.nowMs() + overallMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      log.warn('agent.retry', { what, error: errorText(error) });
      if (clock.nowMs() + everyMs > end) throw error;
      await clock.sleep(everyMs);
    }
  }
}
