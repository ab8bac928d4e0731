import { errorText, type Logger } from '@bloomery/ports';
import { dumpRoutes } from './kernel-dumps.ts';
import type { LiveView } from './live-view.ts';
import type { NetlinkRequests } from './netlink-socket.ts';
import type { NewsGate } from './news-gate.ts';

/** Asks for the routes of a family anew, where the news do not say what became of them. */
export interface RouteRefresh {
  ask(family: number): void;
  /** Resolves when nothing is asked for any more; undefined: nothing is. */
  asking(): Promise<void> | undefined;
}

/** What it works with. */
export interface RouteRefreshDeps {
  readonly view: LiveView;
  readonly requests: NetlinkRequests;
  readonly gate: NewsGate;
  readonly log: Logger;
  /** Have everything asked for anew. */
  readonly lost: () => void;
  /** The same, in a while. */
  readonly askLater: () => void;
  /** Everything is being asked for. */
  readonly resyncing: () => Promise<void> | undefined;
}

/** Nothing is asked for yet. */
export function createRouteRefresh(deps: RouteRefreshDeps): RouteRefresh {
  const unsure = new Set<number>();
  let asking: Promise<void> | undefined;
  return {
    ask: (family) => {
      unsure.add(family);
      asking ??= replaceUnsure(unsure, deps).finally(() => {
        asking = undefined;
      });
    },
    asking: () => asking,
  };
}

async function replaceUnsure(unsure: Set<number>, deps: RouteRefreshDeps): Promise<void> {
  const { gate, log, lost, resyncing } = deps;
  await resyncing();
  while (unsure.size > 0) {
    const families = [...unsure];
    unsure.clear();
    // What is told meanwhile may be newer than the answer: it is applied behind it.
    gate.hold();
    try {
      const answers = await Promise.all(families.map((family) => dumpRoutes(deps, family)));
      if (!gate.isWhole()) lost();
      // All is asked anew, and these with it.
      if (resyncing() !== undefined) return unsure.clear();
      for (const [at, family] of families.entries()) deps.view.replaceRoutes(family, answers[at]?.all ?? []);
      if (answers.some(({ isWhole }) => !isWhole)) deps.askLater();
      gate.release();
    } catch (error) {
      log.warn('kernel.routes_unknown', { families, error: errorText(error) });
      unsure.clear();
      return lost();
    }
  }
}
