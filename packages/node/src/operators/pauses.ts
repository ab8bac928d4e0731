import type { Clock } from '@bloomery/ports';

/** The pauses of one operator: it sleeps in one of them at a time, and others may wake it. */
export class Pauses {
  readonly #clock: Clock;
  #wake: (() => void) | undefined;
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** No pause any more, from now on. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Sleep no longer than this or until woken; not at all when it is done already. */
  pause(delayMs: number, isDone: () => boolean = () => false): Promise<void> {
    if (this.#isStopped || isDone()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        this.#wake = undefined;
        resolve();
      };
      const cancel = this.#clock.after(delayMs, finish);
      this.#wake = finish;
    });
  }

  /** End the present pause. */
  wake(): void {
    this.#wake?.();
  }

  stop(): void {
    this.#isStopped = true;
    this.wake();
  }
}
