import type { Clock } from '@bloomery/ports';
import type { ControlPlanePlan } from './plan.ts';

const QUICK_FIRST_MS = 500;
const QUICK_MAX_MS = 5000;
/** The Talos API has no watch: so long may a change of health go unseen. */
const HEALTHY_MS = 20_000;
const CONTROL_PLANES_MAX = 5000;

/** Decides when a control plane is looked at again without a change being seen. */
export interface LookAgain {
  /** undefined: only a change that is watched can help. */
  after(id: string, plan: ControlPlanePlan): number | undefined;
  forget(id: string): void;
}

interface Looks {
  readonly what: string;
  readonly count: number;
  readonly sinceMs: number;
}

/**
 * While machines are expected to do something that only they tell: 0.5 s, then ever longer up to 5 s as long as the same is
 * awaited. Else every 20 s while there are machines to ask, moved by up to a fifth so that many clusters do not ask at once.
 */
export function createLookAgain(deps: { readonly clock: Clock; readonly random: () => number }): LookAgain {
  const looks = new Map<string, Looks>();
  return {
    after(id, { wait, facts }) {
      const healthyMs = Math.round(HEALTHY_MS * (0.8 + 0.4 * deps.random()));
      if (!facts.observation.machines.some(({ talos }) => talos.state !== 'noAddress')) {
        // The deadline of a deletion has to come also where there is nobody to ask.
        return wait?.reason === 'EtcdQuorumLost' ? healthyMs : undefined;
      }
      if (wait === undefined) {
        looks.delete(id);
        return healthyMs;
      }
      const what = `${wait.reason} ${wait.message}`;
      const before = looks.get(id);
      const isSame = before?.what === what;
      const next = {
        what,
        count: isSame ? before.count + 1 : 0,
        sinceMs: isSame ? before.sinceMs : deps.clock.nowMs(),
      };
      looks.delete(id);
      looks.set(id, next);
      for (const oldest of looks.keys()) if (looks.size > CONTROL_PLANES_MAX) looks.delete(oldest);
      // A wait of many minutes is no transition any more.
      const isLong = deps.clock.nowMs() - next.sinceMs > 600_000;
      return isLong ? healthyMs : Math.min(QUICK_MAX_MS, QUICK_FIRST_MS * 1.5 ** next.count);
    },
    forget(id) {
      looks.delete(id);
    },
  };
}
