import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { WakeSource } from '@bloomery/cosi';
import type { Clock } from '@bloomery/ports';

/** Somebody who writes a file writes it in several steps. */
const QUIET_MS = 1_000;

/**
 * Wakes a second after a file of the host was changed, made or replaced by anybody. A folder that cannot be watched wakes nobody: what
 * changes in it is then seen at the next pass.
 */
export function watchHostFile(root: string, path: string, clock: Clock): WakeSource {
  return {
    listen: (wake) => {
      let cancel: (() => void) | undefined;
      let watcher: FSWatcher | undefined;
      try {
        watcher = watch(join(root, dirname(path)), { persistent: false }, (_event, name) => {
          if (name !== basename(path) || cancel !== undefined) return;
          cancel = clock.after(QUIET_MS, () => {
            cancel = undefined;
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
