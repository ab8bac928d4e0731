import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { WakeSource } from '@bloomery/cosi';
import type { Clock } from '@bloomery/ports';

/** Somebody who writes a file writes it in several steps. */
const QUIET_MS = 1_000;
/** Of two programs that write over each other for ever, neither shall be busy with it. */
const TRUCE_MS = 30_000;
/** So many wakes in a minute are no fight; each change of the daemon's own is one, too. */
const WAKES_MAX = 20;
const MINUTE_MS = 60_000;

/** How long to wait after a change of a file. @param wokenMs when it was waited for last, the last one last */
export function quietMs(wokenMs: readonly number[], nowMs: number): number {
  const before = wokenMs.at(-WAKES_MAX);
  return before === undefined || nowMs - before >= MINUTE_MS ? QUIET_MS : TRUCE_MS;
}

/**
 * Wakes a second after a file of the host was changed, made or replaced by anybody; half a minute after it when that goes on and on. A
 * folder that cannot be watched wakes nobody: what changes in it is then seen at the next pass.
 */
export function watchHostFile(root: string, path: string, clock: Clock): WakeSource {
  return {
    listen: (wake) => {
      let cancel: (() => void) | undefined;
      let watcher: FSWatcher | undefined;
      let wokenMs: readonly number[] = [];
      try {
        watcher = watch(join(root, dirname(path)), { persistent: false }, (_event, name) => {
          if (name !== basename(path) || cancel !== undefined) return;
          cancel = clock.after(quietMs(wokenMs, clock.nowMs()), () => {
            cancel = undefined;
            wokenMs = [...wokenMs, clock.nowMs()].slice(-WAKES_MAX);
            wake();
          });
        });
        watcher.on('error', () => watcher?.close());
      } catch {
        // No such folder, or too many watches.
      }
      return () => {
        cancel?.();
        watcher?.close();
      };
    },
  };
}
