import { errorText, type Logger } from '@bloomery/ports';
import type { KernelRoute } from './kernel.ts';
import { dumpRoutes } from './kernel-dumps.ts';
import type { LiveView } from './live-view.ts';
import type { NetlinkSocket } from './netlink-socket.ts';
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
  readonly requests: NetlinkSocket;
  readonly gate: NewsGate;
  readonly log: Logger;
  /** Have everything asked for anew. */
  readonly lost: () => void;
  /** Everything is being asked for. */
  readonly resyncing: () => Promise<void> | undefined;
}

/** Nothing is asked for yet. */
export function createRouteRefresh({ view, requests, gate, log, lost, resyncing }: RouteRefreshDeps): RouteRefresh {
  const unsure = new Set<number>();
  let asking: Promise<void> | undefined;
  const replaceUnsure = async (): Promise<void> => {
    await resyncing();
    while (unsure.size > 0) {
      const families = [...unsure];
      unsure.clear();
      // What is told meanwhile may be newer than the answer: it is applied behind it.
      gate.hold();
      try {
        const answers = new Map<number, readonly KernelRoute[]>();
        for (const family of families) answers.set(family, await dumpRoutes(requests, family));
        if (!gate.isWhole()) lost();
        // All is asked anew, and these with it.
        if (resyncing() !== undefined) return unsure.clear();
        for (const [family, routes] of answers) view.replaceRoutes(family, routes);
        gate.release();
      } catch (error) {
        log.warn('kernel.routes_unknown', { families, error: errorText(error) });
        unsure.clear();
        return lost();
      }
    }
  };
  return {
    ask: (family) => {
      unsure.add(family);
      asking ??= replaceUnsure().finally(() => {
        asking = undefined;
      });
    },
    asking: () => asking,
  };
}
