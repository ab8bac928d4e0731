import { type Clock, errorText, isBloomeryError, type Logger } from '@bloomery/ports';
import type { Controller } from '../controller.ts';
import type { ControllerStatus } from '../runtime.ts';
import type { ChangeEvent, State } from '../state.ts';
import { concerns } from './concerns.ts';
import { listenToSource } from './listen-to-source.ts';
import { createPassQueue } from './pass-queue.ts';
import { createReconcileContext } from './reconcile-context.ts';
import { createRetryTime } from './retry-time.ts';
import { createWakeTimer } from './wake-timer.ts';

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
  const { clock, random, signal } = deps;
  const { name } = controller;
  const log = deps.log.with({ controller: name });
  const retry = createRetryTime(clock, random);
  let passes = 0;
  let lastError: unknown;
  let runningSinceMs: number | undefined;
  const sources: Disposable[] = [];

  const pass = async (): Promise<void> => {
    passes += 1;
    runningSinceMs = clock.nowMs();
    timer.clear();
    const cancelNote = clock.after(LONG_PASS_MS, () => log.warn('cosi.pass_is_long', { runsMs: LONG_PASS_MS }));
    try {
      await controller.reconcile(context);
      retry.onSuccess();
      lastError = undefined;
    } catch (error) {
      lastError = error;
      const retryMs = retry.onFailure();
      if (!signal.aborted) logFailure(log, error, { failures: retry.failures(), retryMs });
    } finally {
      cancelNote();
      runningSinceMs = undefined;
    }
  };

  const queue = createPassQueue(clock, retry, pass);
  const timer = createWakeTimer(clock, queue.ask);
  const context = createReconcileContext(controller, { ...deps, log, wakeAfter: timer.after });

  return {
    controller,
    start: () => {
      queue.ask();
      for (const source of controller.wakes ?? []) sources.push(listenToSource(source, queue.askEarly, { clock, log }));
    },
    onChange: (event) => {
      if (!concerns(controller, event)) return;
      const isOwn = event.resource.metadata.owner === name;
      if (isOwn) queue.ask();
      else queue.askEarly();
    },
    status: () => ({
      name,
      passes,
      failures: retry.failures(),
      lastError: lastError === undefined ? '' : errorText(lastError),
      runningSinceMs,
    }),
    isIdle: queue.isIdle,
    end: async () => {
      timer.clear();
      for (const source of sources) source[Symbol.dispose]();
      await queue.end();
      timer.clear();
    },
  };
}

function logFailure(log: Logger, error: unknown, facts: { readonly failures: number; readonly retryMs: number }): void {
  const code = isBloomeryError(error) ? { code: error.code } : {};
  log.warn('cosi.pass_failed', { error: errorText(error), ...code, ...facts });
}
