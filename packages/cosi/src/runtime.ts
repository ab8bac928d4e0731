import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import type { Controller } from './controller.ts';
import type { State } from './state.ts';

export interface RuntimeDeps {
  readonly state: State;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/** How a controller fares. */
export interface ControllerStatus {
  readonly name: string;
  readonly passes: number;
  /** In a row, until now. */
  readonly failures: number;
  /** Of the last pass; empty when it ended well. */
  readonly lastError: string;
  /** Undefined while no pass runs. */
  readonly runningSinceMs: number | undefined;
}

/**
 * Running controllers. Disposing it ends their passes, then calls their `stop` in the reverse order of their start. What hangs
 * is waited for 10 s.
 */
export interface Runtime extends AsyncDisposable {
  /**
   * Their inputs and outputs are registered in the state.
   *
   * @throws BloomeryError BLM_COSI_OUTPUT when another controller has one of its outputs exclusively, BLM_COSI_CONTROLLER when one
   * of the same name runs.
   */
  start(controllers: readonly Controller[]): void;
  /** Who reads and writes what. */
  readonly controllers: readonly Controller[];
  readonly status: () => readonly ControllerStatus[];
  /** No pass runs, and none is about to but by time: back-off, `wakeAfter`, rate limits. */
  readonly isIdle: () => boolean;
}
