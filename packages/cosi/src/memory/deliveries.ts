import { errorText, type Logger } from '@bloomery/ports';

/** Calls that must happen one after the other, also when one of them asks for more. */
export interface Deliveries {
  /** Do this now, or after what is being done. What it throws is logged. */
  readonly run: (deliver: () => void) => void;
  /** Do this now. What it throws is logged. */
  readonly attempt: (deliver: () => void) => void;
}

/** A watcher that writes is not called again before it has returned. */
export function createDeliveries(log: Logger): Deliveries {
  const waiting: (() => void)[] = [];
  let isDelivering = false;
  const attempt = (deliver: () => void): void => {
    try {
      deliver();
    } catch (error) {
      log.error('cosi.watcher_failed', { error: errorText(error) });
    }
  };
  return {
    attempt,
    run: (deliver) => {
      waiting.push(deliver);
      if (isDelivering) return;
      isDelivering = true;
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) attempt(next);
      isDelivering = false;
    },
  };
}
