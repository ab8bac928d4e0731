import type { Clock } from '@bloomery/ports';

/** Lets one call at a time through to each BMC, and keeps calls apart: some BMCs freeze under bursts (omni#785). */
export interface BmcGate {
  /** Runs `call` when it is this BMC's turn. Calls for one BMC run in the order they came. */
  run<T>(bmc: string, call: () => Promise<T>): Promise<T>;
}

interface Lane {
  last: Promise<unknown>;
  freeAtMs: number;
  waiting: number;
}

/** Make a gate. `spacingMs`: from the end of one call to the start of the next for the same BMC. */
export function createBmcGate(clock: Clock, spacingMs: number): BmcGate {
  const lanes = new Map<string, Lane>();
  return {
    async run(bmc, call) {
      const lane = lanes.get(bmc) ?? { last: Promise.resolve(), freeAtMs: 0, waiting: 0 };
      lanes.set(bmc, lane);
      lane.waiting++;
      const turn = lane.last.then(async () => {
        const waitMs = lane.freeAtMs - clock.nowMs();
        if (waitMs > 0) await clock.sleep(waitMs);
        try {
          return await call();
        } finally {
          lane.freeAtMs = clock.nowMs() + spacingMs;
          lane.waiting--;
          clock.after(spacingMs, () => {
            if (lane.waiting === 0 && lane.freeAtMs <= clock.nowMs()) lanes.delete(bmc);
          });
        }
      });
      lane.last = turn.catch(() => {});
      return turn;
    },
  };
}
