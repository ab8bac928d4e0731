import { type Clock, errorText, isBloomeryError, type Logger } from '@bloomery/ports';
import type { Controller, WakeSource } from '../controller.ts';
import type { ControllerStatus } from '../runtime.ts';
import type { ChangeEvent, State } from '../state.ts';
import { concerns } from './concerns.ts';
import { type RateLimited, rateLimited } from './rate-limited.ts';
import { createReconcileContext } from './reconcile-context.ts';

const BACK_OFF_FIRST_MS = 500;
const BACK_OFF_FACTOR = 1.5;
const BACK_OFF_JITTER = 0.5;
const BACK_OFF_MAX_MS = 60_000;
/** After a failure, changes bring a new pass earlier than the back-off would, but not before this time. */
const CHANGED_AFTER_FAILURE_MS = 500;
const WAKE_RATE = { perSecond: 10, burst: 5 };
const LISTEN_AGAIN_MS = 5_000;
/** A pass that takes longer is told of. */
const LONG_PASS_MS = 60_000;

export interface RunnerDeps {
  readonly state: State;
  readonly clock: Clock;
  readonly log: Logger;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** One controller at work. */
export interface ControllerRunner {
  readonly controller: Controller;
  /** Begin with a first pass, and listen to what wakes it. */
  readonly start: () => void;
  /** Tell it of a change in the state. */
  readonly onChange: (event: ChangeEvent) => void;
  readonly status: () => ControllerStatus;
  /** Nothing runs, and nothing is about to run but by time. */
  readonly isIdle: () => boolean;
  /** No new passes. Resolves when the last one has ended. */
  readonly end: () => Promise<void>;
}

/** Passes of one controller: one at a time, at most one pending, again after failures. */
export function createControllerRunner(controller: Controller, deps: RunnerDeps): ControllerRunner {
  const { clock, state, random, signal } = deps;
  const log = deps.log.with({ controller: controller.name });
  let isPending = false;
  let isScheduled = false;
  let isOver = false;
  let running: Promise<void> | undefined;
  let passes = 0;
  let failures = 0;
  let lastError: unknown;
  let passBeganMs: number | undefined;
  let mayRunAtMs = 0;
  let cancelRetry = (): void => {};
  let cancelWake = (): void => {};
  let wakeAtMs = Number.POSITIVE_INFINITY;
  const sources: Disposable[] = [];

  const context = createReconcileContext(controller, {
    state,
    clock,
    log,
    signal,
    wakeAfter: (delayMs) => {
      const atMs = clock.nowMs() + delayMs;
      if (isOver || atMs >= wakeAtMs) return;
      wakeAtMs = atMs;
      cancelWake();
      cancelWake = clock.after(delayMs, () => {
        wakeAtMs = Number.POSITIVE_INFINITY;
        wake();
      });
    },
  });

  const wake = (): void => {
    isPending = true;
    schedule();
  };

  const schedule = (): void => {
    if (!isPending || isOver || isScheduled || running !== undefined) return;
    isScheduled = true;
    const waitMs = mayRunAtMs - clock.nowMs();
    if (waitMs <= 0) setImmediate(pass);
    else cancelRetry = clock.after(waitMs, pass);
  };

  const pass = (): void => {
    isScheduled = false;
    // What a pass changes before it first waits may schedule another one already: that one's turn comes at its end.
    if (isOver || running !== undefined) return;
    isPending = false;
    cancelWake();
    wakeAtMs = Number.POSITIVE_INFINITY;
    running = onePass().then(() => {
      running = undefined;
      schedule();
    });
  };

  const onePass = async (): Promise<void> => {
    passes += 1;
    passBeganMs = clock.nowMs();
    const cancelNote = clock.after(LONG_PASS_MS, () => log.warn('cosi.pass_is_long', { runsMs: LONG_PASS_MS }));
    try {
      await controller.reconcile(context);
      failures = 0;
      lastError = undefined;
      mayRunAtMs = 0;
    } catch (error) {
      onFailure(error);
    } finally {
      cancelNote();
      passBeganMs = undefined;
    }
  };

  const onFailure = (error: unknown): void => {
    if (isOver) return;
    failures += 1;
    lastError = error;
    const retryMs = backOffMs(failures, random);
    const code = isBloomeryError(error) ? { code: error.code } : {};
    log.warn('cosi.pass_failed', { error: errorText(error), ...code, failures, retryMs });
    mayRunAtMs = clock.nowMs() + retryMs;
    isPending = true;
  };

  /** What a failed pass may have waited for has come: do not sit out a long back-off. */
  const wakeByChange = (): void => {
    const soonMs = clock.nowMs() + CHANGED_AFTER_FAILURE_MS;
    if (running === undefined && mayRunAtMs > soonMs) {
      mayRunAtMs = soonMs;
      cancelRetry();
      isScheduled = false;
    }
    wake();
  };

  return {
    controller,
    start: () => {
      wake();
      for (const source of controller.wakes ?? []) sources.push(listen(source, wakeByChange, { clock, log }));
    },
    onChange: (event) => {
      if (isOver || !concerns(controller, event)) return;
      const isOwn = event.resource.metadata.owner === controller.name;
      if (isOwn) wake();
      else wakeByChange();
    },
    status: () => ({
      name: controller.name,
      passes,
      failures,
      lastError: lastError === undefined ? '' : errorText(lastError),
      runningSinceMs: passBeganMs,
    }),
    isIdle: () => running === undefined && !(isScheduled && mayRunAtMs <= clock.nowMs()),
    end: async () => {
      isOver = true;
      cancelRetry();
      cancelWake();
      for (const source of sources) source[Symbol.dispose]();
      await running;
    },
  };
}

/** 0.5 s, then half as long again each time, at most a minute, spread by half of it both ways. */
function backOffMs(failures: number, random: () => number): number {
  const full = Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * BACK_OFF_FACTOR ** Math.min(failures - 1, 30));
  return Math.round(full * (1 - BACK_OFF_JITTER + 2 * BACK_OFF_JITTER * random()));
}

/** Listen to a source at a bounded rate; one that cannot be listened to is tried again. */
function listen(source: WakeSource, wake: () => void, { clock, log }: Pick<RunnerDeps, 'clock' | 'log'>): Disposable {
  const limited: RateLimited = rateLimited(clock, WAKE_RATE, wake);
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
