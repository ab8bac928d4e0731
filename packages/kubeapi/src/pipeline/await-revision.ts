import type { Clock } from '@bloomery/ports';
import type { Store } from '../store/store.ts';
import { futureRevision } from './api-status.ts';

/** How long a read waits for a revision that is not there yet. */
const WAIT_MS = 3000;

/** Wait until the store has reached the asked revision. Resolves early when the signal aborts. @throws 504 after 3 s. */
export async function awaitRevision(
  store: Store,
  clock: Clock,
  asked: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (asked === undefined || asked <= store.revision) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const unsubscribe = store.subscribe(() => {
    if (store.revision >= asked) resolve();
  });
  const cancel = clock.after(WAIT_MS, resolve);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  cancel();
  unsubscribe();
  if (store.revision < asked) throw futureRevision(asked, store.revision);
}
