import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import type { Controller } from './controller.ts';
import type { State } from './state.ts';

export interface RuntimeDeps {
  readonly state: State;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/** Running controllers. Disposing it ends their passes, then calls their `stop` in the reverse order of their start. */
export interface Runtime extends AsyncDisposable {
  /** @throws BloomeryError BLM_COSI_OUTPUT when another controller has one of its outputs exclusively. */
  start(controllers: readonly Controller[]): void;
  /** Who reads and writes what. */
  readonly controllers: readonly Controller[];
}

/** The owner of cosi writes startRuntime({ ... }): Runtime here. */
export type StartRuntime = (deps: RuntimeDeps) => Runtime;
