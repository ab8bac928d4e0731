import { type Clock, errorText, type Logger } from '@bloomery/ports';
import type { WakeSource } from '../controller.ts';
import { rateLimited } from './rate-limited.ts';

const WAKE_RATE = { perSecond: 10, burst: 5 };
const LISTEN_AGAIN_MS = 5_000;

/** Listen to a source at a bounded rate until disposed; one that cannot be listened to is tried again. */
export function listenToSource(
  source: WakeSource,
  wake: () => void,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Disposable {
  const limited = rateLimited(clock, WAKE_RATE, wake);
  let stop = (): void => {};
  const begin = (): void => {
    try {
      stop = source.listen(limited.call);
    } catch (error) {
      log.warn('cosi.wake_source_failed', { error: errorText(error), retryMs: LISTEN_AGAIN_MS });
      stop = clock.after(LISTEN_AGAIN_MS, begin);
    }
  };
  begin();
  return {
    [Symbol.dispose]: () => {
      stop();
      limited[Symbol.dispose]();
    },
  };
}
