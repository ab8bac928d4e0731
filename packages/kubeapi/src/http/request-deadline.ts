import { apiError } from '@bloomery/kube';
import type { Clock } from '@bloomery/ports';
import { parseGoDurationMs } from '@bloomery/wire';
import { badRequest } from '../pipeline/api-status.ts';

/** A request that is no watch has this long, from its headers to its answer. */
export const REQUEST_TIMEOUT_MS = 60_000;

/**
 * How long a request may take, in milliseconds: what `?timeout=` asks for (a duration of Go such as `30s`), and never more than
 * the server's own bound. Nothing, zero and less mean that bound.
 *
 * @throws 400 for text that is no duration.
 */
export function requestTimeoutMs(asked: string | null): number {
  if (asked === null || asked === '') return REQUEST_TIMEOUT_MS;
  const wanted = parseGoDurationMs(asked);
  if (wanted === undefined) {
    const why = `time: invalid duration ${JSON.stringify(asked.slice(0, 64))}`;
    throw badRequest(`invalid timeout specified in the request URL - ${why}`);
  }
  return wanted > 0 ? Math.min(wanted, REQUEST_TIMEOUT_MS) : REQUEST_TIMEOUT_MS;
}

/** What the promise gives, unless that takes longer. The work itself goes on: a write may still be committed. @throws 504. */
export function withinDeadline<T>(clock: Clock, timeoutMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () => reject(tookTooLong()));
    work.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}

function tookTooLong() {
  const message = 'Timeout: request did not complete within the allotted timeout';
  return apiError({ code: 504, reason: 'Timeout', message, details: {} });
}
