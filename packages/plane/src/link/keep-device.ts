import { backOffMs, type Clock, errorText, fraction, type Logger, type RandomBytes } from '@bloomery/ports';

/** What can be kept running. */
export interface Keepable extends AsyncDisposable {
  /** Resolves with the reason when it went away on its own. */
  readonly lost: Promise<string>;
}

/** How somebody keeps something running that may fail to start, and may end on its own. */
export interface KeepDeviceDeps<R extends Keepable> {
  /** Make it. What was made is disposed by the keeper. */
  readonly bringUp: () => Promise<R>;
  /** Called when it is up; the signal aborts when it is not any more. */
  readonly onUp: (running: R, signal: AbortSignal) => void;
  /** Called before a lost one is disposed. */
  readonly onLost: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  /** For back-off. */
  readonly random: RandomBytes;
}

/** Something that is kept running. Disposing it stops it. */
export interface KeptDevice<R> extends AsyncDisposable {
  /** What runs now, or why nothing does. */
  current(): { readonly running: R } | { readonly running: undefined; readonly reason: string };
}

const RETRY = { firstMs: 1_000, maxMs: 60_000 };
/** What ran for so long was no failed start. */
const STEADY_MS = 60_000;

/**
 * Bring a device up and keep it up: one that cannot be made is tried again with back-off (1 s … 60 s), one that is lost is
 * made again at once. Resolves after the first attempt, whatever came of it. Each outage is logged once.
 */
export async function keepDevice<R extends Keepable>(deps: KeepDeviceDeps<R>): Promise<KeptDevice<R>> {
  const { clock, log } = deps;
  const stop = new AbortController();
  let running: R | undefined;
  let reason = '';
  let failures = 0;
  const stopped = new Promise<undefined>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });

  const attempt = async (): Promise<void> => {
    try {
      running = await deps.bringUp();
    } catch (error) {
      failures++;
      if (errorText(error) !== reason) log.warn('link.unavailable', { reason: errorText(error) });
      reason = errorText(error);
    }
  };
  const followOne = async (one: R): Promise<void> => {
    const upSinceMs = clock.nowMs();
    const down = new AbortController();
    deps.onUp(one, AbortSignal.any([down.signal, stop.signal]));
    const lost = await Promise.race([one.lost, stopped]);
    if (lost === undefined) return;
    down.abort();
    log.error('link.lost', { reason: lost });
    running = undefined;
    reason = lost;
    failures = clock.nowMs() - upSinceMs < STEADY_MS ? failures + 1 : 0;
    await deps.onLost();
    await one[Symbol.asyncDispose]();
  };
  const keepUp = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      if (running !== undefined) await followOne(running);
      if (failures > 0)
        await clock.sleep(
          backOffMs(failures, RETRY, () => fraction(deps.random)),
          stop.signal,
        );
      if (!stop.signal.aborted) await attempt();
    }
  };
  await attempt();
  const loop = keepUp();
  return {
    current: () => (running === undefined ? { running, reason } : { running }),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await loop;
      await deps.onLost();
      await running?.[Symbol.asyncDispose]();
    },
  };
}
